-- How Argo CD sees a ModelDeployment, in the words of its status.
local status = obj.status
if status == nil or status.conditions == nil
    or status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "Waiting for the operator to see this version"}
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end
local function holds(name)
  return conditions[name] ~= nil and conditions[name].status == "True"
end

local health = "Progressing"
if holds("Stalled") or status.phase == "Reverting"
    or (status.release ~= nil and status.release.failed) then
  health = "Degraded"
elseif holds("Ready") then
  health = "Healthy"
elseif holds("Reconciling") and conditions.Reconciling.reason == "WaitingForApproval" then
  health = "Suspended"
elseif obj.spec.suspend or status.phase == "Frozen" then
  health = "Suspended"
end
return {status = health, message = status.message or ""}

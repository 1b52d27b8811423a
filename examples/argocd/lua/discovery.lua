-- What a person can ask for now.
local status = obj.status or {}
local release = status.release
local moves = release ~= nil and release.stage ~= "Reverting"
local waits = false
for _, condition in ipairs(status.conditions or {}) do
  waits = waits or condition.reason == "WaitingForApproval"
end
local function unless(allowed)
  return {disabled = not allowed}
end

return {
  approve = unless(waits),
  promote = unless(moves and release.stage ~= "Watching" and status.stable ~= nil),
  abort = unless(moves and status.stable ~= nil),
  retry = unless(status.phase == "Reverted"),
  pause = unless(not obj.spec.suspend),
  resume = unless(obj.spec.suspend == true),
  restart = unless(status.stable ~= nil),
}

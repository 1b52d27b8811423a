-- Takes the release back to the version before.
local os = require("os")
obj.spec.action = {
  type = "Abort",
  revision = obj.status.release.revision,
  at = os.date("!%Y-%m-%dT%H:%M:%SZ"),
}
return obj

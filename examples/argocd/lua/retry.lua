-- Tries the version again that was taken back.
local os = require("os")
obj.spec.action = {
  type = "Retry",
  revision = obj.status.rejected.revision,
  at = os.date("!%Y-%m-%dT%H:%M:%SZ"),
}
return obj

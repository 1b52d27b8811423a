-- Lets the release go on.
obj.spec.suspend = false
return obj

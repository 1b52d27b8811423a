-- Takes no further step; a bad version is still taken back.
obj.spec.suspend = true
return obj

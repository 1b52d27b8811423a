"""The running operator: what happens when, and nothing about what is decided.

kopf tells of changes (`watching`), they land in a `cache` and as keys on a `queue`; a pass of
`reconcile` observes, asks `headgate.core.plan` and carries out its answer. `polling` brings in
what Prometheus says. `operator` wires them and runs until it is told to stop.
"""

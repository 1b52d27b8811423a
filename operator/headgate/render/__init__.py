"""What a ModelDeployment's children look like: pure functions from a spec to dicts.

Above `headgate.core`, below `headgate.kube`, which sends them to the API server.
"""

"""Everything that talks to Kubernetes: reading objects into observations, carrying out plans.

Above `headgate.core` and `headgate.render`, whose values it turns into requests; below
`headgate.runtime`, which decides when.
"""

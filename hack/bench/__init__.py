"""What the operator costs, measured: `python -m hack.bench engine`, or `make bench-engine`.

A real API server and the real controllers of Deployments, nodes and pods of kwok that only say
they run, and the real operator as a process of its own. Prometheus and the models are stand-ins
(`world`), because the operator is what is measured; its requests to the API server pass through
`proxy`, which counts and times them.
"""

"""A real Kubernetes cluster on this machine, with Docker (kind) or without (our own processes).

For the end-to-end tests, the load generator and the demo:

    from hack.cluster import open_cluster
    cluster = open_cluster("e2e")
    cluster.kubectl("get", "nodes")

and for people: `python -m hack.cluster --help`.
"""

from hack.cluster.cluster import (
    Cluster,
    close_cluster,
    cluster_unavailable_reason,
    open_cluster,
    temporary_cluster,
)
from hack.cluster.errors import ClusterError, ClusterUnavailableError

__all__ = [
    "Cluster",
    "ClusterError",
    "ClusterUnavailableError",
    "close_cluster",
    "cluster_unavailable_reason",
    "open_cluster",
    "temporary_cluster",
]

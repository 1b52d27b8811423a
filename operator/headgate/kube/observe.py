"""From the API server's objects to the planner's `Observation`.

`read` fetches the objects of one ModelDeployment live; a snapshot made of cached objects serves as
well where nothing destructive follows. `build` is pure.
"""

from __future__ import annotations

from headgate.core.observation import Observation, SmokeResult
from headgate.judge import Sample
from headgate.kube.client import KubeClient
from headgate.kube.snapshot import Broken, Snapshot

__all__ = ["Broken", "Snapshot", "build", "read"]


async def read(
    client: KubeClient, namespace: str, name: str, known: Snapshot | None = None
) -> Snapshot | None:
    """The objects of one ModelDeployment as they are now; None when it does not exist.

    With `known`, an earlier snapshot, only what traffic hangs on is read again (Deployments,
    Services, Pods: three requests); the ModelDeployment and its ControllerRevisions are taken
    from it. After a `Conflict` read without it: that also looks for objects of others that have
    the names we need.
    """
    raise KeyError(namespace)


def build(
    snapshot: Snapshot, sample: Sample | None = None, smoke: SmokeResult | None = None
) -> Observation:
    """What the planner sees. Raises `Broken` for a ModelDeployment that cannot be read."""
    raise KeyError(snapshot.name)

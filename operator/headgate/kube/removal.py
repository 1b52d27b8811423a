"""Takes a revision's Deployment away, and its pods at once when they must not answer any more.

A pod that is merely deleted sleeps and drains for its grace period, and answers on connections
that are already open. So the pods of a rejected version get one second.
"""

from __future__ import annotations

import asyncio

from headgate.kube.client import DEPLOYMENT, POD, Conflict, KubeClient, NotFound, Object
from headgate.kube.pods import ended
from headgate.kube.snapshot import Snapshot
from headgate.render.names import pod_selector, workload_name

GRACE_PERIOD_SECONDS = 1
"""The least that lets a server close its connections in order."""

ANSWER_SECONDS = 1.0
"""How long Kubernetes' own controllers may take to begin deleting the pods; then we do it."""

LOOK_SECONDS = 0.05


async def remove_workload(
    client: KubeClient, snapshot: Snapshot, revision: str, at_once: bool
) -> None:
    """Delete the Deployment of a revision; nothing to do when it is gone. Raises `KubeError`s."""
    stored = snapshot.deployment(revision)
    if stored is None:
        return
    name = workload_name(snapshot.name, revision)
    uid = stored["metadata"]["uid"]
    if at_once:
        try:
            # A test on the uid instead of a resourceVersion: the status of a Deployment whose
            # pods crash changes all the time, and this write must not lose a race against it.
            await client.patch(
                DEPLOYMENT,
                snapshot.namespace,
                name,
                [
                    {"op": "test", "path": "/metadata/uid", "value": uid},
                    {"op": "replace", "path": "/spec/replicas", "value": 0},
                ],
            )
        except NotFound:
            return
        await _end_pods(client, snapshot, revision)
    await client.delete(DEPLOYMENT, snapshot.namespace, name, uid=uid)


async def _end_pods(client: KubeClient, snapshot: Snapshot, revision: str) -> None:
    """Shorten the grace of each pod as soon as its ReplicaSet has begun to delete it.

    Not before: a ReplicaSet that still wants the pod would start another one in its place.
    """
    labels = pod_selector(snapshot.name, revision)
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    clock = asyncio.get_running_loop().time
    deadline = clock() + ANSWER_SECONDS
    shortened: set[str] = set()
    while True:
        pods = await client.list(POD, snapshot.namespace, selector)
        left = [pod for pod in pods if pod["metadata"]["uid"] not in shortened and not ended(pod)]
        late = clock() >= deadline
        ready = [pod for pod in left if late or _terminating(pod)]
        await asyncio.gather(*(_end(client, pod) for pod in ready))
        shortened.update(pod["metadata"]["uid"] for pod in ready)
        if len(ready) == len(left):
            return
        await asyncio.sleep(LOOK_SECONDS)


def _terminating(pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


async def _end(client: KubeClient, pod: Object) -> None:
    metadata = pod["metadata"]
    if int(metadata.get("deletionGracePeriodSeconds") or 30) <= GRACE_PERIOD_SECONDS:
        return
    try:
        await client.delete(
            POD,
            metadata["namespace"],
            metadata["name"],
            uid=metadata["uid"],
            grace_period_seconds=GRACE_PERIOD_SECONDS,
        )
    except Conflict:
        # Another pod of that name: ours is gone.
        return

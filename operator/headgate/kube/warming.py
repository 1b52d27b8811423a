"""The warm-up of one pod: requests to it until it answers fast, and the condition in its status.

The connection is that of the smoke checks (`headgate.kube.smoke`): the pod's own address, bounded
answers, no redirects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import cycle
from typing import Any

from headgate.api.quantities import parse_duration
from headgate.api.smoke import WarmUp
from headgate.core.intents import SetWarm
from headgate.core.observation import Warming
from headgate.kube.client import POD, Conflict, Invalid, KubeClient, NotFound, Object
from headgate.kube.smoke import Target, ask, connect
from headgate.kube.snapshot import Snapshot
from headgate.render.names import WARM

PAUSE_SECONDS = 0.25
"""Between a wrong answer and the next request: an error comes quickly and must not be a flood."""


def requests_of(snapshot: Snapshot, revision: str) -> WarmUp | None:
    """How the pods of a revision are warmed up: as the spec says while that asks for the revision,
    afterwards as it said when the release began."""
    if revision == snapshot.revision:
        return snapshot.spec.smoke.warm_up
    kept = snapshot.kept.get(revision)
    return None if kept is None else kept.warm_up


async def warm_up(target: Target, wanted: WarmUp, tell: Callable[[str], None]) -> Warming:
    """Ask a pod until it is warm or has had its time; `tell` is called with every answer that did
    not count. Never raises for what the pod does."""
    last = f"pod {target.pod} has not answered"

    def keep(sentence: str) -> None:
        nonlocal last
        last = sentence
        tell(sentence)

    try:
        # One time-out only: a connection's own, at the same moment, would swallow this one.
        async with (
            asyncio.timeout(parse_duration(wanted.timeout)),
            connect(None, "warm-up") as session,
        ):
            slowest, needed = parse_duration(wanted.faster_than), _needed(wanted)
            row = 0
            for request in cycle(wanted.requests):
                answer = await ask(session, target, request, slowest)
                if not answer.passed:
                    row = 0
                    keep(answer.sentence)
                    # The first answers of a model are slow by themselves; errors are not.
                    await asyncio.sleep(PAUSE_SECONDS)
                    continue
                row += 1
                if row >= needed:
                    return Warming(True, f"{answer.sentence}, the last of {row} in a row")
    except TimeoutError:
        pass
    return Warming(False, f"not warm within {wanted.timeout}: {last}")


def _needed(wanted: WarmUp) -> int:
    return max(wanted.in_a_row, len(wanted.requests))


async def set_warm(client: KubeClient, snapshot: Snapshot, intent: SetWarm) -> Object | None:
    """Write the condition into the status of exactly the pod that was seen; None when that is gone.
    Raises `Conflict` when its status has changed since.

    Only a condition can be added by its place in a list, so the version is tested as well.
    """
    pods = {str(each["metadata"]["name"]): each for each in snapshot.pods}
    pod = pods.get(intent.pod)
    if pod is None:
        return None
    try:
        return await client.patch(
            POD, snapshot.namespace, intent.pod, _changes(pod, intent), subresource="status"
        )
    except NotFound:
        return None
    except Invalid as error:
        # What a failed test is answered with.
        raise Conflict(f"pod {intent.pod} has changed: {error}") from error


def _changes(pod: Object, intent: SetWarm) -> list[dict[str, Any]]:
    metadata = pod["metadata"]
    conditions = (pod.get("status") or {}).get("conditions")
    condition = {
        "type": WARM,
        "status": "True" if intent.warm else "False",
        "reason": intent.reason,
        "message": intent.message,
        "lastTransitionTime": intent.time,
    }
    tests = [
        {"op": "test", "path": f"/metadata/{key}", "value": metadata[key]}
        for key in ("uid", "resourceVersion")
    ]
    if not conditions:
        return [*tests, {"op": "add", "path": "/status/conditions", "value": [condition]}]
    kinds = [each.get("type") for each in conditions]
    if WARM in kinds:
        path, operation = f"/status/conditions/{kinds.index(WARM)}", "replace"
    else:
        path, operation = "/status/conditions/-", "add"
    return [*tests, {"op": operation, "path": path, "value": condition}]

"""Restarting a version's pods because a person asks for it: `spec.restartAt`.

The Deployment replaces the pods as after `kubectl rollout restart`, at the pace of the spec's
strategy: maxSurge and maxUnavailable, or, where pods swap, one makes way before another comes. It
is no release: the revision stays, and nothing is judged.
"""

from __future__ import annotations

from headgate.api.strategy import Capacity
from headgate.core.capacity import UNSCHEDULABLE
from headgate.core.intents import RestartWorkload
from headgate.core.observation import Pace, Pod, Workload
from headgate.core.settings import (
    ready_floor_of,
    scheduling_timeout_of,
    surge_of,
    unavailable_of,
)
from headgate.core.state import State
from headgate.core.timing import to_seconds


def restart(state: State) -> State:
    """Begin a restart that is newer than what the stable version's Deployment carries, or see to it
    that the one under way finds room."""
    at, workload = state.seen.spec.restart_at, state.seen.workload(state.stable)
    if workload is None:
        return state
    if at is None or to_seconds(at) <= to_seconds(workload.restarted):
        return _find_room(state, workload)
    hindrance = _hindrance(state)
    if hindrance:
        return _once(state, "RestartWaits", f"The restart asked for at {at} waits {hindrance}.")
    if not workload.intact:
        return state
    version = state.version_of(state.stable)
    message = f"Restarting {version}: its Deployment replaces the pods (spec.restartAt {at})."
    intent = RestartWorkload(workload.revision, at, _pace(state, stuck=False))
    return state.say("Restarting", message).change(restarts=(intent,))


def restart_deadline(state: State) -> float | None:
    """Seconds until a restart's pod without a place calls for another pace."""
    workload = state.seen.workload(state.stable)
    waiting = None if workload is None else _without_place(state, workload)
    if waiting is None or _hindrance(state):
        return None
    return scheduling_timeout_of(state.seen.spec) - (state.now - waiting.created)


def shrunk(state: State, revision: str, wanted: int) -> int:
    """How far stable's Deployment may shrink towards `wanted` pods. In the middle of a restart
    Kubernetes takes those of before it first, which may be all that are ready."""
    seen, workload = state.seen, state.seen.workload(revision)
    if workload is None or not workload.rolling or wanted == 0:
        return wanted
    floor = state.replicas - unavailable_of(seen.spec)
    if state.swaps:
        floor = max(1, ready_floor_of(seen.spec))
    if seen.live is not None and seen.live.revision is None:
        floor -= seen.ready(state.candidate)
    surge = workload.pace.surge if workload.pace is not None else 0
    for replicas in range(wanted, workload.replicas):
        taken = max(0, len(seen.pods_of(revision)) - replicas - surge)
        if seen.ready(revision) - taken >= min(floor, replicas):
            return replicas
    return max(wanted, workload.replicas)


def _find_room(state: State, workload: Workload) -> State:
    """A restart that adds a pod first never ends where there is no place for one."""
    waiting = _without_place(state, workload)
    why = f"pod {waiting.name}: {waiting.message}" if waiting is not None else ""
    if not why and _is_forbidden(state, workload):
        why = workload.failure
    if not why or _hindrance(state) or not workload.intact:
        return state
    version, pace = state.version_of(state.stable), _pace(state, stuck=True)
    over = waiting is None or (restart_deadline(state) or 0.0) <= 0
    if over and not pace.surge and pace != workload.pace:
        intent = RestartWorkload(workload.revision, workload.restarted, pace)
        return state.say(
            "Swapping",
            f"No room for another pod of {version} while it is restarted, so its pods make way "
            f"first, {pace.unavailable} at a time: {why}",
            warning=True,
        ).change(restarts=(intent,))
    if state.release is not None or state.waiting:
        return state
    ready = f"{state.seen.ready(state.stable)} of {state.replicas} pods ready"
    cure = ""
    if state.seen.spec.strategy.capacity is Capacity.SURGE:
        cure = " With spec.strategy.capacity Auto or Swap its pods make way first."
    return state.wait(
        f"{version} serves with {ready}, and its restart finds no room: {why.rstrip('.')}.{cure}"
    )


def _without_place(state: State, workload: Workload) -> Pod | None:
    """The oldest pod beyond the replicas, which only a restart adds, if no node takes it."""
    pods = state.seen.pods_of(workload.revision)
    waiting = [each for each in pods if each.waiting == UNSCHEDULABLE]
    if not workload.restarted or not waiting or len(pods) <= workload.replicas:
        return None
    return min(waiting, key=lambda each: (each.created, each.name))


def _is_forbidden(state: State, workload: Workload) -> bool:
    """Whether all its pods are there, and one more is what may not be created."""
    whole = len(state.seen.pods_of(workload.revision)) >= workload.replicas
    return bool(workload.restarted and workload.failure and whole)


def _pace(state: State, *, stuck: bool) -> Pace:
    spec = state.seen.spec
    capacity = spec.strategy.capacity
    if capacity is Capacity.SWAP or (capacity is Capacity.AUTO and stuck):
        return Pace(0, max(1, state.replicas - ready_floor_of(spec)))
    return Pace(surge_of(spec), unavailable_of(spec))


def _hindrance(state: State) -> str:
    release = state.release
    if release is not None and release.stage != "Watching":
        return f"until the release of {release.version} moves no traffic any more"
    return "while spec.suspend is true" if state.seen.spec.suspend else ""


def _once(state: State, reason: str, message: str) -> State:
    """Say it, unless it is among the last decisions already."""
    if any(each.message == message for each in state.seen.status.decisions):
        return state
    return state.say(reason, message)

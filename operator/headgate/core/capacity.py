"""Swapping: a release where no device is to spare (`strategy.capacity` Swap, and Auto once there is
no room).

Pods of one side are taken away first, never below the ready floor, and pods of the other are only
added when those are really gone: a terminating pod still holds its device. So there are never more
pods than replicas, terminating ones included. `make_room` decides, `swapped` and `grown` say how
many pods follow.

replicas 4, ready floor 3        stable + candidate
step of 50 %                     4+0 → 3+0 → 3+1 → 2+1 → 2+2
replicas 1, ready floor 0        1+0 → 0+0 → 0+1
"""

from __future__ import annotations

from headgate.api.strategy import Capacity
from headgate.core.observation import Pod
from headgate.core.reverting import revert
from headgate.core.settings import ready_floor_of, scheduling_timeout_of
from headgate.core.state import State
from headgate.core.steps import steps_of
from headgate.core.timing import for_people, to_seconds, to_text
from headgate.core.weights import Split

UNSCHEDULABLE = "Unschedulable"


def make_room(state: State) -> State:
    """Turn Auto to swapping when the candidate's pods find no room; when swapping has not helped
    either, revert."""
    release, spec = state.release, state.seen.spec
    if release is None or spec.strategy.capacity is Capacity.SURGE or state.stable is None:
        return state
    if release.stage not in ("Starting", "Stepping", "Promoting"):
        return state
    reason, why = _no_room(state)
    if not reason:
        return state
    if state.swaps:
        return revert(
            state,
            reason,
            f"no room for its pods, though those of {state.version_of(state.stable)} make way: "
            f"{why}",
        )
    if release.stage == "Stepping" and release.settled:
        # The step's pods were there: this one was lost, and swapping would change what is judged.
        return state
    now = to_text(state.now)
    steps = release.steps if release.direct else len(steps_of(spec, swapping=True))
    return state.proceed(swapping=now, progressed=now, kept=0, steps=steps).say(
        "Swapping",
        f"No room for the pods of {release.version} beside those of "
        f"{state.version_of(state.stable)}, which now make way one after the other: {why}",
        warning=True,
    )


def room_deadline(state: State) -> float | None:
    """Seconds until an unschedulable pod of the candidate calls for something else."""
    if state.candidate is None or state.seen.spec.strategy.capacity is Capacity.SURGE:
        return None
    timeout = scheduling_timeout_of(state.seen.spec)
    left = [timeout - _waited(state, pod) for pod in _unschedulable(state)]
    release = state.release
    if release is not None and _failure(state):
        left.append(timeout - state.since(release.progressed))
    return min(left, default=None)


def swapped(state: State, target: Split) -> Split:
    """As far towards the target as the ready floor and the pods that are gone allow now."""
    seen, replicas = state.seen, state.replicas
    floor = ready_floor_of(seen.spec)
    stable_now, candidate_now = _current(state, state.stable), _current(state, state.candidate)
    # Ready pods of the other side only count while they get traffic too.
    shared = seen.live is not None and seen.live.revision is None
    if target.stable < stable_now:
        needed = floor - (seen.ready(state.candidate) if shared else 0)
        stable = max(target.stable, min(stable_now, needed))
    else:
        stable = grown(state, state.stable, target.stable)
    if target.candidate < candidate_now:
        needed = floor - seen.ready(state.stable) if shared else 0
        candidate = max(target.candidate, min(candidate_now, needed))
    else:
        # A pod that finds no place goes, and comes anew when a place is free.
        placed = [each for each in seen.pods_of(state.candidate) if each.waiting != UNSCHEDULABLE]
        # What stable grows into, restored after it was deleted by hand, is not free twice.
        taken = max(0, stable - max(stable_now, len(seen.pods_of(state.stable))))
        room = _room(state, state.candidate) - taken
        candidate = max(min(len(placed), candidate_now), min(target.candidate, max(0, room)))
    return Split(min(stable, replicas), min(candidate, replicas))


def grown(state: State, revision: str | None, wanted: int) -> int:
    """The pods of a revision, more of them only where others are gone."""
    now = _current(state, revision)
    return max(min(now, wanted), min(wanted, _room(state, revision)))


def _room(state: State, revision: str | None) -> int:
    """Pods that a revision may have without there being more than replicas; every pod of another
    one counts until it is gone, and so does each of its own that is on its way out."""
    seen = state.seen
    others = {pod.revision for pod in seen.pods} | {each.revision for each in seen.workloads}
    others.discard(revision or "")
    held = sum(max(_current(state, each), len(seen.pods_of(each))) for each in others)
    return state.replicas - held - sum(1 for pod in seen.pods if pod.terminating)


def _current(state: State, revision: str | None) -> int:
    workload = state.seen.workload(revision)
    return workload.replicas if workload is not None else 0


def _no_room(state: State) -> tuple[str, str]:
    """Why the candidate's pods find no room, as a word and a sentence, once that has lasted."""
    release = state.release
    assert release is not None
    timeout = scheduling_timeout_of(state.seen.spec)
    failure = _failure(state)
    if failure and (not state.swaps or state.since(release.progressed) >= timeout):
        return "QuotaExceeded", failure.rstrip(".")
    for pod in _unschedulable(state):
        waited = _waited(state, pod)
        if waited >= timeout:
            said = pod.message.rstrip(".")
            return UNSCHEDULABLE, f"pod {pod.name} for {for_people(waited)}: {said}"
    return "", ""


def _waited(state: State, pod: Pod) -> float:
    """Seconds for which a pod has found no place, since others make way if they do."""
    release = state.release
    assert release is not None
    return state.now - max(pod.created, to_seconds(release.swapping))


def _unschedulable(state: State) -> list[Pod]:
    pods = [*state.seen.pods_of(state.candidate)]
    if pods and not state.swaps:
        # Stable's, grown back beside a candidate after a lost status, may be the ones without room.
        pods += state.seen.pods_of(state.stable)
    waiting = [pod for pod in pods if pod.waiting == UNSCHEDULABLE]
    return sorted(waiting, key=lambda each: each.name)


def _failure(state: State) -> str:
    """What forbids to create the candidate's pods; pods on their way out will make room."""
    workload = state.seen.workload(state.candidate)
    leaving = any(pod.terminating for pod in state.seen.pods)
    return "" if workload is None or leaving else workload.failure

"""What should be there now: pods of each revision, the live Service's traffic, the role Services.

`targets` are the pods that the current stage is heading for; `desire` is the next safe stretch of
the way: never more pods than replicas + maxSurge, never fewer ready than replicas − maxUnavailable
(design §3). A revert is the exception: it pins first and asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate.core.adoption import inherits
from headgate.core.capacity import UNSCHEDULABLE, grown, swapped
from headgate.core.keeping import kept_now
from headgate.core.observation import INHERITED, NOWHERE
from headgate.core.restarting import shrunk
from headgate.core.reverting import LONGEST_UNPINNED_REVERT, is_bad
from headgate.core.settings import ready_floor_of, revert_floor_of, surge_of, unavailable_of
from headgate.core.state import State
from headgate.core.steps import previewed
from headgate.core.weights import Split


@dataclass(frozen=True)
class Desire:
    """Replicas by revision (what is not named goes away), and the revision that each Service
    selects; `traffic` None is widened to both sides."""

    replicas: Mapping[str, int]
    traffic: str | None
    roles: Mapping[str, str]
    at_once: frozenset[str] = field(default_factory=frozenset)


def desire(state: State) -> Desire:
    """The next safe stretch from here to the stage's targets."""
    release = state.release
    if release is not None and release.stage == "Reverting":
        return _reverting(state)
    candidate = state.candidate
    replicas: dict[str, int] = {}
    if candidate is None:
        if state.stable is not None:
            replicas[state.stable] = shrunk(state, state.stable, state.replicas)
        if state.previous is not None:
            replicas[state.previous] = kept_now(state)
    else:
        pods = _next_pods(state)
        if state.stable is not None:
            replicas[state.stable] = shrunk(state, state.stable, pods.stable)
        replicas[candidate] = pods.candidate
    return Desire(replicas=replicas, traffic=_traffic(state), roles=_roles(state))


def targets(state: State) -> Split:
    """The pods of stable and candidate that the current stage is heading for."""
    release, step, wanted = state.release, state.step, state.replicas
    assert release is not None
    if state.stable is None:
        return Split(0, wanted)
    if release.stage == "Promoting":
        return Split(0 if state.swaps else release.kept, wanted)
    if release.stage == "Stepping":
        # At 100 % the spec has lost the step that the release stood at: it goes on from there.
        gone_on = step.weight == 100 and wanted > 0
        return _standing(state) if gone_on else step.split
    if state.swaps:
        return previewed(state.seen.spec, max(1, step.split.candidate), swapping=True)
    if step.weight == 0:
        return step.split
    if not step.shared:
        return Split(wanted, step.split.candidate)
    least, most = wanted - unavailable_of(state.seen.spec), wanted + surge_of(state.seen.spec)
    stable = wanted if surge_of(state.seen.spec) else max(step.split.stable, least)
    return Split(stable, max(1, min(step.split.candidate, most - stable)))


def _next_pods(state: State) -> Split:
    """As far towards the targets as surge and unavailability allow in this pass."""
    seen, target, spec = state.seen, targets(state), state.seen.spec
    if state.swaps:
        return swapped(state, target)
    stable_now = _current(state, state.stable)
    candidate_now = _current(state, state.candidate)
    release = state.release
    assert release is not None
    if release.stage != "Stepping" or not state.step.shared:
        # A preview and a promotion bring up a whole second side: the old one is kept to go back.
        stable = max(target.stable, stable_now if release.stage == "Promoting" else 0)
        candidate = target.candidate
        if _widened(state) and release.stage == "Starting":
            candidate = max(target.candidate, candidate_now)
        elif _widened(state) and release.stage == "Stepping":
            # The strategy has just become one that shares nothing: first stable takes it all.
            candidate = candidate_now
        elif release.stage == "Starting" and state.step.shared:
            # Without surge a stable pod has to go before there is room for the first candidate; and
            # after a lost status pods of the candidate before stable grows back.
            most = state.replicas + surge_of(spec)
            candidate_room = most - _taken(state, state.stable)
            candidate = min(candidate, max(candidate_now, candidate_room))
            stable_room = most - _taken(state, state.candidate)
            stable = min(stable, max(stable_now, stable_room))
        return Split(stable if state.stable else 0, candidate)
    least, most = state.replicas - unavailable_of(spec), state.replicas + surge_of(spec)
    stable = target.stable
    if target.stable < stable_now:
        whole = seen.ready(state.stable) >= stable_now
        # Before traffic is shared, after a load test for example, ready candidates serve nobody.
        helping = seen.ready(state.candidate) if _traffic(state) is None else 0
        spare = max(target.stable, least - helping)
        stable = min(stable_now, spare) if whole else stable_now
    elif target.stable > stable_now:
        # A step to a lower weight.
        room = most - _taken(state, state.candidate)
        stable = max(stable_now, min(target.stable, room))
    candidate = target.candidate
    if target.candidate > candidate_now:
        room = most - _taken(state, state.stable)
        candidate = max(candidate_now, min(target.candidate, room))
    elif target.candidate < candidate_now:
        needed = least - seen.ready(state.stable)
        candidate = max(target.candidate, min(candidate_now, needed))
    return Split(stable, candidate)


def _standing(state: State) -> Split:
    return Split(_current(state, state.stable), _current(state, state.candidate))


def _taken(state: State, revision: str | None) -> int:
    """Pods that take room; one too many that finds no place, as of a restart where there is none to
    spare, takes none, and nobody waits for it."""
    placed = [each for each in state.seen.pods_of(revision) if each.waiting != UNSCHEDULABLE]
    return max(_current(state, revision), len(placed))


def _current(state: State, revision: str | None) -> int:
    workload = state.seen.workload(revision)
    return workload.replicas if workload is not None else 0


def _traffic(state: State) -> str | None:
    """Pinned to stable, or widened while a step shares traffic and no third revision has pods."""
    release = state.release
    if state.stable is None:
        return INHERITED if inherits(state) else NOWHERE
    if state.candidate is None or release is None:
        return state.stable
    if state.seen.strangers((state.stable, state.candidate)):
        return state.stable
    if release.stage == "Promoting":
        # Swapped pods of both sides serve together, whatever the strategy: neither is whole.
        together = _widened(state) or (state.swaps and _both_ready(state))
        return None if release.weight or together else state.stable
    if release.stage != "Stepping" or not state.step.shared:
        return None if _widened(state) and _short_of_stable(state) else state.stable
    if _widened(state):
        return None
    # After a step with more pods than this one (a load test) the surplus has to go first; stable
    # may lack pods where the Service was deleted while they changed.
    standing, split = _standing(state), state.step.split
    surplus = max(standing.candidate, state.seen.ready(state.candidate)) > split.candidate
    fits = not surplus and standing.stable >= split.stable
    return None if _both_ready(state) and fits else state.stable


def _both_ready(state: State) -> bool:
    return bool(state.seen.ready(state.stable) and state.seen.ready(state.candidate))


def _widened(state: State) -> bool:
    return state.seen.live is not None and state.seen.live.revision is None


def _short_of_stable(state: State) -> bool:
    """After a lost status traffic may still be shared: it stays so until stable can take it all, or
    while pods are swapped as much as their ready floor asks for."""
    spec = state.seen.spec
    least = state.replicas - unavailable_of(spec)
    if state.swaps:
        least = max(1, ready_floor_of(spec))
    return state.seen.ready(state.stable) < least and state.seen.ready(state.candidate) > 0


def _roles(state: State) -> Mapping[str, str]:
    return {"stable": state.stable or NOWHERE, "candidate": state.candidate or NOWHERE}


def _reverting(state: State) -> Desire:
    """Pin and take the candidate away in one pass; below the floor, pod by pod."""
    release, stable = state.release, state.stable
    assert release is not None
    assert stable is not None
    replicas = {stable: _coming_back(state, stable)}
    candidate = release.revision
    bad = is_bad(state)
    pinned = state.seen.live is not None and state.seen.live.revision == stable
    if pinned or _may_pin(state, bad):
        return Desire(
            replicas=replicas,
            traffic=stable,
            roles={"stable": stable, "candidate": NOWHERE},
            at_once=frozenset({candidate}) if bad else frozenset(),
        )
    # One candidate pod goes for each stable pod that became ready; the last one at the pin.
    current = _current(state, candidate)
    if _cramped(state):
        # Its pods hold the places that stable needs: all above the floor make way at once.
        floor = _floor(state, bad) if state.seen.ready(candidate) else 0
        replicas[candidate] = min(current, max(0, floor - state.seen.ready(stable)))
    elif current or state.seen.workload(candidate) is not None:
        replicas[candidate] = min(current, max(1, state.replicas - state.seen.ready(stable)))
    return Desire(
        replicas=replicas,
        traffic=None if not state.seen.strangers((stable, candidate)) else candidate,
        roles={"stable": stable, "candidate": candidate},
    )


def _coming_back(state: State, stable: str) -> int:
    """Pods of the stable version during a revert: all of them at once, or, where the candidate's
    pods hold their places, as those go. A pod that hangs must not hold up the revert for ever."""
    release = state.release
    assert release is not None
    if not state.swaps or state.since(release.decided) >= LONGEST_UNPINNED_REVERT:
        return state.replicas
    return grown(state, stable, state.replicas)


def _may_pin(state: State, bad: bool) -> bool:
    release = state.release
    assert release is not None
    ready = state.seen.ready(state.stable)
    if ready == 0:
        # A Service that somebody deleted comes back pinned, unless the candidate served and still
        # can: what never had live traffic may not have been checked.
        serves = release.weight and state.seen.ready(release.revision)
        return state.seen.live is None and not serves
    if ready >= min(_floor(state, bad), state.replicas):
        return True
    if state.seen.ready(release.revision) == 0:
        return True
    return bad and state.since(release.decided) >= LONGEST_UNPINNED_REVERT


def _floor(state: State, bad: bool) -> int:
    """A bad version is left with half the pods ready; one that is only unwanted leaves without
    costing capacity."""
    spec = state.seen.spec
    floor = revert_floor_of(spec)
    if _cramped(state):
        kept = ready_floor_of(spec)
        return min(floor, kept) if bad else kept
    return floor if bad else max(floor, state.replicas - unavailable_of(spec))


def _cramped(state: State) -> bool:
    """Whether one side has to make way for the other. After a lost status only stable's pods, which
    find no place, tell of it."""
    return state.swaps or any(
        pod.waiting == UNSCHEDULABLE for pod in state.seen.pods_of(state.stable)
    )


def unpinned_deadline(state: State) -> float | None:
    """Seconds until a revert pins to whatever stable pods are ready."""
    release = state.release
    if release is None or release.stage != "Reverting":
        return None
    return max(0.0, LONGEST_UNPINNED_REVERT - state.since(release.decided))

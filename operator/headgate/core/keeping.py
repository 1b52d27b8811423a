"""The version before, kept for a while after promotion so that going back is one write.

While the new version is watched its pods are those of `release.kept`. `watch.keepFor` may end that
earlier, or go on after the watch: then there is no release any more, and the state remembers how
many pods are kept until when. The next release ends it.
"""

from __future__ import annotations

from headgate.api.quantities import parse_duration
from headgate.core.settings import keep_for_of, kept_of
from headgate.core.state import State
from headgate.core.timing import to_seconds, to_text


def to_keep(state: State) -> int:
    """Pods of the stable version that stay when another takes its place now."""
    workload = state.seen.workload(state.stable)
    if workload is None or state.swaps:
        return 0
    return min(workload.replicas, kept_of(state.seen.spec))


def kept_now(state: State) -> int:
    """Pods of the previous version that should be there now."""
    release = state.release
    if release is None:
        return state.kept
    return release.kept if _kept_in_watch(state) else 0


def end_watch(state: State, outcome: str, reason: str, message: str) -> State:
    """The watch is over; the previous version stays until its time is over too."""
    release = state.release
    assert release is not None
    end = _end(state)
    keeps = state.previous is not None and kept_now(state) > 0 and not release.direct
    finished = state.finish(outcome, reason, message)
    if not keeps or end is None or state.now >= end:
        return finished.change(previous=None)
    return finished.change(kept=release.kept, kept_until=to_text(end))


def let_go(state: State) -> State:
    """Drop the previous version when its time after the watch is over."""
    if state.release is not None or state.previous is None:
        return state
    if keeping_left(state):
        return state
    message = f"{state.version_of(state.previous)} is not kept any longer."
    return state.say("PreviousRemoved", message).change(previous=None, kept=0, kept_until="")


def keeping_left(state: State) -> float:
    """Seconds until the pods of the previous version go; 0 when none are kept, or when that
    hangs on the watch."""
    if state.previous is None:
        return 0.0
    if state.release is None:
        return max(0.0, to_seconds(state.kept_until) - state.now)
    end = _end(state)
    return max(0.0, end - state.now) if end is not None else 0.0


def _kept_in_watch(state: State) -> bool:
    """A watch may last longer than its duration; only what was asked to be shorter ends earlier."""
    end, spec = _end(state), state.seen.spec
    keep_for = keep_for_of(spec)
    shorter = keep_for is not None and keep_for < parse_duration(spec.watch.duration)
    return end is None or not shorter or state.now < end


def _end(state: State) -> float | None:
    release, keep_for = state.release, keep_for_of(state.seen.spec)
    assert release is not None
    return None if keep_for is None else to_seconds(release.step_started) + keep_for

"""Going back: how a release is given up, and when it has been.

`revert` takes back a version that is bad and remembers it; `withdraw` drops one that is no longer
wanted. Both only decide; `headgate.core.desire` says which pods and which traffic follow, and never
waits for the candidate.
"""

from __future__ import annotations

from headgate.api.status import Rejection
from headgate.core.adoption import what_serves
from headgate.core.intents import MarkRevision
from headgate.core.state import MESSAGE_LENGTH, State
from headgate.core.timing import for_people, to_text

ABORTED = "Aborted"
UNDONE = "Undone"
PEOPLES_REASONS = frozenset({ABORTED, UNDONE})
"""Why a person gives a version up. It is rejected as a bad one is, but costs no capacity."""
REVERT_FAILED = "RevertFailed"
LONGEST_UNPINNED_REVERT = 60.0
"""Seconds after which a revert pins to any ready stable pod, however few, and waits for no pod of
the candidate to be gone."""


def revert(state: State, reason: str, message: str) -> State:
    """Take the release back to the stable version; a first version has nothing to go back to."""
    release = state.release
    assert release is not None
    watching = release.stage == "Watching"
    target = state.previous if watching else state.stable
    if target is None:
        return _nothing_to_go_back_to(state, reason, message)
    state = (
        reject(state, release.revision, release.weight, reason, message)
        .change(stable=target, previous=None)
        .proceed(
            stage="Reverting",
            reason=reason,
            message=message[:MESSAGE_LENGTH],
            decided=to_text(state.now),
        )
    )
    where = f"at {release.weight} %" if release.weight else "before any live traffic"
    return state.say(
        "Reverting",
        f"Taking {release.version} back to {state.version_of(target)} {where}: {message}",
        warning=reason not in PEOPLES_REASONS,
    )


def reject(state: State, revision: str, weight: int, reason: str, message: str) -> State:
    """Remember that a revision is not to be tried again by itself."""
    rejected = Rejection(
        revision=revision,
        version=state.version_of(revision),
        reason=reason,
        message=message[:MESSAGE_LENGTH],
        weight=weight,
        time=to_text(state.now),
    )
    marks = [*state.marks, MarkRevision(revision, rejected=True)]
    known = state.seen.known(revision)
    if revision == state.stable and known is not None and not known.once_stable:
        # A write that failed; once this version is not stable any more nothing makes up for it.
        marks.insert(0, MarkRevision(revision, once_stable=True))
    return state.change(rejected=rejected, marks=tuple(marks))


def _nothing_to_go_back_to(state: State, reason: str, message: str) -> State:
    release = state.release
    assert release is not None
    if release.reason != reason:
        serves = what_serves(state)
        back = f"{serves} goes on" if serves else "there is nothing to go back to"
        state = state.say(
            "FirstVersionFailing",
            f"{release.version} is the first version and {back}: {message}",
            warning=True,
        )
    return state.proceed(failed=True, reason=reason, message=message[:MESSAGE_LENGTH])


def is_bad(state: State) -> bool:
    """Whether the release being reverted is rejected for what it did, not on request."""
    release, rejected = state.release, state.rejected
    return (
        release is not None
        and rejected is not None
        and rejected.revision == release.revision
        and rejected.reason not in PEOPLES_REASONS
    )


def withdraw(state: State, reason: str, message: str) -> State:
    """Drop the candidate because it is no longer wanted; the ready floor is kept throughout."""
    if state.stable is None:
        return state.say(reason, message).finish(reason, reason, message)
    state = state.proceed(
        stage="Reverting", reason=reason, message=message, decided=to_text(state.now)
    )
    return state.say(reason, message)


def conclude(state: State) -> State:
    """Make the revert history once traffic is pinned and the candidate's pods are going."""
    release = state.release
    if release is None or release.stage != "Reverting":
        return state
    seen = state.seen
    pinned = seen.live is not None and seen.live.revision == state.stable
    if not pinned:
        return _tell_not_pinned(state)
    if seen.workload(release.revision) is not None:
        return state
    leaving = any(pod.revision == release.revision for pod in seen.pods)
    if state.swaps and leaving and state.since(release.decided) < LONGEST_UNPINNED_REVERT:
        # Its pods hold the places that others need.
        return state
    rejected = state.rejected is not None and state.rejected.revision == release.revision
    took = for_people(state.since(release.decided))
    if rejected:
        state = state.say(
            "Reverted",
            f"Reverted {release.version}: all traffic is with {state.version_of(state.stable)} "
            f"again, {took} after the decision.",
            warning=is_bad(state),
        )
        outcome = "Reverted" if is_bad(state) else release.reason
        return state.finish(outcome, release.reason, release.message)
    return state.finish(release.reason, release.reason, release.message)


def _tell_not_pinned(state: State) -> State:
    """Say once, and loudly, that going back is not possible: nobody is left to serve instead."""
    release = state.release
    assert release is not None
    told = any(
        each.reason == REVERT_FAILED and each.time >= release.decided
        for each in state.seen.status.decisions
    )
    overdue = state.since(release.decided) >= LONGEST_UNPINNED_REVERT
    ready = state.seen.ready(state.stable)
    if told or not overdue or ready or not state.replicas:
        return state
    back = state.version_of(state.stable)
    return state.say(
        REVERT_FAILED,
        f"{release.version} cannot be taken back to {back}: after"
        f" {for_people(state.since(release.decided))} none of its {state.replicas} pods is ready."
        " It goes back as soon as one is.",
        warning=True,
    )

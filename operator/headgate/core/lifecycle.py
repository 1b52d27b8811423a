"""When a release begins, and when another one takes its place."""

from __future__ import annotations

from headgate.api.status import Release
from headgate.core.freeze import freeze
from headgate.core.keeping import end_watch
from headgate.core.reverting import withdraw
from headgate.core.state import State
from headgate.core.timing import to_text


def supersede(state: State) -> State:
    """End a release whose version the spec no longer asks for."""
    release = state.release
    if release is None or state.seen.revision in (release.revision, release.instead_of):
        return state
    wanted = state.seen.spec.model.version
    if release.stage == "Reverting":
        return state
    if release.stage == "Watching":
        outcome = "Failed" if release.failed else "Promoted"
        message = f"The watch of {release.version} ended early: the spec asks for {wanted}."
        return end_watch(state.say("WatchEnded", message), outcome, "WatchEnded", message)
    if state.seen.revision == state.stable:
        return withdraw(
            state,
            "Aborted",
            f"Dropping {release.version}: the spec asks for the stable version {wanted} again.",
        )
    return withdraw(state, "Superseded", f"Dropping {release.version}: the spec asks for {wanted}.")


def start(state: State) -> State:
    """Begin a release when the spec asks for a version that is neither stable nor rejected."""
    seen, revision = state.seen, state.seen.revision
    if state.release is not None:
        return state
    state = _tell_what_is_missing(state)
    if revision == state.stable:
        return state
    if refused(state):
        return state
    known = seen.known(revision)
    first = state.stable is None
    going_back = known is not None and known.once_stable and not known.rejected
    version = seen.spec.model.version
    if not _serves(state, revision):
        if seen.missing is not None:
            return state.wait(f"{version} is not released: {seen.missing}.")
        if seen.spec.suspend:
            return state.wait(f"{version} is not released while spec.suspend is true.")
        frozen = freeze(state)
        if frozen and not going_back:
            return state.wait(f"{version} is not released in {frozen}.")
        if not first and not going_back and seen.turn is not None and not seen.turn.granted:
            return queue(state, f"{version} waits for its turn: {seen.turn.sentence}.")
    state = begin(state, revision, version, direct=first or going_back)
    if first:
        return state.say("ReleaseStarted", f"Starting the first version, {version}.")
    stable = state.version_of(state.stable)
    if going_back:
        return state.say(
            "ReleaseStarted",
            f"Going back from {stable} to {version}, which was stable before: without steps.",
        )
    kind = seen.spec.strategy.type
    if version == stable:
        return state.say(
            "ReleaseStarted", f"Releasing {version} with another template or ConfigMap ({kind})."
        )
    return state.say("ReleaseStarted", f"Releasing {version} over {stable} ({kind}).")


def _serves(state: State, revision: str) -> bool:
    """Whether a version that was being released still gets live traffic after the status was lost:
    nothing may take that away at once, so nothing keeps its release from beginning anew."""
    live, workload = state.seen.live, state.seen.workload(revision)
    return live is not None and live.revision is None and workload is not None


def _tell_what_is_missing(state: State) -> State:
    """Once, when the stored status does not say it yet."""
    missing = state.seen.missing
    if missing is None or missing in state.seen.status.message:
        return state
    return state.say("ConfigMapMissing", f"{missing}.", warning=True)


def begin(state: State, revision: str, version: str, *, direct: bool) -> State:
    """The first moment of a release; `direct` goes without steps."""
    now = to_text(state.now)
    known = state.seen.known(revision)
    release = Release(
        revision=revision,
        version=version,
        direct=direct,
        # Pods that were kept have served before: going back to them is one write.
        smoked=direct
        and known is not None
        and known.once_stable
        and state.seen.ready(revision) > 0,
        steps=1 if direct else len(state.steps),
        started=now,
        step_started=now,
        progressed=now,
    )
    return state.change(previous=None, kept=0, kept_until="", release=release, counted=None)


def queue(state: State, sentence: str) -> State:
    """Wait for a turn, in the place that was taken first."""
    since = state.seen.status.queued
    if not since:
        state = state.say("Queued", sentence)
    return state.wait(sentence).change(queued=since or to_text(state.now))


def refused(state: State) -> bool:
    """Whether the spec asks for a version that was reverted: nothing retries it by itself."""
    revision = state.seen.revision
    if revision == state.stable:
        return False
    known = state.seen.known(revision)
    by_mark = known is not None and known.rejected
    return by_mark or (state.rejected is not None and state.rejected.revision == revision)

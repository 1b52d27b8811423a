"""Restarting a version's pods because a person asks for it: `spec.restartAt`.

The Deployment replaces the pods under its own strategy, as after `kubectl rollout restart`. It is
no release: the revision stays, and nothing is judged.
"""

from __future__ import annotations

from headgate.core.state import State
from headgate.core.timing import to_seconds


def restart(state: State) -> State:
    """Mark the stable version for a restart that is newer than what its Deployment carries."""
    at, workload = state.seen.spec.restart_at, state.seen.workload(state.stable)
    if at is None or workload is None or to_seconds(at) <= to_seconds(workload.restarted):
        return state
    hindrance = _hindrance(state)
    if hindrance:
        return _once(state, "RestartWaits", f"The restart asked for at {at} waits {hindrance}.")
    if not workload.intact:
        return state
    version = state.version_of(state.stable)
    message = f"Restarting {version}: its Deployment replaces the pods (spec.restartAt {at})."
    return state.say("Restarting", message).change(restart_at=at)


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

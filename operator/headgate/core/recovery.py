"""First link of the chain: what is true, from the status and from the decisions on the Service.

Every traffic write carries its decision in annotations, and the status is written after it. So an
annotation that disagrees with the status is the newer of the two: the operator was killed between
both writes, or the status was lost (a restored namespace).
"""

from __future__ import annotations

from headgate.api.status import Rejection, Release
from headgate.core.observation import INHERITED, NOWHERE, Observation
from headgate.core.settings import kept_of
from headgate.core.state import State
from headgate.core.timing import to_text
from headgate.core.weights import Split


def recover(seen: Observation, now: float) -> State:
    """The state that status, annotations and kept revisions together describe."""
    status = seen.status
    state = State(
        seen=seen,
        now=now,
        stable=status.stable.revision if status.stable else None,
        previous=status.previous.revision if status.previous else None,
        kept=status.previous.replicas if status.previous else 0,
        kept_until=status.previous_until,
        release=status.release,
        rejected=status.rejected,
        action=status.action,
        releases=tuple(status.releases),
    )
    return _adopt_rejection(_adopt_shared(_adopt_stable(state)))


def _adopt_stable(state: State) -> State:
    seen, live = state.seen, state.seen.live
    if live is not None and live.stable and live.stable != state.stable:
        return _believe_service(state, live.stable, live.previous)
    if state.stable is not None:
        return state
    if live is not None and live.revision not in (None, NOWHERE, INHERITED):
        return _believe_service(state, str(live.revision), None)
    served = [each for each in seen.revisions if each.once_stable and not each.rejected]
    running = [each for each in served if seen.workload(each.revision) is not None]
    if not running:
        return state
    newest = max(running, key=lambda each: each.number)
    return _believe_service(state, newest.revision, None)


def _believe_service(state: State, stable: str, previous: str | None) -> State:
    release = state.release
    kept = previous if state.seen.workload(previous) is not None else None
    if release is not None and release.revision == stable:
        release = release.model_copy(
            update={
                "stage": "Watching",
                "weight": 100,
                "kept": _kept(state.seen, kept),
                "evidence": {},
                "step_started": to_text(state.now),
            }
        )
    elif release is None and kept is not None:
        release = Release(
            revision=stable,
            version=state.version_of(stable),
            stage="Watching",
            weight=100,
            kept=_kept(state.seen, kept),
            started=to_text(state.now),
            step_started=to_text(state.now),
            progressed=to_text(state.now),
        )
    state = state.change(stable=stable, previous=kept, release=release)
    return state.say(
        "Recovered",
        f"Took {state.version_of(stable)} as stable from the live Service, because the status "
        "did not say so.",
    )


def _adopt_shared(state: State) -> State:
    """Traffic is shared with a version that the spec does not ask for, or that was rejected: it is
    still being released, so that it leaves as one that is superseded, and costs no capacity."""
    seen, live = state.seen, state.seen.live
    if live is None or live.revision is not None or state.stable is None:
        return state
    others = [
        known
        for known in seen.revisions
        if known.revision != state.stable
        and (known.revision != seen.revision or known.rejected)
        and seen.workload(known.revision) is not None
    ]
    if state.release is not None or not others:
        return state
    newest = max(others, key=lambda each: each.number)
    pods = {each.revision: each.replicas for each in seen.workloads}
    share = Split(pods.get(state.stable, 0), pods[newest.revision]).effective_weight
    now = to_text(state.now)
    release = Release(
        revision=newest.revision,
        version=newest.version,
        stage="Reverting" if newest.rejected else "Stepping",
        reason="Rejected" if newest.rejected else "",
        message="it was rejected before the status was lost" if newest.rejected else "",
        weight=round(share),
        started=now,
        step_started=now,
        progressed=now,
        decided=now if newest.rejected else "",
    )
    return state.change(release=release)


def _adopt_rejection(state: State) -> State:
    live = state.seen.live
    if live is None or not live.rejected:
        return state
    if state.rejected is not None and state.rejected.revision == live.rejected:
        return state
    release = state.release
    weight = release.weight if release is not None else 0
    message = live.reason or "it was rejected before the status was lost"
    reason = message.split(":", 1)[0] if ":" in message else "Rejected"
    rejected = Rejection(
        revision=live.rejected,
        version=state.version_of(live.rejected),
        reason=reason,
        message=message.split(": ", 1)[-1],
        weight=weight,
        time=to_text(state.now),
    )
    if release is not None and release.revision == live.rejected:
        release = release.model_copy(
            update={
                "stage": "Reverting",
                "reason": rejected.reason,
                "message": rejected.message,
                "decided": to_text(state.now),
            }
        )
    state = state.change(rejected=rejected, release=release)
    if release is not None and release.stage == "Reverting" and state.stable is None:
        # A first version that a person gave up: there is nothing to go back to.
        state = state.finish(rejected.reason, rejected.reason, rejected.message)
    return state.say(
        "Recovered",
        f"Took the rejection of {rejected.version} from the live Service: {rejected.message}",
        warning=True,
    )


def _kept(seen: Observation, previous: str | None) -> int:
    """The pods of the version before that are still there and worth keeping."""
    workload = seen.workload(previous)
    return min(workload.replicas, kept_of(seen.spec)) if workload is not None else 0

"""One step forward, when everything that the current step asks for is there; otherwise a sentence
that says what is missing."""

from __future__ import annotations

from headgate.api.judged import OnInconclusive
from headgate.api.quantities import parse_duration
from headgate.api.strategy import OnTimeout
from headgate.core.adoption import inherits, what_serves
from headgate.core.capacity import make_room
from headgate.core.desire import targets
from headgate.core.freeze import freeze
from headgate.core.judging import (
    begin_step,
    evidence_of,
    hold_left,
    hold_of,
    is_inconclusive,
    most_hold_of,
    on_inconclusive,
)
from headgate.core.keeping import to_keep
from headgate.core.promoting import promote, smoke, watch
from headgate.core.reverting import revert
from headgate.core.settings import ready_floor_of
from headgate.core.state import State
from headgate.core.steps import Step, StepKind
from headgate.core.timing import for_people, to_text
from headgate.judge import Verdict


def advance(state: State) -> State:
    """Take the release at most one step further."""
    release = state.release
    if release is None or release.stage == "Reverting":
        return state
    if state.seen.spec.suspend and not (release.direct and release.instead_of):
        return state.wait("spec.suspend is true: no step forward, reverting excepted")
    if state.damaged:
        return state.wait(f"restoring {state.damaged[0]} first")
    state = make_room(state)
    if state.release is None or state.release.stage == "Reverting":
        return state
    if not state.replicas and not _was_checked(state):
        # Promoted without a pod it would go live unchecked once there are replicas.
        return state.wait(f"spec.replicas is 0: no pod of {release.version} can be checked")
    match release.stage:
        case "Starting":
            return _starting(state)
        case "Stepping":
            return _stepping(state)
        case "Promoting":
            return _promoting(state)
        case _:
            return watch(state)


def _starting(state: State) -> State:
    release = state.release
    assert release is not None
    wanted = targets(state).candidate
    ready = state.seen.ready(release.revision)
    if ready < wanted:
        return state.wait(f"{ready} of {wanted} pods of {release.version} are ready")
    workload = state.seen.workload(release.revision)
    if workload is not None and workload.replicas > wanted:
        # After a lost status: with these pods it would get more traffic than the step gives it.
        return state.wait(f"{workload.replicas} pods of {release.version} go down to {wanted}")
    least = targets(state).stable
    if state.stable is not None and state.step.shared and state.seen.ready(state.stable) < least:
        return state.wait(f"{state.seen.ready(state.stable)} of {least} stable pods are ready")
    if not release.smoked and wanted:
        checked = smoke(state)
        if checked.release is None or not checked.release.smoked:
            return checked
        state = checked
    return _go_on(state, len(state.steps) - 1 if release.promoting else 0)


def _was_checked(state: State) -> bool:
    """Whether its checks have passed, in this release or before it once became stable."""
    release = state.release
    assert release is not None
    known = state.seen.known(release.revision)
    return release.smoked or release.revision == state.stable or bool(known and known.once_stable)


def _enter(state: State, index: int) -> State:
    """Enter a step; its pods and its traffic follow from `headgate.core.desire`."""
    release = state.release
    assert release is not None
    step = state.steps[index]
    if step.weight == 100:
        state = state.proceed(stage="Promoting", step=index, kept=to_keep(state))
        if state.stable is not None:
            state = state.say("StepEntered", f"{release.version} goes to 100 %{_way(state)}.")
        return _promoting(state)
    now = to_text(state.now)
    state = state.proceed(
        stage="Stepping",
        step=index,
        settled=False,
        good=0.0,
        weight=max(release.weight, step.weight),
        step_started=now,
    )
    state = begin_step(state)
    where = f"step {index + 1} of {len(state.steps)}"
    return state.say("StepEntered", f"{release.version} {_entered(step)} ({where}).")


def _way(state: State) -> str:
    """What swapping means for a promotion."""
    if not state.swaps or not state.replicas:
        return ""
    stable, floor = state.version_of(state.stable), ready_floor_of(state.seen.spec)
    if state.replicas == 1:
        # With a ready pod of its own it was scaled down to one in the middle.
        ready = state.seen.ready(state.candidate)
        gap = "" if ready else " first, and nothing serves until its own is ready"
        return f"; the pod of {stable} makes way{gap}"
    return f"; pods of {stable} make way, and at least {floor} of both stay ready"


def _entered(step: Step) -> str:
    candidate, both = step.split.candidate, step.split.candidate + step.split.stable
    match step.kind:
        case StepKind.APPROVAL:
            return f"waits for approval at {step.weight} %"
        case StepKind.ANALYSIS:
            return f"stays at {step.weight} % until it has been Good for {for_people(step.hold)}"
        case StepKind.HOLD:
            return f"stays at {step.weight} % for {for_people(step.hold)}"
        case StepKind.SCALE:
            pods = "pod" if candidate == 1 else "pods"
            return f"gets {candidate} {pods} and no live traffic"
        case StepKind.PREVIEW:
            return "is ready beside the live version"
        case _:
            return f"gets {step.weight} % of live traffic with {candidate} of {both} pods"


def _go_on(state: State, index: int, reason: str = "", message: str = "") -> State:
    """Enter a step and say why, unless a freeze window holds the release where it is."""
    frozen = _frozen(state)
    if frozen:
        return state.wait(frozen)
    return _enter(state.say(reason, message) if message else state, index)


def _frozen(state: State) -> str:
    """Why the release goes no further now; going back is always allowed."""
    release = state.release
    assert release is not None
    going_back = release.direct and state.stable is not None
    frozen = "" if going_back else freeze(state)
    return f"{release.version} goes no further in {frozen}" if frozen else ""


def _stepping(state: State) -> State:
    release, step = state.release, state.step
    assert release is not None
    if release.promoting or step.weight == 100:
        if not state.replicas:
            return state.wait("there are no replicas to go on with")
        # A person asked for it, or the spec has fewer steps than when this one was entered.
        return _go_on(state, len(state.steps) - 1)
    missing = _missing_pods(state)
    if missing:
        return state.wait(missing)
    if not release.settled:
        state = begin_step(state.proceed(settled=True, step_started=to_text(state.now)))
        return state.wait(_holding(state))
    if step.approval is not None:
        return _approval(state)
    if step.shared:
        judgement = state.judgement
        if judgement is None or judgement.verdict is not Verdict.GOOD:
            return _without_verdict(state)
        if step.kind is StepKind.ANALYSIS and release.good < step.hold:
            return state.wait(_holding(state))
    elif state.since(release.step_started) < step.hold:
        return state.wait(_holding(state))
    passed = ""
    if step.shared and state.judgement is not None:
        passed = f"{release.version} passed {step.weight} %: {state.judgement.sentence}"
    return _go_on(state, step.index + 1, "StepPassed", passed)


def _without_verdict(state: State) -> State:
    """The step goes on, until it is inconclusive and its author has said what happens then."""
    release, judgement = state.release, state.judgement
    assert release is not None
    wanted = on_inconclusive(state)
    if judgement is None or wanted is OnInconclusive.HOLD or not is_inconclusive(state):
        return state.wait(_holding(state))
    lasted = for_people(evidence_of(state).observed)
    why = f"no clear verdict in {lasted}: {judgement.sentence}"
    if wanted is OnInconclusive.REVERT:
        return revert(state, "Inconclusive", why)
    message = f"{release.version} passes {state.step.weight} % with {why}"
    return _go_on(state, state.step.index + 1, "Inconclusive", message)


def _missing_pods(state: State) -> str:
    """What the step's pods still lack, as a sentence; empty when they are all there."""
    release, step = state.release, state.step
    assert release is not None
    wanted = step.split
    stable, candidate = state.seen.ready(state.stable), state.seen.ready(release.revision)
    at_stable = state.seen.workload(state.stable)
    at_candidate = state.seen.workload(release.revision)
    short = (
        stable < wanted.stable
        or candidate < wanted.candidate
        or at_stable is None
        or at_candidate is None
        or at_stable.replicas != wanted.stable
        or at_candidate.replicas != wanted.candidate
    )
    if short:
        return (
            f"{stable} of {wanted.stable} stable and {candidate} of {wanted.candidate} candidate "
            f"pods are ready for {step.weight} %"
        )
    if step.shared and (state.seen.live is None or state.seen.live.revision is not None):
        others = state.seen.strangers((state.stable, release.revision))
        if others:
            return f"pod {others[0].name} of another version has to end before traffic is shared"
        return "traffic is about to be shared"
    return ""


def _holding(state: State) -> str:
    step = state.step
    release = state.release
    assert release is not None
    if step.approval is not None:
        return f"waiting for approval at {step.weight} %"
    if step.kind is StepKind.ANALYSIS:
        good, whole = for_people(release.good), for_people(step.hold)
        return f"at {step.weight} % until it has been Good for {whole}, so far for {good}"
    if not step.shared:
        left = step.hold - state.since(release.step_started)
        return f"holding {step.weight} % for {for_people(left)} more"
    evidence = evidence_of(state)
    if hold_left(state, evidence) > 0:
        done, whole = for_people(evidence.observed), for_people(hold_of(state))
        return f"holding {step.weight} % for {done} of {whole}"
    left = most_hold_of(state) - evidence.observed
    end = {OnInconclusive.ADVANCE: "goes on", OnInconclusive.REVERT: "is taken back"}.get(
        on_inconclusive(state)
    )
    then = f"; without one it {end} in {for_people(left)}" if end and left > 0 else ""
    return f"the hold at {step.weight} % is over, but the verdict is not Good yet{then}"


def _approval(state: State) -> State:
    release, approval = state.release, state.step.approval
    assert release is not None
    assert approval is not None
    index = state.step.index
    if index + 1 in release.approvals:
        return _go_on(state, index + 1)
    if approval.timeout is None or state.since(release.step_started) < parse_duration(
        approval.timeout
    ):
        return state.wait(_holding(state))
    if approval.on_timeout is OnTimeout.PROMOTE:
        message = f"Nobody answered within {approval.timeout}: going on."
        return _go_on(state, index + 1, "ApprovalTimedOut", message)
    return revert(state, "ApprovalTimedOut", f"nobody approved it within {approval.timeout}")


def _promoting(state: State) -> State:
    release = state.release
    assert release is not None
    if inherits(state) and not state.replicas:
        return state.wait(f"replicas is 0, so {what_serves(state)} goes on")
    ready = state.seen.ready(release.revision)
    workload = state.seen.workload(release.revision)
    if ready < state.replicas or workload is None or workload.replicas != state.replicas:
        return state.wait(f"{ready} of {state.replicas} pods of {release.version} are ready")
    if not release.smoked and state.replicas:
        # There was no room for any of its pods before.
        state = smoke(state)
        if state.release is None or not state.release.smoked:
            return state
    frozen = _frozen(state)
    return state.wait(frozen) if frozen else promote(state)

"""One step forward, when everything that the current step asks for is there; otherwise a sentence
that says what is missing."""

from __future__ import annotations

from headgate.api.quantities import parse_duration
from headgate.api.strategy import OnTimeout, StrategyType
from headgate.core.adoption import inherits, what_serves
from headgate.core.capacity import make_room
from headgate.core.desire import targets
from headgate.core.freeze import freeze
from headgate.core.intents import MarkRevision
from headgate.core.judging import begin_step, evidence_of, hold_left, hold_of
from headgate.core.keeping import end_watch, kept_now
from headgate.core.reverting import UNDONE, reject, revert
from headgate.core.settings import kept_of, ready_floor_of
from headgate.core.state import State
from headgate.core.steps import Step, StepKind
from headgate.core.timing import for_people, to_text
from headgate.judge import Evidence, Verdict, throughput


def advance(state: State) -> State:
    """Take the release at most one step further."""
    release = state.release
    if release is None or release.stage == "Reverting":
        return state
    if state.seen.spec.suspend:
        return state.wait("spec.suspend is true: no step forward, reverting excepted")
    if state.damaged:
        return state.wait(f"restoring {state.damaged[0]} first")
    state = make_room(state)
    if state.release is None or state.release.stage == "Reverting":
        return state
    match release.stage:
        case "Starting":
            return _starting(state)
        case "Stepping":
            return _stepping(state)
        case "Promoting":
            return _promoting(state)
        case _:
            return _watching(state)


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
        checked = _smoke(state)
        if checked.release is None or not checked.release.smoked:
            return checked
        state = checked
    return _go_on(state, len(state.steps) - 1 if release.promoting else 0)


def _smoke(state: State) -> State:
    """The smoke checks, before any live traffic or, while watching, right after the switch."""
    release, smoke = state.release, state.seen.smoke
    assert release is not None
    live = release.stage == "Watching"
    where = " after the switch" if live else ""
    if smoke is None or (smoke.revision, smoke.after_switch) != (release.revision, live):
        return state.change(smoke_wanted=True).wait(
            f"checking health and smoke predictions of {release.version}{where}"
        )
    if smoke.passed:
        state = state.proceed(checked=True) if live else state.proceed(smoked=True)
        return state.say(
            "SmokePassed", f"{release.version} passed its checks{where}: {smoke.sentence}"
        )
    state = revert(state, "SmokeFailed", f"{smoke.sentence}{where}")
    return state.wait(f"{release.version} failed its checks{where}: {smoke.sentence}")


def _checked_after_switch(state: State) -> bool:
    """Whether nothing is left to be checked after a blue/green switch; going back checks nothing
    anew."""
    release, strategy = state.release, state.seen.spec.strategy
    assert release is not None
    if strategy.type is not StrategyType.BLUE_GREEN or strategy.blue_green is None:
        return True
    if release.direct or release.checked or not state.replicas:
        return True
    return not strategy.blue_green.check_after_switch


def _enter(state: State, index: int) -> State:
    """Enter a step; its pods and its traffic follow from `headgate.core.desire`."""
    release = state.release
    assert release is not None
    step = state.steps[index]
    if step.weight == 100:
        workload = state.seen.workload(state.stable)
        kept = min(workload.replicas if workload else 0, kept_of(state.seen.spec))
        kept = 0 if state.swaps else kept
        state = state.proceed(stage="Promoting", step=index, kept=kept)
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
        return f"; the pod of {stable} makes way first, and nothing serves until its own is ready"
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
            return state.wait(_holding(state))
        if step.kind is StepKind.ANALYSIS and release.good < step.hold:
            return state.wait(_holding(state))
    elif state.since(release.step_started) < step.hold:
        return state.wait(_holding(state))
    passed = ""
    if step.shared and state.judgement is not None:
        passed = f"{release.version} passed {step.weight} %: {state.judgement.sentence}"
    return _go_on(state, step.index + 1, "StepPassed", passed)


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
    return f"the hold at {step.weight} % is over, but the verdict is not Good yet"


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
        state = _smoke(state)
        if state.release is None or not state.release.smoked:
            return state
    frozen = _frozen(state)
    return state.wait(frozen) if frozen else _promote(state)


def _promote(state: State) -> State:
    """The switch: from this pass on the candidate is the stable version."""
    release = state.release
    assert release is not None
    before = throughput(evidence_of(state))
    old = state.stable
    workload = state.seen.workload(old)
    kept = min(release.kept, workload.replicas if workload is not None else 0)
    state = (
        _give_up_undone(state)
        .change(
            stable=release.revision,
            previous=old,
            marks=(*state.marks, MarkRevision(release.revision, once_stable=True)),
            # It spoke of the step before; the watch has its own.
            judgement=None,
        )
        .proceed(
            stage="Watching",
            kept=kept,
            weight=100,
            settled=True,
            throughput_before=before,
            step_started=to_text(state.now),
        )
    )
    state = begin_step(state)
    message = f"{release.version} is the stable version now and gets all live traffic"
    if old is not None and state.replicas and not kept:
        message += f"; no pod of {state.version_of(old)} is kept, so going back needs a start"
    state = state.say("Promoted", f"{message}.")
    if not _checked_after_switch(state):
        # What was found before the switch does not count.
        return state.change(smoke_wanted=True)
    return _watching(state)


def _give_up_undone(state: State) -> State:
    """Once the version that a person went back to serves, the one in the spec is given up."""
    release = state.release
    assert release is not None
    given_up = release.instead_of
    if not given_up or given_up != state.stable:
        return state
    state = reject(state, given_up, 100, UNDONE, release.message)
    return state.proceed(reason="", message="")


def _watching(state: State) -> State:
    if not _checked_after_switch(state):
        state = _smoke(state)
        if not _checked_after_switch(state):
            return state
    release = state.release
    assert release is not None
    evidence = evidence_of(state)
    going_back = release.direct and state.previous is not None
    quiet = _is_quiet(state, evidence)
    # Nobody is watched by anybody: only the clock can end it.
    empty = not state.replicas and state.since(release.step_started) >= hold_of(state)
    left = 0.0 if going_back or quiet or empty else hold_left(state, evidence)
    holding = next((name for name, held in evidence.held.items() if held > 0), None)
    if left > 0:
        watched, whole = for_people(hold_of(state) - left), for_people(hold_of(state))
        back = "; going back needs a start" if state.previous and not kept_now(state) else ""
        return state.wait(f"watching {release.version} for {watched} of {whole}{back}")
    if holding is not None and state.previous is not None and not going_back:
        return state.wait(f"the watch goes on while {holding} holds")
    message = f"{release.version} is released."
    if release.failed:
        message = f"{release.version} stays, but a rule failed while it was watched."
    elif quiet:
        message = f"{release.version} is released; no request was counted, so nothing was judged."
    state = state.say("ReleaseEnded", message, warning=release.failed)
    outcome = "Failed" if release.failed else "Promoted"
    return end_watch(state, outcome, outcome, message)


def _is_quiet(state: State, evidence: Evidence) -> bool:
    """Whether Prometheus answers, but nobody has called the version in its whole watch: nothing
    more will be known by waiting."""
    release, sample = state.release, state.seen.sample
    assert release is not None
    answered = sample is not None and sample.outage is None and sample.at == evidence.at
    return (
        answered
        and evidence.candidate.requests == 0
        and state.since(release.step_started) >= hold_of(state)
    )

"""The switch to 100 %, the watch after it, and the smoke checks that come before and after.

`headgate.core.advancing` calls it when a release has come to its last step.
"""

from __future__ import annotations

from headgate.api.strategy import StrategyType
from headgate.core.intents import MarkRevision
from headgate.core.judging import begin_step, evidence_of, hold_left, hold_of
from headgate.core.keeping import end_watch, kept_now, to_keep
from headgate.core.reverting import UNDONE, reject, revert
from headgate.core.state import State
from headgate.core.timing import for_people, to_text
from headgate.judge import Evidence, throughput


def promote(state: State) -> State:
    """The switch: from this pass on the candidate is the stable version."""
    release = state.release
    assert release is not None
    before = throughput(evidence_of(state))
    old = state.stable
    # Not what was to be kept at the step's beginning: the capacity may have become another.
    kept = to_keep(state)
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
    return watch(state)


def _give_up_undone(state: State) -> State:
    """Once the version that a person went back to serves, the one in the spec is given up."""
    release = state.release
    assert release is not None
    given_up = release.instead_of
    if not given_up or given_up != state.stable:
        return state
    state = reject(state, given_up, 100, UNDONE, release.message)
    return state.proceed(reason="", message="")


def watch(state: State) -> State:
    """One look at the promoted version; the release ends when its watch is over."""
    if not _checked_after_switch(state):
        state = smoke(state)
        if not _checked_after_switch(state):
            return state
    release = state.release
    assert release is not None
    evidence = evidence_of(state)
    going_back = release.direct and state.previous is not None
    quiet = _is_quiet(state, evidence)
    # Nobody is watched by anybody: only the clock can end it.
    empty = not state.replicas and state.since(release.step_started) >= hold_of(state)
    over = going_back or quiet or empty or not hold_of(state)
    left = 0.0 if over else hold_left(state, evidence)
    holding = next((name for name, held in evidence.held.items() if held > 0), None)
    if left > 0:
        watched, whole = for_people(hold_of(state) - left), for_people(hold_of(state))
        back = "; going back needs a start" if state.previous and not kept_now(state) else ""
        return state.wait(f"watching {release.version} for {watched} of {whole}{back}")
    if not over and not evidence.counted:
        return state.wait(f"watching {release.version}: no poll has counted its requests yet")
    if holding is not None and state.previous is not None and not going_back and not empty:
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
    more will be known by waiting. The whole watch is what polls saw of it, not what the clock says:
    the operator may have been away."""
    sample = state.seen.sample
    answered = sample is not None and sample.outage is None and sample.at == evidence.at
    return (
        answered
        and (evidence.counted or bool(evidence.unknown))
        and evidence.candidate.requests == 0
        and evidence.observed + evidence.idle >= hold_of(state)
    )


def smoke(state: State) -> State:
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

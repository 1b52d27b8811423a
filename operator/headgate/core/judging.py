"""Where metrics meet the plan: count the newest sample, judge, and act on a Bad verdict."""

from __future__ import annotations

from dataclasses import replace

from headgate.api.analysis import BY_SERVICE, OnProviderDown
from headgate.api.judged import OnInconclusive
from headgate.api.quantities import parse_duration
from headgate.core.attribution import count
from headgate.core.reverting import revert
from headgate.core.settings import judge_settings
from headgate.core.state import State
from headgate.core.steps import StepKind
from headgate.judge import (
    INCONCLUSIVE,
    CheckKind,
    Evidence,
    Judgement,
    JudgeSettings,
    Stage,
    Verdict,
    begin,
    judge,
    when_inconclusive,
)

INCONCLUSIVE_HOLDS = 4
"""Holds after which a step is inconclusive, unless its author says how long."""


def evidence_of(state: State) -> Evidence:
    """The counts of the current step; a foreign or lost state begins anew."""
    if state.counted is not None:
        return state.counted
    release = state.release
    assert release is not None
    try:
        return Evidence.from_dict(release.evidence) if release.evidence else begin(state.now, None)
    except ValueError:
        return begin(state.now, None)


def begin_step(state: State) -> State:
    """Begin counting anew. The pods' raw counters stay, so that no request is counted twice, and
    so does how long each condition has held: it may hold across steps."""
    before = evidence_of(state)
    evidence = replace(begin(state.now, before), held=before.held)
    return state.proceed(evidence=evidence.to_dict()).change(counted=evidence)


def judge_release(state: State) -> State:
    """Count the newest sample and judge it; a Bad verdict reverts, whenever it is found."""
    release = state.release
    if release is None or release.stage == "Reverting":
        return state
    settings = judge_settings(state.seen.spec, state.seen.scrape_interval)
    stage = stage_of(state)
    evidence = before = evidence_of(state)
    sample = state.seen.sample
    if sample is not None and (evidence.at is None or sample.at > evidence.at):
        evidence = count(state, evidence, sample, settings, stage)
    if evidence is not before or not release.evidence:
        state = state.proceed(evidence=evidence.to_dict())
    state = state.change(counted=evidence)
    if release.stage == "Starting":
        return state
    if not _is_told_apart(state):
        sentence = f"{state.seen.spec.analysis.runtime} counts both versions together"
        nothing = Judgement(Verdict.NOT_APPLICABLE, "CountedTogether", sentence)
        return state.change(judgement=nothing)
    if not _gets_traffic(state):
        nothing = Judgement(
            Verdict.NOT_APPLICABLE, "NoTraffic", "the candidate gets no live traffic yet"
        )
        return state.change(judgement=nothing)
    return _act(_count_good(_judged(state, evidence, settings), before, evidence))


def _count_good(state: State, before: Evidence, evidence: Evidence) -> State:
    """Add what was observed since the poll before to the time that an analysis step has been
    Good. An Unknown verdict adds nothing and takes nothing away."""
    release, judgement = state.release, state.judgement
    assert release is not None
    analysed = release.stage == "Stepping" and release.settled
    good = judgement is not None and judgement.verdict is Verdict.GOOD
    if not analysed or not good or state.step.kind is not StepKind.ANALYSIS:
        return state
    return state.proceed(good=release.good + max(0.0, evidence.observed - before.observed))


def stage_of(state: State) -> Stage:
    """Where the release stands, in the judge's words."""
    release = state.release
    assert release is not None
    watching = release.stage == "Watching"
    shared = _gets_traffic(state) and _is_told_apart(state) and not watching
    return Stage(
        compared=shared
        and state.seen.ready(state.stable) > 0
        and state.seen.ready(release.revision) > 0,
        watching=watching,
        throughput_applies=watching and release.throughput_before is not None,
        throughput_before=release.throughput_before,
        hold_over=hold_left(state, evidence_of(state)) <= 0,
    )


def hold_left(state: State, evidence: Evidence) -> float:
    """Seconds that still have to be observed in this step or watch."""
    return max(0.0, hold_of(state) - evidence.observed)


def most_hold_of(state: State) -> float:
    """Seconds of a judged step after which a verdict that is not clear yet is inconclusive."""
    longest = state.seen.spec.analysis.max_hold
    if longest is not None:
        return parse_duration(longest)
    step = state.step
    return INCONCLUSIVE_HOLDS * (step.hold if step.kind is StepKind.ANALYSIS else hold_of(state))


def is_inconclusive(state: State) -> bool:
    """Whether the step has gone on for that long, with measurements, and they are too few or too
    ambiguous for a verdict."""
    judgement = state.judgement
    if judgement is None or judgement.verdict is not Verdict.UNKNOWN:
        return False
    lasted = max(hold_of(state), most_hold_of(state))
    return judgement.reason in INCONCLUSIVE and evidence_of(state).observed >= lasted


def on_inconclusive(state: State) -> OnInconclusive:
    """What the author wants to become of the step if its verdict stays unclear."""
    otherwise = judge_settings(state.seen.spec).policy.on_inconclusive
    return when_inconclusive(state.judgement.checks if state.judgement else (), otherwise)


def hold_unseen(state: State) -> float | None:
    """Seconds from now until a poll would find the hold over; None when no poll ends one."""
    release = state.release
    if release is None or release.stage not in ("Stepping", "Watching"):
        return None
    if release.stage == "Stepping" and not (release.settled and state.step.shared):
        return None
    evidence = evidence_of(state)
    counted = max(evidence.since, evidence.at or 0.0)
    left = hold_left(state, evidence) - (state.now - counted)
    return left if left > 0 else None


def hold_of(state: State) -> float:
    """Seconds that this step or watch is to be observed; a judged step at least one interval."""
    release = state.release
    assert release is not None
    if release.stage == "Watching":
        return parse_duration(state.seen.spec.watch.duration)
    step = state.step
    if step.kind is StepKind.ANALYSIS:
        # It counts the seconds of Good verdicts instead.
        return 0.0
    if step.shared and step.approval is None:
        return max(step.hold, parse_duration(state.seen.spec.analysis.interval))
    return step.hold


def _judged(state: State, evidence: Evidence, settings: JudgeSettings) -> State:
    return state.change(judgement=judge(evidence, settings, stage_of(state)))


def _is_told_apart(state: State) -> bool:
    """Whether the candidate's requests are counted apart from stable's, if it gets any."""
    release = state.release
    assert release is not None
    by_service = state.seen.spec.analysis.runtime in BY_SERVICE
    return not by_service or release.stage == "Watching" or not _gets_traffic(state)


def _gets_traffic(state: State) -> bool:
    release = state.release
    assert release is not None
    if release.stage == "Watching":
        return True
    if release.stage == "Promoting":
        return state.seen.live is not None and state.seen.live.revision is None
    return release.stage == "Stepping" and state.step.shared


def _act(state: State) -> State:
    release, judgement = state.release, state.judgement
    assert release is not None
    assert judgement is not None
    if judgement.reason == "CandidateSilent":
        limit = parse_duration(state.seen.spec.analysis.unknown_timeout)
        if evidence_of(state).silent >= limit:
            return revert(state, "CandidateSilent", judgement.sentence)
    if release.stage == "Watching":
        return _act_in_watch(state, judgement)
    if judgement.reason == "ProviderDown" and _gave_up_on_provider(state):
        return revert(state, "ProviderDown", judgement.sentence)
    if judgement.verdict is Verdict.BAD:
        return revert(state, judgement.reason, judgement.sentence)
    return state


def _gave_up_on_provider(state: State) -> bool:
    """Whether the author wants to go back rather than to wait any longer for measurements."""
    analysis = state.seen.spec.analysis
    if analysis.on_provider_down is not OnProviderDown.REVERT:
        return False
    return evidence_of(state).outage >= parse_duration(analysis.unknown_timeout)


def _act_in_watch(state: State, judgement: Judgement) -> State:
    """In the watch a condition reverts; a rule alerts and marks the release failed (R8, R9)."""
    release = state.release
    assert release is not None
    bad = [check for check in judgement.checks if check.takes_back]
    fired = next((check for check in bad if check.kind is CheckKind.CONDITION), None)
    if fired is not None:
        return revert(state, fired.reason, fired.sentence)
    if bad and not release.failed:
        worst = bad[0]
        return state.proceed(failed=True).say(
            "RuleFailed", f"{release.version} after promotion: {worst.sentence}", warning=True
        )
    return state

"""From evidence to a verdict: every rule and condition by itself, then the release.

The rules' order is the order in which they are reported. Bad in any check is Bad for the release
at once; Good needs all of them and the whole hold; everything else is Unknown, with the reason
that a person can do most about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from headgate.judge import sentences
from headgate.judge.conditions import (
    SLOW_SHARE,
    live_throughput,
    metric_value,
    throughput_applies,
)
from headgate.judge.evidence import Counts, Evidence, Window
from headgate.judge.shares import LEAST_REQUESTS, judge_share
from headgate.judge.values import (
    Check,
    CheckKind,
    Condition,
    Judgement,
    JudgeSettings,
    Metric,
    Stage,
    Verdict,
)

SHARED_FAILURE = "SharedFailure"
SUSPICION = "Suspicion"
TOO_FEW_SAMPLES = "TooFewSamples"
WITHIN_LIMIT = "WithinLimit"
NOT_APPLICABLE = "NotApplicable"
HOLDING = "Holding"

_PUZZLES = (SHARED_FAILURE, SUSPICION, TOO_FEW_SAMPLES)
"""Reasons of Unknown, the one that says most first."""


@dataclass(frozen=True)
class _Share:
    """A rule on a share of bad requests; `slower_than` is None for errors."""

    metric: Metric
    bad_reason: str
    limit: float
    slower_than: float | None = None

    def bad(self, counts: Counts) -> float:
        if self.slower_than is None:
            return counts.errors
        return counts.slower.get(self.slower_than, 0.0)

    def total(self, counts: Counts) -> float:
        if self.slower_than is None:
            return counts.requests
        return counts.timed.get(self.slower_than, 0.0)

    def share(self, counts: Counts) -> float | None:
        total = self.total(counts)
        return self.bad(counts) / total if total > 0 else None

    def judge(self, counts: Counts, min_samples: int) -> Verdict:
        return judge_share(self.bad(counts), self.total(counts), self.limit, min_samples)


def throughput(evidence: Evidence) -> float | None:
    """Requests per second of the whole live Service lately, or None if not known."""
    return live_throughput(evidence.lately, evidence.missing)


def judge(evidence: Evidence, settings: JudgeSettings, stage: Stage) -> Judgement:
    """The verdict on what `evidence` holds; call it after every `observe`.

    CandidateSilent is Bad once it has lasted `unknown_timeout`; ProviderDown never is.
    """
    rules = _rules(evidence, settings, stage)
    conditions = [_condition(c, evidence, stage) for c in settings.conditions]
    checks = (*rules, *conditions)
    # In the watch only a condition reverts, so it is the one to name.
    ranked = (*conditions, *rules) if stage.watching else checks
    for check in ranked:
        if check.verdict is Verdict.BAD:
            return Judgement(Verdict.BAD, check.reason, check.sentence, checks)
    if evidence.unknown:
        timed_out = (
            evidence.unknown == "CandidateSilent" and evidence.silent >= settings.unknown_timeout
        )
        lasted = evidence.silent if evidence.unknown == "CandidateSilent" else evidence.outage
        sentence = f"{evidence.unknown_sentence}, for {sentences.span(lasted)}"
        verdict = Verdict.BAD if timed_out else Verdict.UNKNOWN
        return Judgement(verdict, evidence.unknown, sentence, checks)
    for reason in _PUZZLES:
        for check in ranked:
            if check.verdict is Verdict.UNKNOWN and check.reason == reason:
                return Judgement(Verdict.UNKNOWN, reason, check.sentence, checks)
    sentence = _summary(checks)
    if not stage.hold_over:
        return Judgement(Verdict.UNKNOWN, HOLDING, sentence, checks)
    return Judgement(Verdict.GOOD, WITHIN_LIMIT, sentence, checks)


def _rules(evidence: Evidence, settings: JudgeSettings, stage: Stage) -> list[Check]:
    checks = []
    if settings.error_rate_max is not None:
        rule = _Share(Metric.ERROR_RATE, "high_error_rate", settings.error_rate_max)
        checks.append(_share(rule, evidence, settings, stage))
    if settings.latency_max is not None:
        rule = _Share(Metric.LATENCY_P99, "high_latency", SLOW_SHARE, settings.latency_max)
        checks.append(_share(rule, evidence, settings, stage))
    if settings.throughput_min is not None:
        checks.append(_throughput(settings.throughput_min, evidence, settings, stage))
    return checks


def _subject(stage: Stage) -> str:
    return "live version" if stage.watching else "candidate"


def _share(rule: _Share, evidence: Evidence, settings: JudgeSettings, stage: Stage) -> Check:
    """A rule on errors or latency, over the whole step and over the recent windows.

    Over the whole step a fault that starts late drowns in the good requests before it; over the
    recent windows alone a small excess has too few requests. In the watch each result is about
    its own interval (R8), so the whole watch only speaks when lately there were too few.
    """
    whole = Window(evidence.stable, evidence.candidate)
    lately = evidence.lately
    least = settings.comparison.min_samples
    windows = [lately, whole]
    if stage.watching and rule.judge(lately.candidate, least) is not Verdict.UNKNOWN:
        windows = [lately]
    shared = False
    for window in windows:
        if rule.judge(window.candidate, least) is Verdict.BAD:
            if stage.compared and rule.judge(window.stable, least) is Verdict.BAD:
                shared = True
                continue
            return _share_check(rule, window, Verdict.BAD, rule.bad_reason, evidence, stage)
    if shared:
        return _share_check(rule, windows[0], Verdict.UNKNOWN, SHARED_FAILURE, evidence, stage)
    window = windows[-1]
    if rule.judge(window.candidate, least) is Verdict.GOOD:
        return _share_check(rule, window, Verdict.GOOD, WITHIN_LIMIT, evidence, stage)
    over = (rule.share(window.candidate) or 0.0) > rule.limit
    reason = SUSPICION if over else TOO_FEW_SAMPLES
    return _share_check(rule, window, Verdict.UNKNOWN, reason, evidence, stage)


def _share_check(
    rule: _Share, window: Window, verdict: Verdict, reason: str, evidence: Evidence, stage: Stage
) -> Check:
    candidate, stable = window.candidate, window.stable
    share, stable_share = rule.share(candidate), rule.share(stable)
    shown = rule.slower_than
    if shown is not None:
        shown = evidence.boundaries.get(shown, shown)
    subject = _subject(stage)
    if share is None or reason == TOO_FEW_SAMPLES:
        sentence = sentences.too_few(subject, rule.total(candidate), shown, LEAST_REQUESTS)
    elif share > rule.limit:
        whole_step = candidate == evidence.candidate
        sentence = sentences.over_limit(
            subject,
            rule.bad(candidate),
            rule.total(candidate),
            rule.limit,
            slower_than=shown,
            lately=None if whole_step else max(candidate.seconds, stable.seconds),
            stable_share=stable_share,
            p99=candidate.p99 if rule.metric is Metric.LATENCY_P99 else None,
        )
        if reason == SHARED_FAILURE:
            sentence += ", which is over the limit as well: the cause is not the candidate"
        elif reason == SUSPICION:
            sentence += ", but these are too few requests to tell"
    else:
        sentence = sentences.side_by_side(
            subject,
            share,
            rule.total(candidate),
            slower_than=shown,
            stable_share=stable_share,
            stable_total=rule.total(stable),
        )
    return Check(
        name=rule.metric.value,
        kind=CheckKind.RULE,
        metric=rule.metric,
        verdict=verdict,
        reason=reason,
        sentence=sentence,
        value=share,
        limit=rule.limit,
        candidate=candidate,
        stable=stable,
        p99=candidate.p99,
    )


def _throughput(limit: float, evidence: Evidence, settings: JudgeSettings, stage: Stage) -> Check:
    window = evidence.lately
    value = live_throughput(window, evidence.missing)
    seconds = max(window.stable.seconds, window.candidate.seconds)
    if not throughput_applies(stage, limit):
        verdict, reason = Verdict.NOT_APPLICABLE, NOT_APPLICABLE
        sentence = (
            f"the live Service did not have {limit:g} requests/s before the release"
            if stage.watching
            else "throughput is judged after promotion"
        )
    elif value is None:
        verdict, reason = Verdict.UNKNOWN, TOO_FEW_SAMPLES
        sentence = f"throughput is not known: {evidence.missing} live pods have no metrics"
    elif seconds < 0.9 * settings.interval:
        verdict, reason = Verdict.UNKNOWN, TOO_FEW_SAMPLES
        sentence = f"throughput was observed for {sentences.span(seconds)} only"
    elif value < limit:
        verdict, reason = Verdict.BAD, "low_throughput"
        sentence = f"live Service {value:,.1f} requests/s is under the limit of {limit:g}"
    else:
        verdict, reason = Verdict.GOOD, WITHIN_LIMIT
        sentence = f"live Service {value:,.1f} requests/s, at least {limit:g} are asked for"
    return Check(
        name=Metric.THROUGHPUT.value,
        kind=CheckKind.RULE,
        metric=Metric.THROUGHPUT,
        verdict=verdict,
        reason=reason,
        sentence=sentence,
        value=value,
        limit=limit,
        candidate=window.candidate,
        stable=window.stable,
    )


def _condition(condition: Condition, evidence: Evidence, stage: Stage) -> Check:
    latest = Window(evidence.latest_stable, evidence.latest_candidate)
    if condition.metric is Metric.THROUGHPUT:
        value = live_throughput(latest, evidence.missing)
    else:
        value = metric_value(condition, latest.candidate)
    held = evidence.held.get(condition.name)
    said = _condition_words(condition, value, evidence)
    lasts = f"for {sentences.span(held or 0.0)} of {sentences.span(condition.duration)}"
    if condition.metric is Metric.THROUGHPUT and not throughput_applies(stage, condition.limit):
        verdict, reason = Verdict.NOT_APPLICABLE, NOT_APPLICABLE
        sentence = f"{condition.name} does not apply: throughput is judged after promotion"
        if stage.watching:
            sentence = f"{condition.name} does not apply: the traffic was lower before the release"
    elif held is None:
        verdict, reason = Verdict.GOOD, WITHIN_LIMIT
        sentence = f"{condition.name} does not hold: {said}"
    elif held >= condition.duration:
        verdict, reason = Verdict.BAD, condition.name
        sentence = f"{condition.name} has held {lasts}: {said}"
    else:
        verdict, reason = Verdict.UNKNOWN, SUSPICION
        sentence = f"{condition.name} holds {lasts}: {said}"
    return Check(
        name=condition.name,
        kind=CheckKind.CONDITION,
        metric=condition.metric,
        verdict=verdict,
        reason=reason,
        sentence=sentence,
        value=value,
        limit=SLOW_SHARE if condition.metric is Metric.LATENCY_P99 else condition.limit,
        candidate=latest.candidate,
        stable=latest.stable,
        p99=latest.candidate.p99,
    )


def _condition_words(condition: Condition, value: float | None, evidence: Evidence) -> str:
    side = "over" if condition.above is not None else "under"
    if condition.metric is Metric.THROUGHPUT:
        now = "no data" if value is None else f"{value:,.1f} requests/s"
        return f"{now}, the limit is {side} {condition.limit:g}"
    slow = condition.metric is Metric.LATENCY_P99
    boundary = evidence.boundaries.get(condition.limit, condition.limit)
    bad = sentences.what(boundary if slow else None)
    now = "no requests lately" if value is None else f"{sentences.percent(value)} {bad}"
    limit = SLOW_SHARE if slow else condition.limit
    return f"{now}, the limit is {side} {sentences.percent_limit(limit)}"


def _summary(checks: Sequence[Check]) -> str:
    for check in checks:
        if check.kind is CheckKind.RULE and check.verdict is Verdict.GOOD:
            return check.sentence
    return "no rule is over its limit"

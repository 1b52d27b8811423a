"""From evidence to a verdict: every rule, comparison and condition by itself, then the release.

The checks' order is the order in which they are reported. Bad in any check is Bad for the release
at once; Good needs all of them and the whole hold; everything else is Unknown, with the reason
that a person can do most about.
"""

from collections.abc import Sequence
from dataclasses import replace

from headgate.judge import drift, gauges, sentences
from headgate.judge.conditions import live_throughput, metric_value, throughput_applies
from headgate.judge.evidence import Counts, Evidence, Window
from headgate.judge.policies import applied
from headgate.judge.reasons import (
    HOLDING,
    INCONCLUSIVE,
    NO_DATA,
    NOT_APPLICABLE,
    NOT_CRITICAL,
    SUSPICION,
    TOO_FEW_SAMPLES,
    WITHIN_LIMIT,
)
from headgate.judge.share_checks import against_limit, against_stable
from headgate.judge.shares import SLOW_SHARE, Share, shares_of
from headgate.judge.tally import Requests
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


def throughput(evidence: Evidence) -> float | None:
    """Requests per second of the whole live Service lately, or None if not known."""
    return live_throughput(evidence.lately, evidence.missing)


def judge(evidence: Evidence, settings: JudgeSettings, stage: Stage) -> Judgement:
    """The verdict on what `evidence` holds; call it after every `observe`.

    CandidateSilent is Bad once it has lasted `unknown_timeout`; ProviderDown never is.
    """
    rules = _of_shares(evidence, settings, stage)
    if settings.throughput_min is not None:
        rules.append(_throughput(settings.throughput_min, evidence, settings, stage))
    judged = [(rule, settings.policy_of(rule.metric)) for rule in rules]
    judged += [(gauges.check(each, evidence, stage), each.policy) for each in settings.gauges]
    drifts = drift.checks(settings.drift, evidence, stage)
    judged += [(found, each.policy) for found, each in zip(drifts, settings.drift, strict=True)]
    rules = [applied(*each, evidence, settings.unknown_timeout) for each in judged]
    conditions = [
        replace(_condition(each, evidence, stage), policy=settings.policy)
        for each in settings.conditions
    ]
    checks = (*rules, *conditions)
    # In the watch only a condition reverts, so it is the one to name.
    ranked = [*conditions, *rules] if stage.watching else [*checks]
    for check in ranked:
        if check.takes_back:
            return Judgement(Verdict.BAD, check.reason, check.sentence, checks)
    ranked = [check for check in ranked if not check.policy.dry_run]
    if evidence.unknown:
        timed_out = (
            evidence.unknown == "CandidateSilent" and evidence.silent >= settings.unknown_timeout
        )
        lasted = evidence.silent if evidence.unknown == "CandidateSilent" else evidence.outage
        sentence = f"{evidence.unknown_sentence}, for {sentences.span(lasted)}"
        verdict = Verdict.BAD if timed_out else Verdict.UNKNOWN
        return Judgement(verdict, evidence.unknown, sentence, checks)
    for check in ranked:
        if check.verdict is Verdict.BAD:
            sentence = f"not critical: {check.sentence}"
            return Judgement(Verdict.UNKNOWN, NOT_CRITICAL, sentence, checks)
    for reason in INCONCLUSIVE:
        for check in ranked:
            if check.verdict is Verdict.UNKNOWN and check.reason == reason:
                return Judgement(Verdict.UNKNOWN, reason, check.sentence, checks)
    sentence = _summary(checks)
    if not stage.hold_over:
        return Judgement(Verdict.UNKNOWN, HOLDING, sentence, checks)
    return Judgement(Verdict.GOOD, WITHIN_LIMIT, sentence, checks)


def _of_shares(evidence: Evidence, settings: JudgeSettings, stage: Stage) -> list[Check]:
    """The rules on shares of bad requests, then their comparisons with stable."""
    shares = shares_of(settings)
    return [
        check(share, evidence, settings, stage, len(shares))
        for check in (against_limit, against_stable)
        for share in shares
    ]


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
    elif evidence.missing:
        verdict, reason = Verdict.UNKNOWN, NO_DATA
        sentence = f"throughput is not known: metrics of {evidence.missing} pods are missing"
    elif value is None or seconds < 0.9 * settings.interval:
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
        candidate=Requests(0.0, window.candidate.requests),
        stable=Requests(0.0, window.stable.requests),
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
        candidate=_requests(condition, latest.candidate),
        stable=_requests(condition, latest.stable),
        p99=latest.candidate.p99,
    )


def _requests(condition: Condition, counts: Counts) -> Requests:
    if condition.metric is Metric.THROUGHPUT:
        return Requests(0.0, counts.requests)
    slower_than = condition.limit if condition.metric is Metric.LATENCY_P99 else None
    return Share(condition.metric, condition.name, condition.limit, slower_than).requests(counts)


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
    """The sentence that says most about a version with which nothing is wrong."""
    for kind in (CheckKind.COMPARISON, CheckKind.RULE):
        for check in checks:
            if check.kind is kind and check.verdict is Verdict.GOOD and not check.policy.dry_run:
                return check.sentence
    return "no rule is over its limit"

"""A gauge of the candidate against that of stable: GPU memory, queue depth, batch size.

A gauge has no bad requests to count. Its values, one a poll and side, are compared by a
Mann-Whitney U test when the hold of a step is over: by ranks, so that neither a spike nor the shape
of the distribution decides. Unlike an e-process it must not be looked at on every poll.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from headgate.judge.evidence import Evidence, GaugeValues
from headgate.judge.reasons import (
    HOLDING,
    NO_DATA,
    NOT_APPLICABLE,
    SUSPICION,
    TOO_FEW_SAMPLES,
    WITHIN_LIMIT,
    WORSE_THAN_STABLE,
)
from headgate.judge.tally import NONE
from headgate.judge.values import Check, CheckKind, Gauge, Metric, Stage, Verdict


def p_value(candidate: Sequence[float], stable: Sequence[float], *, higher_is_worse: bool) -> float:
    """The probability of values so much worse than stable's if both were distributed alike.

    One-sided, exact for few values without ties, else by the normal approximation with its
    correction for ties (`scipy.stats.mannwhitneyu`). Source: Mann and Whitney, "On a Test of
    Whether one of Two Random Variables is Stochastically Larger than the Other", Annals of
    Mathematical Statistics 18 (1947). Raises ValueError when a side has no value.
    """
    # scipy.stats takes 46 MiB, which only those pay who compare gauges.
    from scipy.stats import mannwhitneyu

    alternative = "greater" if higher_is_worse else "less"
    return float(mannwhitneyu(candidate, stable, alternative=alternative).pvalue)


def is_enough(values: GaugeValues, gauge: Gauge) -> bool:
    """Whether each side has the least samples of the test."""
    return min(len(values.candidate), len(values.stable)) >= max(1, gauge.min_samples)


def compare(values: GaugeValues, gauge: Gauge) -> tuple[Verdict, str]:
    """The verdict on all values and its reason: Good when median and mean are at most `tolerance`
    times as bad as stable's; beyond that Bad when it is no chance (p < α), and Unknown while it may
    be. (A test alone would call a small certain difference Bad, and a large uncertain one Good.)"""
    candidate, stable = values.candidate, values.stable
    if not is_enough(values, gauge):
        return Verdict.UNKNOWN, TOO_FEW_SAMPLES
    beyond = any(
        _is_beyond(middle(candidate), middle(stable), gauge)
        for middle in (statistics.median, statistics.fmean)
    )
    if not beyond:
        return Verdict.GOOD, WITHIN_LIMIT
    p = p_value(candidate, stable, higher_is_worse=gauge.higher_is_worse)
    return (Verdict.BAD, WORSE_THAN_STABLE) if p < gauge.alpha else (Verdict.UNKNOWN, SUSPICION)


def _is_beyond(candidate: float, stable: float, gauge: Gauge) -> bool:
    """Whether one value is more than `tolerance` times worse than the other."""
    if gauge.higher_is_worse:
        return candidate > stable * gauge.tolerance and candidate > stable
    return candidate * gauge.tolerance < stable and candidate < stable


def check(gauge: Gauge, evidence: Evidence, stage: Stage) -> Check:
    """The check of one gauge; NotApplicable when no stable version serves beside the candidate."""
    values = evidence.gauges.get(gauge.name, GaugeValues())
    verdict, reason = Verdict.NOT_APPLICABLE, NOT_APPLICABLE
    sentence = "no stable version serves beside it to compare with"
    if stage.compared:
        verdict, reason = Verdict.UNKNOWN, HOLDING
        if stage.hold_over:
            verdict, reason = compare(values, gauge)
        sentence = _sentence(values, gauge, reason)
        if stage.hold_over and not (values.candidate or values.stable):
            reason = NO_DATA
            sentence = evidence.unread.get(gauge.name) or f"{gauge.name} has no data"
    return Check(
        name=f"{gauge.name} vs stable",
        kind=CheckKind.GAUGE,
        metric=Metric.GAUGE,
        verdict=verdict,
        reason=reason,
        sentence=sentence,
        value=statistics.median(values.candidate) if values.candidate else None,
        limit=gauge.tolerance,
        candidate=NONE,
        stable=NONE,
    )


def _sentence(values: GaugeValues, gauge: Gauge, reason: str) -> str:
    few = min(len(values.candidate), len(values.stable))
    if reason == TOO_FEW_SAMPLES or not few:
        return f"{gauge.name} was read {few} of the {gauge.min_samples} times that are needed"
    candidate, stable = statistics.median(values.candidate), statistics.median(values.stable)
    said = (
        f"candidate {gauge.name} {candidate:.4g} against {stable:.4g} "
        f"(medians of {len(values.candidate)} and {len(values.stable)} values)"
    )
    if reason == WORSE_THAN_STABLE:
        return f"{said} is worse than stable by more than {gauge.tolerance:g} times"
    return f"{said}: it looks worse, which may still be chance" if reason == SUSPICION else said

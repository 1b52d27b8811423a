"""What a poll adds beside the counts, to what each metric is judged by: recent stretches, bets,
values of gauges, predictions.

`headgate.judge.counting` calls these with the evidence before the poll.
"""

import math
from collections.abc import Collection, Mapping

from headgate.judge import drift, gauges
from headgate.judge.distribution import Distribution
from headgate.judge.evidence import MOST_VALUES, Evidence, GaugeValues, Window
from headgate.judge.shares import shares_of
from headgate.judge.tally import Tally
from headgate.judge.values import JudgeSettings, Metric, Policy, Sample, Side, Stage

RECENT_WINDOWS = 5
"""Stretches of recent counts that are kept; together they cover about one interval."""


def next_recent(recent: tuple[Window, ...], latest: Window, interval: float) -> tuple[Window, ...]:
    """The recent windows with the latest poll; the oldest go once the others cover an interval."""
    if _span(latest) <= 0:
        return recent
    if recent and _span(recent[-1]) < interval / RECENT_WINDOWS:
        windows = [*recent[:-1], recent[-1] + latest]
    else:
        windows = [*recent, latest]
    while len(windows) > RECENT_WINDOWS or sum(_span(w) for w in windows[1:]) >= interval:
        windows.pop(0)
    return tuple(windows)


def next_tallies(
    evidence: Evidence, latest: Window, settings: JudgeSettings, stage: Stage
) -> dict[Metric, Tally]:
    """What is known of each share of bad requests after the latest poll."""
    return {
        share.metric: evidence.tallies.get(share.metric, Tally()).after(
            share.requests(latest.stable),
            share.requests(latest.candidate),
            settings.comparison.tolerance,
            compared=stage.compared,
        )
        for share in shares_of(settings)
        if _has_begun(settings.policy_of(share.metric), evidence)
    }


def _has_begun(policy: Policy, evidence: Evidence) -> bool:
    """Whether a poll that follows the `evidence` counts for a metric."""
    return evidence.observed >= policy.initial_delay


def next_gauges(
    evidence: Evidence,
    sample: Sample,
    sides: Mapping[str, Side],
    settings: JudgeSettings,
    stage: Stage,
) -> dict[str, GaugeValues]:
    """The values with one more of each side that has any; what is no number is none. Nothing is
    added to what was tested already: the same test on more values would be another look."""
    if not stage.compared:
        return dict(evidence.gauges)
    found: dict[str, GaugeValues] = {}
    for gauge in settings.gauges:
        kept = evidence.gauges.get(gauge.name, GaugeValues())
        tested = stage.hold_over and gauges.is_enough(kept, gauge)
        counts = _has_begun(gauge.policy, evidence) and not tested
        values = sample.gauges.get(gauge.name, {}) if counts else {}
        of_side = {
            side: [v for pod, v in values.items() if sides.get(pod) is side and math.isfinite(v)]
            for side in Side
        }
        found[gauge.name] = GaugeValues(
            *(
                (*before, *([sum(now) / len(now)] if now else []))[-MOST_VALUES:]
                for before, now in (
                    (kept.stable, of_side[Side.STABLE]),
                    (kept.candidate, of_side[Side.CANDIDATE]),
                )
            )
        )
    return found


def next_drift(
    evidence: Evidence,
    sample: Sample,
    sides: Mapping[str, Side],
    cold: Collection[str],
    settings: JudgeSettings,
    stage: Stage,
    counted: bool,
) -> dict[str, Distribution]:
    """The predictions with those of one more poll; those of warm-up requests are none, nor those
    that come after the test."""
    warm = {pod: side for pod, side in sides.items() if pod not in cold}
    found: dict[str, Distribution] = {}
    for each in settings.drift:
        kept = evidence.drift.get(each.name, Distribution())
        tested = stage.hold_over and drift.is_enough(kept, each)
        found[each.name] = kept.after(
            sample.histograms.get(each.name, {}),
            warm,
            counted=counted and _has_begun(each.policy, evidence) and not tested,
        )
    return found


def _span(window: Window) -> float:
    return max(window.stable.seconds, window.candidate.seconds)

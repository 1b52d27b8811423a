"""Conditions that revert (R9): for how long each has held, poll by poll.

`headgate.judge.counting` calls `next_held` on every poll with data; whether a condition has held
for its whole duration is said in `headgate.judge.verdicts`. A poll in which a condition cannot
be told, for want of requests or of data, neither resets its seconds nor adds to them.
"""

from headgate.judge.evidence import Counts, Evidence, Window
from headgate.judge.shares import SLOW_SHARE
from headgate.judge.values import Condition, JudgeSettings, Metric, Stage


def next_held(
    evidence: Evidence, seconds: float, settings: JudgeSettings, stage: Stage
) -> dict[str, float]:
    """Seconds each condition has held, after a poll of `seconds` whose counts are the latest."""
    latest = Window(evidence.latest_stable, evidence.latest_candidate)
    held: dict[str, float] = {}
    for condition in settings.conditions:
        before = evidence.held.get(condition.name)
        holds = _holds(condition, latest, evidence.missing, stage)
        if holds:
            held[condition.name] = (before or 0.0) + seconds
        elif holds is None and before is not None:
            held[condition.name] = before
    return held


def throughput_applies(stage: Stage, limit: float) -> bool:
    """Whether a throughput is judged: in the watch, if the live Service had it before."""
    if not stage.watching:
        return False
    if stage.throughput_before is not None:
        return stage.throughput_before >= limit
    return stage.throughput_applies


def live_throughput(window: Window, missing: int) -> float | None:
    """Requests per second of the whole live Service; None unless all its pods could be read."""
    seconds = max(window.stable.seconds, window.candidate.seconds)
    if missing or seconds <= 0:
        return None
    return (window.stable.requests + window.candidate.requests) / seconds


def metric_value(condition: Condition, counts: Counts) -> float | None:
    """A condition's error rate, or share of requests over its latency; None if not known."""
    if condition.metric is Metric.ERROR_RATE:
        return counts.error_rate
    return counts.slow_share(condition.limit)


def _holds(condition: Condition, latest: Window, missing: int, stage: Stage) -> bool | None:
    if condition.metric is Metric.THROUGHPUT:
        if not throughput_applies(stage, condition.limit):
            return None
        return _beyond(condition, condition.limit, live_throughput(latest, missing))
    limit = SLOW_SHARE if condition.metric is Metric.LATENCY_P99 else condition.limit
    holds = _beyond(condition, limit, metric_value(condition, latest.candidate))
    if holds and stage.compared:
        # Going back to a stable version that fails as well would help nobody.
        shared = _beyond(condition, limit, metric_value(condition, latest.stable))
        return None if shared else True
    return holds


def _beyond(condition: Condition, limit: float, value: float | None) -> bool | None:
    if value is None:
        return None
    return value > limit if condition.above is not None else value < limit

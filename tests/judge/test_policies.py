"""What an author says of a metric: whether it counts, from when on, and without data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from headgate.api.judged import OnInconclusive, OnUnknown
from headgate.judge import (
    Check,
    Drift,
    Gauge,
    Judgement,
    Metric,
    PodCounters,
    Policy,
    Sample,
    Stage,
    Verdict,
    when_inconclusive,
)
from tests.judge.worlds import SETTINGS, World

OVER = Stage(compared=True, hold_over=True)
HOLD, ADVANCE, REVERT = OnInconclusive.HOLD, OnInconclusive.ADVANCE, OnInconclusive.REVERT


def world(**policies: Policy) -> World:
    """Both sides are scraped once; `errors` and `latency` are policies."""
    by_metric = {
        {"errors": Metric.ERROR_RATE, "latency": Metric.LATENCY_P99}[name]: policy
        for name, policy in policies.items()
    }
    found = World(settings=replace(SETTINGS, policies=by_metric), stage=OVER)
    for pod in ("old", "new"):
        found.serve(pod, 0)
    found.poll()
    return found


def named(judgement: Judgement, name: str) -> Check:
    return next(check for check in judgement.checks if check.name == name)


def test_nothing_is_counted_or_judged_before_the_initial_delay() -> None:
    slow_start = world(errors=Policy(initial_delay=60), latency=Policy(initial_delay=60))
    for _ in range(2):
        slow_start.serve("old", 1000)
        slow_start.serve("new", 1000, 1000, 1000)
        judgement = slow_start.poll()
    check = named(judgement, "errorRate")
    assert (judgement.verdict, check.verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
    assert check.sentence == "errorRate is judged from 1m on, now at 45s"
    for _ in range(3):
        slow_start.serve("old", 1000)
        slow_start.serve("new", 1000)
        judgement = slow_start.poll()
    assert judgement.verdict is Verdict.GOOD
    assert named(judgement, "errorRate").value == 0.0


def test_what_fails_after_the_delay_is_bad() -> None:
    slow_start = world(errors=Policy(initial_delay=15))
    for _ in range(4):
        slow_start.serve("old", 1000)
        slow_start.serve("new", 1000, 500)
        judgement = slow_start.poll()
    assert judgement.reason == "high_error_rate"


def without_histogram(policy: Policy, minutes: int) -> Judgement:
    """Requests without an error, which nobody has timed, looked at once a minute."""
    found = world(latency=policy)
    for number in range(1, minutes + 1):
        found.at += 60
        counters = {pod: PodCounters(1000.0 * number) for pod in found.counters}
        judgement = found.see(Sample(found.at, counters))
    return judgement


@pytest.mark.parametrize(
    ("policy", "minutes", "verdict", "reason"),
    [
        (OnUnknown.HOLD, 30, Verdict.UNKNOWN, "NoData"),
        (OnUnknown.IGNORE, 5, Verdict.UNKNOWN, "NoData"),
        (OnUnknown.IGNORE, 11, Verdict.GOOD, "WithinLimit"),
        (OnUnknown.REVERT, 5, Verdict.UNKNOWN, "NoData"),
        (OnUnknown.REVERT, 11, Verdict.BAD, "NoData"),
    ],
)
def test_a_metric_without_data(
    policy: OnUnknown, minutes: int, verdict: Verdict, reason: str
) -> None:
    found = without_histogram(Policy(on_unknown=policy), minutes)
    assert (found.verdict, found.reason) == (verdict, reason)
    assert "have no histogram of latencies" in named(found, "latencyP99").sentence


@pytest.mark.parametrize(
    "compared",
    [
        {"gauges": (Gauge("memory", policy=Policy(on_unknown=OnUnknown.IGNORE)),)},
        {"drift": (Drift("memory", policy=Policy(on_unknown=OnUnknown.IGNORE)),)},
    ],
)
def test_a_gauge_and_predictions_without_data_can_be_left_out(compared: dict[str, object]) -> None:
    found = World(settings=replace(SETTINGS, **compared), stage=OVER)  # type: ignore[arg-type]
    for number in range(60):
        found.serve("old", 1000)
        found.serve("new", 1000)
        found.at += 15
        pods = {pod: PodCounters(row[0], slower={1.0: 0.0}) for pod, row in found.counters.items()}
        sample = Sample(found.at, pods, unread={"memory": "memory was not read: HTTP 400"})
        judgement = found.see(sample)
        if number == 20:
            assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, "NoData")
            assert judgement.sentence == "memory was not read: HTTP 400"
    assert judgement.verdict is Verdict.GOOD


def unclear(answer: OnInconclusive, **changes: object) -> Check:
    found = named(world().poll(), "errorRate")
    assert found.reason == "TooFewSamples"
    policy = Policy(on_inconclusive=answer, **changes)  # type: ignore[arg-type]
    return replace(found, policy=policy)


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([], HOLD),
        ([unclear(ADVANCE)], ADVANCE),
        ([unclear(ADVANCE), unclear(HOLD)], HOLD),
        ([unclear(ADVANCE), unclear(HOLD), unclear(REVERT)], REVERT),
        ([unclear(ADVANCE), unclear(REVERT, dry_run=True)], ADVANCE),
        ([unclear(ADVANCE), replace(unclear(REVERT), verdict=Verdict.GOOD)], ADVANCE),
        (
            [unclear(ADVANCE), replace(unclear(REVERT, critical=False), verdict=Verdict.BAD)],
            REVERT,
        ),
    ],
)
def test_of_several_unclear_metrics_the_most_careful_counts(
    checks: Sequence[Check], expected: OnInconclusive
) -> None:
    assert when_inconclusive(checks, HOLD) is expected

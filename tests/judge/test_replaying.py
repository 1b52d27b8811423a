"""A release judged again comes to the same verdicts, and to others under other limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headgate.judge import Gauge, JudgeSettings, PodCounters, Sample, Side, Verdict
from headgate.judge.replaying import Part, replay

SIDES = {"old": Side.STABLE, "new": Side.CANDIDATE}
SETTINGS = JudgeSettings(interval=15, error_rate_max=0.05)
STEPS = (Part("20 %", 1000.0, 20), Part("50 %", 1300.0, 50))


def measured(errors: float, polls: int = 40, start: float = 985.0) -> list[Sample]:
    """Polls every 15 s, in each of them 400 stable and 100 candidate requests."""
    return [
        Sample(
            start + 15 * number,
            {
                "old": PodCounters(requests=5000 + 400 * number, errors=50 + 4 * number),
                "new": PodCounters(requests=100 * number, errors=100 * errors * number),
            },
        )
        for number in range(polls)
    ]


def test_each_part_is_judged_by_itself() -> None:
    found = replay(measured(0.01), STEPS, SIDES, SETTINGS)
    assert [each.part.name for each in found] == ["20 %"] * 20 + ["50 %"] * 19
    first = next(each for each in found if each.part.name == "50 %")
    assert first.evidence.candidate.requests == 100
    assert {each.judgement.verdict for each in found} == {Verdict.UNKNOWN, Verdict.GOOD}
    assert found[-1].judgement.verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("limit", "tolerance", "verdict"),
    [(0.05, 1.25, Verdict.BAD), (0.05, 5.0, Verdict.GOOD), (0.02, 5.0, Verdict.BAD)],
)
def test_another_limit_gives_another_verdict(
    limit: float, tolerance: float, verdict: Verdict
) -> None:
    comparison = replace(SETTINGS.comparison, tolerance=tolerance)
    settings = replace(SETTINGS, error_rate_max=limit, comparison=comparison)
    assert replay(measured(0.04), STEPS, SIDES, settings)[-1].judgement.verdict is verdict


def test_what_is_tested_once_is_tested_at_the_end_of_each_part() -> None:
    """A gauge that looks bad early in a step and is the same in the end is no fault."""
    gauge = Gauge("memory", min_samples=5)
    polls = [
        replace(each, gauges={"memory": {"old": 10.0 + n % 3, "new": (30.0 if n < 8 else 10.0)}})
        for n, each in enumerate(measured(0.01))
    ]
    found = replay(polls, STEPS, SIDES, replace(SETTINGS, gauges=(gauge,)))
    assert Verdict.BAD not in {each.judgement.verdict for each in found}
    with_gauge = [any(c.name == "memory vs stable" for c in e.judgement.checks) for e in found]
    assert [place for place, there in enumerate(with_gauge) if there] == [19, 38]
    worse = [replace(each, gauges={"memory": {"old": 10.0, "new": 30.0}}) for each in polls]
    found = replay(worse, STEPS, SIDES, replace(SETTINGS, gauges=(gauge,)))
    assert [n for n, each in enumerate(found) if each.judgement.verdict is Verdict.BAD] == [19, 38]


def test_in_the_watch_nothing_is_compared() -> None:
    watch = (Part("watch", 1000.0, 100, watching=True),)
    found = replay(measured(0.04), watch, SIDES, SETTINGS)
    assert found[-1].judgement.verdict is Verdict.GOOD


def test_before_the_first_part_nothing_is_judged() -> None:
    assert replay(measured(0.5, polls=1), STEPS, SIDES, SETTINGS) == []
    assert replay([], STEPS, SIDES, SETTINGS) == []

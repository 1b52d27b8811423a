"""Gauges are compared by ranks when a step is over: documented values, and misjudged ones."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.judge import Gauge, Judgement, PodCounters, Sample, Side, Stage, Verdict
from headgate.judge.evidence import MOST_VALUES, GaugeValues
from headgate.judge.gauges import compare, p_value
from tests.judge.worlds import SETTINGS, World

MEMORY = Gauge("gpu-memory", min_samples=10)
ONES = (1.0,) * 10
MIXED = (100.0,) * 7 + (1.0,) * 3


def test_the_documented_example() -> None:
    """Of scipy.stats.mannwhitneyu: ages of men and women, exact p two-sided 1/9, one-sided 1/18."""
    men, women = [19.0, 22.0, 16.0, 29.0, 24.0], [20.0, 11.0, 17.0, 12.0]
    assert p_value(men, women, higher_is_worse=True) == pytest.approx(1 / 18)
    assert p_value(women, men, higher_is_worse=False) == pytest.approx(1 / 18)


@pytest.mark.parametrize(
    ("candidate", "stable", "gauge"),
    [
        (MIXED, ONES, MEMORY),
        (ONES, MIXED, replace(MEMORY, higher_is_worse=False)),
        ((100.0,) * 3 + (1.0,) * 7, ONES, MEMORY),
    ],
)
def test_values_that_another_judge_called_good_are_never_good(
    candidate: tuple[float, ...], stable: tuple[float, ...], gauge: Gauge
) -> None:
    """Ten values of 1 against seven of 100 and three of 1 passed in Kayenta, for their ties."""
    assert compare(GaugeValues(stable, candidate), gauge)[0] is not Verdict.GOOD


@pytest.mark.parametrize(
    ("candidate", "stable", "verdict", "reason"),
    [
        (MIXED, ONES, Verdict.BAD, "WorseThanStable"),
        (ONES, MIXED, Verdict.GOOD, "WithinLimit"),
        (ONES[:9], ONES, Verdict.UNKNOWN, "TooFewSamples"),
        ((1.1,) * 10, ONES, Verdict.GOOD, "WithinLimit"),
        ((100.0, *ONES[:9]), ONES, Verdict.UNKNOWN, "Suspicion"),
        ((-1.0,) * 10, (-2.0,) * 10, Verdict.BAD, "WorseThanStable"),
        ((0.0,) * 10, (0.0,) * 10, Verdict.GOOD, "WithinLimit"),
    ],
)
def test_verdicts(
    candidate: tuple[float, ...], stable: tuple[float, ...], verdict: Verdict, reason: str
) -> None:
    assert compare(GaugeValues(stable, candidate), MEMORY) == (verdict, reason)


NUMBERS = st.lists(st.floats(0, 1e9), min_size=10, max_size=40)


@given(NUMBERS, NUMBERS, st.booleans())
def test_what_is_better_everywhere_is_good(
    values: list[float], others: list[float], higher_is_worse: bool
) -> None:
    worst, best = max(values), min(others)
    better = [each + worst - best + 1 for each in others]
    low, high = tuple(values), tuple(better)
    candidate, stable = (low, high) if higher_is_worse else (high, low)
    gauge = replace(MEMORY, higher_is_worse=higher_is_worse)
    assert compare(GaugeValues(stable, candidate), gauge)[0] is Verdict.GOOD


def judged(candidate: float, stage: Stage, polls: int = 12) -> Judgement:
    """The judgement of the last poll, the only one that is at this stage."""
    world = World(settings=replace(SETTINGS, gauges=(MEMORY,)))
    for number in range(polls):
        world.at += 15
        world.stage = stage if number == polls - 1 else replace(stage, hold_over=False)
        counters = PodCounters(100.0 * number, 0.0, {1.0: 0.0})
        # Values spread a little; one that is no number is none.
        noise = 0.01 * number
        gauges = {"gpu-memory": {"old": 10 + noise, "new": candidate + noise, "gone": math.nan}}
        found = world.see(Sample(world.at, {"old": counters, "new": counters}, gauges=gauges))
    assert all(len(each.candidate) <= MOST_VALUES for each in world.evidence.gauges.values())
    return found


OVER = Stage(compared=True, hold_over=True)


def test_a_gauge_takes_a_release_back_when_the_hold_is_over_and_not_before() -> None:
    assert judged(20.0, Stage(compared=True)).reason == "Holding"
    found = judged(20.0, OVER)
    assert (found.verdict, found.reason) == (Verdict.BAD, "WorseThanStable")
    assert found.sentence == (
        "candidate gpu-memory 20.05 against 10.05 (medians of 11 and 11 values) is worse than"
        " stable by more than 1.25 times"
    )
    assert judged(10.5, OVER).verdict is Verdict.GOOD


def test_few_values_hold_the_step() -> None:
    found = judged(10.0, OVER, polls=9)
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, "TooFewSamples")


def test_it_is_tested_once_in_a_step_however_often_it_is_looked_at() -> None:
    """The same test again on ever more values would be wrong far more often than alpha says."""
    world = World(settings=replace(SETTINGS, gauges=(MEMORY,)), stage=OVER)
    found = []
    for number in range(40):
        world.at += 15
        counters = PodCounters(100.0 * number, 0.0, {1.0: 0.0})
        candidate = 10.0 if number < MEMORY.min_samples else 1000.0
        gauges = {"gpu-memory": {"old": 10.0, "new": candidate}}
        pods = {"old": counters, "new": counters}
        found.append(world.see(Sample(world.at, pods, gauges=gauges)).verdict)
    assert Verdict.BAD not in found
    assert len(world.evidence.gauges["gpu-memory"].candidate) == MEMORY.min_samples


def test_only_two_versions_side_by_side_are_compared() -> None:
    found = judged(20.0, Stage(watching=True, hold_over=True))
    assert found.verdict is Verdict.GOOD


def test_values_are_kept_of_both_sides_and_bounded() -> None:
    world = World(settings=replace(SETTINGS, gauges=(MEMORY,)), sides={"old": Side.STABLE})
    for _ in range(MOST_VALUES + 5):
        world.at += 15
        gauges = {"gpu-memory": {"old": 1.0}}
        world.see(Sample(world.at, {"old": PodCounters(1.0)}, gauges=gauges))
    kept = world.evidence.gauges["gpu-memory"]
    assert (len(kept.stable), len(kept.candidate)) == (MOST_VALUES, 0)

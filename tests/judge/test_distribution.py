"""Predictions are counted by bucket: each once, of a few pods, in buckets that all pods have."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.judge import Side
from headgate.judge.distribution import MOST_BOUNDARIES, MOST_DRIFT_PODS, Distribution

BOTH = {"a": Side.STABLE, "b": Side.CANDIDATE}
INF = math.inf


def reading(*cumulative: float, boundaries: tuple[float, ...] = (0.5, 1.0)) -> dict[float, float]:
    return dict(zip((*boundaries, INF), cumulative, strict=True))


def after(*polls: Mapping[str, Mapping[float, float]]) -> Distribution:
    found = Distribution()
    for poll in polls:
        found = found.after(poll, BOTH)
    return found


def test_the_first_counters_are_where_it_starts_from() -> None:
    found = after({"a": reading(1000, 2000, 3000), "b": reading(0, 0, 0)})
    assert (found.stable, found.candidate) == ((0, 0, 0), (0, 0, 0))


def test_what_comes_after_is_counted_by_bucket() -> None:
    found = after(
        {"a": reading(10, 20, 30), "b": reading(0, 0, 0)},
        {"a": reading(14, 26, 37), "b": reading(1, 1, 2)},
        {"a": reading(14, 26, 37), "b": reading(1, 2, 3)},
    )
    assert found.boundaries == (0.5, 1.0)
    assert (found.stable, found.candidate) == ((4, 2, 1), (1, 1, 1))


def test_a_restart_of_the_process_is_a_new_start() -> None:
    found = after(
        {"a": reading(10, 20, 30), "b": reading(5, 5, 5)},
        {"a": reading(10, 20, 31), "b": reading(1, 1, 1)},
        {"a": reading(10, 20, 31), "b": reading(3, 3, 3)},
    )
    assert (found.stable, found.candidate) == ((0, 0, 1), (2, 0, 0))


def test_a_pod_that_was_not_read_for_a_while_goes_on_where_it_was() -> None:
    found = after(
        {"a": reading(10, 10, 10), "b": reading(0, 0, 0)},
        {"b": reading(1, 1, 1)},
        {"a": reading(13, 13, 13), "b": reading(1, 1, 1)},
    )
    assert found.stable == (3, 0, 0)


def test_polls_that_do_not_count_only_move_the_start() -> None:
    found = Distribution()
    for number, counted in ((0.0, True), (5.0, False), (6.0, True)):
        found = found.after({"b": reading(number, number, number)}, BOTH, counted=counted)
    assert found.candidate == (1, 0, 0)


def test_a_new_step_counts_anew_and_loses_no_start() -> None:
    first = after({"b": reading(0, 0, 0)}, {"b": reading(7, 7, 7)}).anew()
    assert first.candidate == (0, 0, 0)
    assert first.after({"b": reading(8, 8, 8)}, BOTH).candidate == (1, 0, 0)


def test_versions_with_other_buckets_are_compared_in_those_they_share() -> None:
    found = after(
        {"a": reading(0, 0, 0), "b": reading(0, 0, 0, 0, boundaries=(0.25, 0.5, 0.75))},
        {"a": reading(2, 5, 9), "b": reading(1, 2, 3, 6, boundaries=(0.25, 0.5, 0.75))},
    )
    assert found.boundaries == (0.5,)
    assert (found.stable, found.candidate) == ((2, 7), (2, 4))


def test_a_candidate_with_other_buckets_that_joins_merges_what_was_counted() -> None:
    found = after({"a": reading(0, 0, 0)}, {"a": reading(2, 5, 9)})
    found = found.after({"a": reading(2, 5, 9), "b": reading(0, 0, boundaries=(1.0,))}, BOTH)
    assert (found.boundaries, found.stable) == ((1.0,), (5, 4))


def test_more_buckets_than_can_be_kept_are_counted_together() -> None:
    boundaries = tuple(float(number) for number in range(100))
    nothing = reading(*[0.0] * 101, boundaries=boundaries)
    found = after({"b": nothing}, {"b": {limit: limit + 1 for limit in boundaries} | {INF: 100}})
    assert len(found.boundaries) <= MOST_BOUNDARIES
    assert sum(found.candidate) == 100


def test_a_few_pods_of_each_side_are_followed_and_stay_the_same() -> None:
    sides = {f"{side.value}-{n:03}": side for side in Side for n in range(50)}
    nothing, one = reading(0, 0, 0), reading(1, 1, 1)
    late = {pod: side for pod, side in sides.items() if not pod.endswith(("000", "001"))}
    found = Distribution().after(dict.fromkeys(late, nothing), late)
    found = found.after(dict.fromkeys(sides, one), sides)
    assert len(found.pods) == 2 * MOST_DRIFT_PODS
    assert (sum(found.stable), sum(found.candidate)) == (MOST_DRIFT_PODS, MOST_DRIFT_PODS)


@pytest.mark.parametrize(
    "broken",
    [
        {0.5: 1.0},
        {0.5: math.nan, INF: 1.0},
        {0.5: 1.0, INF: INF},
        {0.5: -1.0, INF: 1.0},
        {},
    ],
)
def test_what_cannot_be_read_is_missing(broken: dict[float, float]) -> None:
    found = after({"b": reading(0, 0, 0)}, {"b": broken}, {"b": reading(2, 2, 2)})
    assert found.candidate == (2, 0, 0)


COUNTS = st.lists(st.integers(0, 1000), min_size=4, max_size=4)


@given(st.lists(COUNTS, max_size=6))
def test_nothing_is_counted_twice_and_it_reads_back(polls: list[list[int]]) -> None:
    whole = [0, 0, 0, 0]
    found = Distribution().after({"b": reading(0, 0, 0, 0, boundaries=(1, 2, 3))}, BOTH)
    for added in polls:
        whole = [before + now for before, now in zip(whole, added, strict=True)]
        cumulative = [sum(whole[: end + 1]) for end in range(4)]
        found = found.after({"b": reading(*cumulative, boundaries=(1, 2, 3))}, BOTH)
        found = Distribution.from_dict(found.to_dict())
    assert found.candidate == tuple(whole)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"boundaries": [1], "stable": [1], "candidate": [1, 2], "pods": {}},
        {"boundaries": [1], "stable": [1, "nan"], "candidate": [1, 2], "pods": {}},
    ],
)
def test_what_is_no_distribution_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        Distribution.from_dict(stored)

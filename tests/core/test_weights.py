"""Whole pods for a weight: worked examples, the limits that always hold, and the search itself."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headgate.core.weights import NoSplitError, Split, split


@pytest.mark.parametrize(
    ("replicas", "weight", "surge", "unavailable", "stable", "candidate"),
    [
        (5, 5, 1, 0, 5, 1),
        (5, 25, 1, 0, 4, 1),
        (5, 50, 1, 0, 3, 3),
        (5, 90, 1, 0, 1, 5),
        (4, 25, 1, 0, 3, 1),
        (10, 50, 1, 0, 5, 5),
        (1, 10, 1, 0, 1, 1),
        # Argo Rollouts gives these no candidate or no stable pod (design §3).
        (2, 75, 0, 1, 1, 1),
        (5, 90, 0, 1, 1, 4),
        (10, 95, 0, 1, 1, 9),
        # A tie between 1 of 4 and 2 of 4: the smaller share.
        (4, 37, 0, 0, 3, 1),
        (4, 0, 1, 0, 4, 0),
        (4, 100, 1, 0, 0, 4),
        (0, 50, 1, 0, 0, 0),
    ],
)
def test_worked_examples(
    replicas: int, weight: int, surge: int, unavailable: int, stable: int, candidate: int
) -> None:
    assert split(replicas, weight, surge, unavailable) == Split(stable, candidate)


def test_one_replica_without_surge_says_what_to_change() -> None:
    with pytest.raises(NoSplitError, match="raise replicas or maxSurge"):
        split(1, 50, 0, 1)


def test_the_nearest_pods_are_found_near_however_large_the_surge() -> None:
    began = time.process_time()
    for replicas in (1, 2, 7, 150, 1000):
        for weight in range(1, 100):
            near = split(replicas, weight, 100, 100)
            assert near == split(replicas, weight, 100_000, 100_000)
            assert near.effective_weight == pytest.approx(weight)
    # Searching through all that a surge allows took minutes, in which nobody else was served.
    assert time.process_time() - began < 30


pods = st.integers(min_value=1, max_value=40)
few = st.integers(min_value=0, max_value=6)
shared = st.integers(min_value=1, max_value=99)


@given(pods, shared, few, few)
def test_both_sides_have_a_pod_and_the_total_keeps_its_limits(
    replicas: int, weight: int, surge: int, unavailable: int
) -> None:
    assume(replicas + surge >= 2)
    chosen = split(replicas, weight, surge, unavailable)
    assert chosen.stable >= 1
    assert chosen.candidate >= 1
    total = chosen.stable + chosen.candidate
    assert max(2, replicas - unavailable) <= total <= replicas + surge


@given(pods, shared, few, few)
def test_no_other_pods_are_nearer_to_the_weight(
    replicas: int, weight: int, surge: int, unavailable: int
) -> None:
    assume(replicas + surge >= 2)
    chosen = split(replicas, weight, surge, unavailable)
    distance = abs(chosen.effective_weight - weight)
    for total in range(max(2, replicas - unavailable), replicas + surge + 1):
        for candidate in range(1, total):
            other = Split(total - candidate, candidate)
            assert distance <= abs(other.effective_weight - weight) + 1e-9


@given(pods, few)
def test_a_larger_weight_never_gets_a_smaller_share(replicas: int, surge: int) -> None:
    assume(replicas + surge >= 2)
    shares = [split(replicas, weight, surge, 0).effective_weight for weight in range(1, 100)]
    assert shares == sorted(shares)

"""Intervals for people: published values, and scipy's where it has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from headgate.judge.intervals import newcombe, wilson
from headgate.judge.tally import NONE, Requests


def test_newcombes_published_difference() -> None:
    """56 of 70 against 48 of 80, method 10 of the paper."""
    low, high = newcombe(Requests(56, 70), Requests(48, 80))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=0.00005)


@given(st.integers(1, 100_000), st.integers(0, 100_000), st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_is_that_of_scipy(total: int, bad: int, confidence: float) -> None:
    bad = min(bad, total)
    expected = binomtest(bad, total).proportion_ci(confidence, method="wilson")
    assert wilson(Requests(bad, total), confidence) == pytest.approx(
        (expected.low, expected.high), abs=1e-9
    )


def test_without_requests_nothing_is_known() -> None:
    assert wilson(NONE) == (0.0, 1.0)
    low, high = newcombe(NONE, NONE)
    assert (low, high) == pytest.approx((-1.0, 1.0))


@pytest.mark.parametrize("confidence", [0.0, 1.0, 2.0])
def test_a_confidence_that_cannot_be_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson(NONE, confidence)

"""A share of bad requests against a limit: hand values, corners and what a wrong Bad costs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from headgate.judge.bets import RATIOS, is_bad
from headgate.judge.limits import log_e
from headgate.judge.tally import Requests


def test_hand_value() -> None:
    """Three bad of three at a limit of 5 %: each bet gains (q/0.05)³."""
    shares = [ratio * 0.05 / (0.95 + ratio * 0.05) for ratio in RATIOS]
    expected = sum((share / 0.05) ** 3 for share in shares) / 8
    assert math.exp(log_e(Requests(3, 3), 0.05)) == pytest.approx(expected)
    assert math.exp(log_e(Requests(0, 0), 0.05)) == pytest.approx(1.0)


def test_half_of_thirty_requests_failing_is_bad_and_a_tenth_is_not_yet() -> None:
    assert is_bad(log_e(Requests(15, 30), 0.05), 0.01, 2)
    assert not is_bad(log_e(Requests(3, 30), 0.05), 0.01, 2)


@pytest.mark.parametrize("limit", [0.01, 0.05, 0.5])
@pytest.mark.parametrize("total", [1, 10, 200])
def test_a_version_exactly_at_its_limit_gains_nothing_on_average(limit: float, total: int) -> None:
    mean = sum(
        binom.pmf(bad, total, limit) * math.exp(log_e(Requests(bad, total), limit))
        for bad in range(total + 1)
    )
    assert mean == pytest.approx(1.0, abs=1e-9)


@given(st.integers(0, 10**9), st.floats(0, 1), st.floats(0.0001, 0.9999))
def test_a_share_within_its_limit_never_speaks_against_the_version(
    total: int, share: float, limit: float
) -> None:
    bad = math.floor(total * min(share, limit))
    assert log_e(Requests(bad, total), limit) <= 1e-6


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.floats(0.0001, 0.9999))
def test_e_is_a_number_and_grows_with_every_bad_answer(total: int, bad: int, limit: float) -> None:
    bad = min(bad, total - 1)
    fewer, more = log_e(Requests(bad, total), limit), log_e(Requests(bad + 1, total), limit)
    assert math.isfinite(fewer)
    assert more > fewer

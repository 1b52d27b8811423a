"""The candidate against the concurrent stable version: hand values, corners and properties."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from headgate.judge import Comparison, Verdict
from headgate.judge.bets import POLLS
from headgate.judge.comparison import at_least, at_most, judge_polls, verdict
from headgate.judge.tally import Requests, Tally

ANY_SIZE = Comparison(tolerance=1.0, min_samples=0)


def e_of(stable: Requests, candidate: Requests, tolerance: float = 1.0) -> float:
    return math.exp(Tally().after(stable, candidate, tolerance).log_e)


@pytest.mark.parametrize(
    ("stable", "candidate", "e"),
    [
        (Requests(0, 900), Requests(3, 100), 68.4),
        (Requests(0, 900), Requests(2, 100), 12.8),
        (Requests(0, 500), Requests(4, 500), 5.604),
        (Requests(0, 500), Requests(0, 500), 1.0),
    ],
)
def test_hand_values(stable: Requests, candidate: Requests, e: float) -> None:
    assert e_of(stable, candidate) == pytest.approx(e, rel=0.002)


def test_four_bad_against_none_is_unknown() -> None:
    known = Tally().after(Requests(0, 500), Requests(4, 500), 1.0)
    assert verdict(known, ANY_SIZE) == (Verdict.UNKNOWN, "Suspicion")


@pytest.mark.parametrize(
    ("stable", "candidate", "settings", "expected"),
    [
        (Requests(0, 900), Requests(50, 100), Comparison(), (Verdict.BAD, "WorseThanStable")),
        (Requests(9, 900), Requests(1, 100), Comparison(), (Verdict.UNKNOWN, "TooFewSamples")),
        (Requests(9, 900), Requests(3, 300), Comparison(), (Verdict.GOOD, "NoWorseThanStable")),
        (Requests(0, 900), Requests(0, 0), Comparison(), (Verdict.UNKNOWN, "TooFewSamples")),
        (Requests(0, 900), Requests(0, 0), ANY_SIZE, (Verdict.GOOD, "NoWorseThanStable")),
        # Certainly worse, by three in a hundred thousand: nobody would notice.
        (
            Requests(10, 10_000_000),
            Requests(300, 10_000_000),
            Comparison(),
            (Verdict.UNKNOWN, "Suspicion"),
        ),
    ],
)
def test_verdicts(
    stable: Requests, candidate: Requests, settings: Comparison, expected: tuple[Verdict, str]
) -> None:
    assert verdict(Tally().after(stable, candidate, settings.tolerance), settings) == expected


@pytest.mark.parametrize(("metrics", "expected"), [(1, Verdict.BAD), (6, Verdict.UNKNOWN)])
def test_metrics_that_are_compared_share_alpha(metrics: int, expected: Verdict) -> None:
    known = Tally().after(Requests(0, 900), Requests(4, 100), 1.0)
    assert verdict(known, ANY_SIZE, metrics)[0] is expected


def test_the_first_bad_stands_and_otherwise_the_last_verdict() -> None:
    good = (Requests(9, 900), Requests(3, 300))
    bad = (Requests(0, 900), Requests(150, 300))
    verdicts = [each.verdict for each in judge_polls([good, bad, *[good] * 50], Comparison())]
    assert verdicts == [Verdict.GOOD, *[Verdict.BAD] * 51]
    assert judge_polls([good] * 2, Comparison())[-1].verdict is Verdict.GOOD
    assert judge_polls([], Comparison()) == []


def test_after_thirty_healthy_polls_a_new_fault_is_seen_as_fast_as_at_the_beginning() -> None:
    healthy = (Requests(30, 3000), Requests(10, 1000))
    fault = (Requests(3, 300), Requests(20, 100))
    anew = judge_polls([*[healthy] * POLLS, fault], Comparison())[-1]
    alone = judge_polls([fault], Comparison())[-1]
    assert POLLS == 30
    assert anew.known.log_e == alone.known.log_e
    assert anew.known.polls == 1
    # What came before still counts as seen: the step's requests are enough for a verdict.
    long = judge_polls([healthy] * (POLLS + 1), Comparison(min_samples=30_500))
    assert long[-1].verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("bad", "total", "field"),
    [(2, 1, "bad"), (-1, 1, "negative"), (math.nan, 1, "finite"), (0, math.inf, "finite")],
)
def test_counts_that_cannot_be_are_refused(bad: float, total: float, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Requests(bad, total)


COUNTS = st.integers(1, 10**9).flatmap(
    lambda total: st.builds(Requests, st.integers(0, total), st.just(total))
)


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=60), st.floats(1, 100))
def test_e_is_a_number_whatever_is_counted(
    polls: list[tuple[Requests, Requests]], tolerance: float
) -> None:
    for each in judge_polls(polls, Comparison(tolerance=tolerance)):
        assert math.isfinite(each.known.log_e)


@given(st.integers(1, 1000), st.integers(1, 1000), st.integers(0, 20), st.integers(0, 20))
def test_polls_of_one_split_say_the_same_apart_and_together(
    m: int, n: int, candidate_bad: int, stable_bad: int
) -> None:
    bad = min(candidate_bad, m), min(stable_bad, n)
    apart = Tally()
    for _ in range(3):
        apart = apart.after(Requests(bad[1], n), Requests(bad[0], m), 1.25)
    together = Tally().after(Requests(3 * bad[1], 3 * n), Requests(3 * bad[0], 3 * m), 1.25)
    assert apart.log_e == pytest.approx(together.log_e, abs=1e-6)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 40))
def test_one_more_bad_answer_of_the_candidate_is_never_reassuring(m: int, n: int, bad: int) -> None:
    if bad < m:
        fewer = Tally().after(Requests(0, n), Requests(bad, m), 1.25)
        more = Tally().after(Requests(0, n), Requests(bad + 1, m), 1.25)
        assert more.log_e > fewer.log_e


def test_bounds_are_where_the_bets_against_a_ratio_still_win() -> None:
    stable, candidate = Requests(18, 1822), Requests(30, 96)
    least, most = at_least(stable, candidate, 0.01), at_most(stable, candidate, 0.01)
    assert least is not None
    assert most is not None
    assert least < candidate.share / stable.share < most
    assert e_of(stable, candidate, least) == pytest.approx(100, rel=0.1)
    for tolerance, expected in ((least, Verdict.BAD), (least * 1.01, Verdict.UNKNOWN)):
        known = Tally().after(stable, candidate, tolerance)
        assert verdict(known, Comparison(tolerance, 0.01, 0))[0] is expected


@pytest.mark.parametrize(
    ("stable", "candidate"),
    [(Requests(0, 0), Requests(3, 9)), (Requests(0, 900), Requests(0, 100))],
)
def test_requests_that_say_nothing_bound_nothing(stable: Requests, candidate: Requests) -> None:
    assert at_least(stable, candidate, 0.01) is None
    assert at_most(stable, candidate, 0.01) is None


def test_without_a_bad_answer_of_stable_there_is_no_upper_bound() -> None:
    assert at_most(Requests(0, 900), Requests(6, 100), 0.01) is None
    assert at_least(Requests(0, 900), Requests(6, 100), 0.01) is not None


@given(COUNTS, COUNTS)
def test_the_observed_ratio_lies_between_its_bounds(stable: Requests, candidate: Requests) -> None:
    least, most = at_least(stable, candidate, 0.01), at_most(stable, candidate, 0.01)
    if stable.bad and candidate.bad:
        ratio = candidate.share / stable.share
        assert least is None or least <= ratio * 1.01
        assert most is None or most >= ratio * 0.99


@pytest.mark.parametrize("tolerance", [1.0, 1.25, 3.0])
@pytest.mark.parametrize(("m", "n"), [(1, 9), (5, 5), (30, 70)])
@pytest.mark.parametrize("bad", [1, 4, 9])
def test_a_candidate_as_bad_as_tolerated_gains_nothing_on_average(
    m: int, n: int, bad: int, tolerance: float
) -> None:
    """Given how many were bad, the candidate's are binomial; over them E's mean is at most 1."""
    size = 1000.0
    odds = tolerance * m / n
    outcomes = product(range(bad + 1))
    mean = sum(
        binom.pmf(c, bad, odds / (1 + odds))
        * e_of(Requests(bad - c, n * size), Requests(c, m * size), tolerance)
        for (c,) in outcomes
    )
    assert mean == pytest.approx(1.0, abs=1e-9)

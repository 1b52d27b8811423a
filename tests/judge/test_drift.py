"""Prediction drift is flagged when it is large and certain, neither alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

from headgate.api.drift import DriftMethod
from headgate.judge import Check, Drift, Evidence, Stage, Verdict
from headgate.judge.distribution import Distribution
from headgate.judge.drift import adjusted, checks, jensen_shannon, kolmogorov_smirnov

SCORE = Drift("score")
OVER = Stage(compared=True, hold_over=True)


def judged(
    candidate: tuple[float, ...],
    stable: tuple[float, ...],
    drift: Drift = SCORE,
    stage: Stage = OVER,
) -> Check:
    found = Distribution(tuple(range(1, len(stable))), stable, candidate)
    (check,) = checks([drift], Evidence(0.0, drift={drift.name: found}), stage)
    return check


def test_the_documented_jensen_shannon_examples() -> None:
    """Of scipy.spatial.distance.jensenshannon: a distance; in nats unless a base is given."""
    assert jensenshannon([1.0, 0.0], [0.5, 0.5]) == pytest.approx(0.46450140402245893)
    divergence, _ = jensen_shannon([100, 0], [50, 50])
    assert divergence == pytest.approx(0.46450140402245893**2 / math.log(2))
    assert jensen_shannon([100, 0, 0], [0, 100, 0])[0] == pytest.approx(1.0)


def test_the_documented_benjamini_hochberg_example() -> None:
    """Of scipy.stats.false_discovery_control, from Benjamini and Hochberg's own paper."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    p += [0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    after = [0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714, 0.06385714, 0.0645, 0.0765]
    after += [0.486, 0.58118182, 0.714875, 0.75323077, 0.81321429, 1.0]
    assert adjusted(p) == pytest.approx(after, abs=1e-7)
    assert adjusted([]) == []


def test_kolmogorov_smirnov_is_that_of_values_in_buckets() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.integers(0, 10, 400), generator.integers(0, 10, 900)
    expected = ks_2samp(first, second, method="asymp")
    statistic, p = kolmogorov_smirnov(
        np.bincount(first, minlength=10).tolist(), np.bincount(second, minlength=10).tolist()
    )
    assert statistic == pytest.approx(expected.statistic)
    assert p == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("method", DriftMethod)
@pytest.mark.parametrize(
    ("candidate", "stable", "verdict", "reason"),
    [
        ((500.0, 500.0), (500.0, 500.0), Verdict.GOOD, "WithinLimit"),
        ((1000.0, 0.0), (500.0, 500.0), Verdict.BAD, "PredictionDrift"),
        # Certain, but small: a million predictions make everything significant.
        ((510_000.0, 490_000.0), (500_000.0, 500_000.0), Verdict.GOOD, "WithinLimit"),
        ((290.0, 9.0), (500.0, 500.0), Verdict.UNKNOWN, "TooFewSamples"),
    ],
)
def test_verdicts(
    method: DriftMethod,
    candidate: tuple[float, ...],
    stable: tuple[float, ...],
    verdict: Verdict,
    reason: str,
) -> None:
    check = judged(candidate, stable, replace(SCORE, method=method))
    assert (check.verdict, check.reason) == (verdict, reason)


def test_large_but_perhaps_chance_is_a_suspicion() -> None:
    check = judged((19.0, 21.0), (25.0, 15.0), replace(SCORE, min_samples=30))
    assert (check.verdict, check.reason) == (Verdict.UNKNOWN, "Suspicion")
    assert "may still be chance" in check.sentence


def test_its_sentence_has_the_measure_its_base_and_the_numbers() -> None:
    check = judged((700.0, 300.0), (500.0, 500.0))
    assert check.sentence == (
        "score is not predicted as by stable: Kolmogorov-Smirnov distance 0.2, at most 0.1 is "
        "accepted (1,000 and 1,000 predictions, p below 0.0001)"
    )
    check = judged((700.0, 300.0), (500.0, 500.0), Drift("score", DriftMethod.JENSEN_SHANNON))
    assert "Jensen-Shannon divergence (base 2) 0.0303" in check.sentence


@pytest.mark.parametrize(
    ("stage", "verdict", "reason"),
    [
        (replace(OVER, hold_over=False), Verdict.UNKNOWN, "Holding"),
        (replace(OVER, compared=False), Verdict.NOT_APPLICABLE, "NotApplicable"),
    ],
)
def test_it_is_judged_when_the_hold_is_over_and_both_serve(
    stage: Stage, verdict: Verdict, reason: str
) -> None:
    check = judged((1000.0, 0.0), (500.0, 500.0), stage=stage)
    assert (check.verdict, check.reason) == (verdict, reason)


def test_many_checks_are_corrected_for_looking_often() -> None:
    """One of ten with p between alpha/10 and alpha is Bad alone, and not among the others."""
    odd, same = (
        Distribution((1.0,), (250.0, 250.0), (200.0, 300.0)),
        Distribution((1.0,), (250.0, 250.0), (250.0, 250.0)),
    )
    alone = replace(SCORE, threshold=0.05, alpha=0.02)
    (check,) = checks([alone], Evidence(0.0, drift={"score": odd}), OVER)
    assert check.verdict is Verdict.BAD
    drifts = [replace(alone, name=f"score-{number}") for number in range(10)]
    found = {each.name: same for each in drifts} | {"score-3": odd}
    among = checks(drifts, Evidence(0.0, drift=found), OVER)
    assert [each.verdict for each in among].count(Verdict.BAD) == 0
    assert among[3].reason == "Suspicion"
    assert "after correction for 10 checks" in among[3].sentence


COUNTS = st.lists(st.integers(0, 500), min_size=5, max_size=5).filter(any)


@given(COUNTS, COUNTS)
def test_both_measures_are_shares_and_alike_is_nothing(first: list[int], second: list[int]) -> None:
    for measure in (kolmogorov_smirnov, jensen_shannon):
        effect, p = measure(first, second)
        assert 0 <= effect <= 1 + 1e-9
        assert 0 <= p <= 1
        assert measure(first, first)[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("measure", [kolmogorov_smirnov, jensen_shannon])
def test_a_side_without_predictions_is_refused(measure: type) -> None:
    with pytest.raises(ValueError, match="no prediction"):
        measure([0, 0], [1, 2])

"""From rows to samples: what is missing, what is zero, and which bucket is read."""

import math

import pytest

from headgate.metrics.client import Row
from headgate.metrics.readings import read_boundaries, read_counters, sample, snap

PODS = frozenset({("n", "p")})


def row(value: float, **labels: str) -> Row:
    return Row(metric={"namespace": "n", "pod": "p", **labels}, value=(0.0, value))


def read(*rows: Row, limits: tuple[float, ...] = (1.0,), layout: tuple[float, ...] = ()):  # type: ignore[no-untyped-def]
    readings = read_counters(rows, PODS)
    return sample(5.0, "n", ["p"], limits, readings, {("n", "p"): layout}, {})


REQUESTS = row(100, headgate_kind="requests")
INF = row(100, headgate_kind="bucket", le="+Inf")


def test_a_total_without_an_error_series_has_no_errors() -> None:
    assert read(REQUESTS).pods["p"].errors == 0


def test_a_pod_without_a_total_is_missing() -> None:
    assert read(row(3, headgate_kind="errors"), INF).pods == {}


@pytest.mark.parametrize("kind", ["requests", "errors"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_a_count_that_is_none_makes_the_pod_missing(kind: str, value: float) -> None:
    good = {"requests": REQUESTS, "errors": row(0, headgate_kind="errors")}
    good[kind] = row(value, headgate_kind=kind)
    assert read(*good.values()).pods == {}


def test_a_series_that_is_there_twice_is_missing() -> None:
    assert read(REQUESTS, row(90, headgate_kind="requests")).pods == {}


def test_pods_that_were_not_asked_about_are_left_out() -> None:
    other = Row(metric={"namespace": "m", "pod": "p", "headgate_kind": "requests"}, value=(0, 7))
    assert read(other, REQUESTS).pods.keys() == {"p"}


@pytest.mark.parametrize("spelling", ["1", "1.0"])
def test_slower_requests_are_those_above_the_bucket(spelling: str) -> None:
    answer = read(REQUESTS, INF, row(98, headgate_kind="bucket", le=spelling))
    assert answer.pods["p"].slower == {1.0: 2}


def test_a_histogram_without_the_bucket_is_not_timed() -> None:
    assert read(REQUESTS, INF).pods["p"].slower == {}


def test_no_histogram_and_no_request_yet_means_no_slow_request() -> None:
    assert read(row(0, headgate_kind="requests")).pods["p"].slower == {1.0: 0}
    assert read(REQUESTS).pods["p"].slower == {}


def test_a_limit_that_is_no_boundary_is_snapped() -> None:
    answer = read(
        REQUESTS,
        INF,
        row(90, headgate_kind="bucket", le="2.5"),
        limits=(1.1,),
        layout=(0.5, 1.0, 2.5),
    )
    assert answer.pods["p"].slower == {1.1: 10}
    assert answer.boundaries == {1.1: 2.5}


@pytest.mark.parametrize(("limit", "boundary"), [(0.3, 0.5), (0.5, 0.5), (0.01, 0.1), (7, 2.5)])
def test_the_boundary_is_the_next_above_or_the_highest(limit: float, boundary: float) -> None:
    assert snap(limit, (0.1, 0.25, 0.5, 1.0, 2.5)) == boundary


def test_boundaries_are_finite_and_in_order() -> None:
    rows = [row(1, le=le) for le in ("+Inf", "2.5", "0.5", "nan", "")]
    assert read_boundaries(rows) == {("n", "p"): (0.5, 2.5)}

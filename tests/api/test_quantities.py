"""Durations and pods-or-percent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.api.quantities import format_duration, parse_duration, resolve


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0.0),
        ("500ms", 0.5),
        ("1.5s", 1.5),
        ("90s", 90.0),
        ("1h30m", 5400.0),
        ("30m1h", 5400.0),
        ("1m1ms", 60.001),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-1s", "1d", " 1s", "1s ", "1s\n", "1.s", "1e3s", "12345678s", "1s" * 17]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (-3, "0s"), (0.25, "250ms"), (90, "1m30s"), (5400, "1h30m"), (3600.5, "1h500ms")],
)
def test_a_duration_is_written_in_whole_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=10**9))
def test_a_written_duration_reads_back(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(
        milliseconds / 1000
    )


@pytest.mark.parametrize(
    ("value", "total", "up", "down"),
    [
        (3, 10, 3, 3),
        (0, 10, 0, 0),
        ("25%", 10, 3, 2),
        ("0%", 10, 0, 0),
        ("1%", 1, 1, 0),
        ("100%", 7, 7, 7),
        ("200%", 4, 8, 8),
        ("50%", 0, 0, 0),
        ("29%", 100, 29, 29),
    ],
)
def test_percent_rounds_as_a_deployment_does(
    value: int | str, total: int, up: int, down: int
) -> None:
    assert resolve(value, total, round_up=True) == up
    assert resolve(value, total, round_up=False) == down


@pytest.mark.parametrize("value", ["25", "a%", "-5%", "1.5%", "", "05%", -1, True])
def test_what_is_neither_pods_nor_percent_is_refused(value: int | str) -> None:
    with pytest.raises(ValueError, match="neither a number of pods nor a percentage"):
        resolve(value, 10, round_up=True)

"""Quantities compare by what they mean, not by how they are spelled."""

from decimal import Decimal

import pytest

from headgate.render.names import label_value
from headgate.render.quantities import amount, larger, smaller


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", "1"),
        ("250m", "0.25"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("1Gi", "1073741824"),
        ("1024Mi", "1073741824"),
        ("1k", "1000"),
        ("2e3", "2000"),
        ("2E3", "2000"),
        ("1E", "1000000000000000000"),
        ("100n", "1e-7"),
        (3, "3"),
    ],
)
def test_a_quantity_is_a_number(text: object, number: str) -> None:
    assert amount(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "1Zi", "one", "1 Gi", "m", "1e999999999", None])
def test_anything_else_is_no_quantity(text: object) -> None:
    assert amount(text) is None


def test_the_smaller_and_the_larger_keep_their_spelling() -> None:
    assert smaller("1000m", "2") == "1000m"
    assert larger("1Gi", "512Mi") == "1Gi"
    assert larger("strange", "1Gi") == "1Gi"


@pytest.mark.parametrize(
    ("version", "label"),
    [
        ("2.3.0", "2.3.0"),
        ("2.3.0+cu121", "2.3.0_cu121"),
        ("release/7", "release_7"),
        ("-1-", "1"),
        ("é", ""),
        ("v" * 80, "v" * 63),
        ("a" * 62 + "+b", "a" * 62),
    ],
)
def test_any_version_becomes_a_valid_label(version: str, label: str) -> None:
    assert label_value(version) == label

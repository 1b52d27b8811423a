"""Kubernetes quantities as numbers, to compare "1000m" with "1" and "1Gi" with "1024Mi"."""

from __future__ import annotations

import re
from decimal import Decimal

_SHAPE = re.compile(r"^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE]([+-]?[0-9]+)|([A-Za-z]{0,2}))$")
_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}


def amount(quantity: object) -> Decimal | None:
    """The number that a quantity means: "250m" -> 0.25, "1Ki" -> 1024; None if it is none."""
    shape = _SHAPE.match(str(quantity))
    if shape is None:
        return None
    number, exponent, suffix = shape.groups()
    if exponent is not None:
        return Decimal(number).scaleb(int(exponent)) if abs(int(exponent)) < 100 else None
    factor = _SUFFIXES.get(suffix)
    return None if factor is None else Decimal(number) * factor


def smaller(one: str, other: str) -> str:
    """The smaller of two quantities; the second if they cannot be compared."""
    left, right = amount(one), amount(other)
    return one if left is not None and right is not None and left < right else other


def larger(one: str, other: str) -> str:
    """The larger of two quantities; the second if they cannot be compared."""
    return one if smaller(other, one) == other else other

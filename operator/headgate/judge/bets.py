"""The bets that every e-process here is made of, and what their gain means.

An e-process E is the gain of a bet against a claim. While the claim is true, E ever reaches 1/α
with a probability of at most α, however many polls there are and whenever one looks; so a Bad
verdict needs no fixed time of judging, and looking often costs nothing. `headgate.judge.limits`
bets against "no more bad requests than the limit", `headgate.judge.comparison` against "no worse
than stable".

Source: Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022
(arXiv:2011.03567), and Howard et al., "Time-uniform, nonparametric, nonasymptotic confidence
sequences", for the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

RATIOS = (1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""How many times worse than claimed the bets are on, an eighth of the stake each."""

POLLS = 30
"""After so many polls E starts anew: two healthy hours would hide a new fault for half an hour."""

SUSPICIOUS = 3.0
"""E at which a comparison is not Good any more, and not Bad yet."""

LARGEST = 1e300


def mixture(logs: Sequence[float]) -> float:
    """The natural logarithm of E = ⅛ Σⱼ exp(logs[j]), from those of what each bet has come to."""
    largest = max(logs)
    return largest + math.log(math.fsum(math.exp(log - largest) for log in logs) / len(logs))


def is_bad(log_e: float, alpha: float, metrics: int) -> bool:
    """Whether the claim is given up: E ≥ metrics/α, for `metrics` that share one α."""
    return log_e >= math.log(metrics / alpha)


def to_e(log_e: float) -> float:
    """E from its natural logarithm, at most 1e300: JSON knows no infinity."""
    return math.exp(log_e) if log_e < math.log(LARGEST) else LARGEST

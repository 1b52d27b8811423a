"""Confidence intervals of shares, for people to read; no verdict rests on them.

A fixed interval looked at on every poll is wrong far more often than it says; that is what the
e-processes are for. `headgate.view.story` shows these beside the counts.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from headgate.judge.tally import Requests

Interval = tuple[float, float]


def wilson(counted: Requests, confidence: float = 0.95) -> Interval:
    """The score interval of a share of bad requests: between 0 and 1, (0, 1) without a request.

    With z the normal quantile, p = bad/total: (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n).
    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22
    (1927). Raises ValueError when `confidence` is not between 0 and 1.
    """
    z = _quantile(confidence)
    if not counted.total:
        return 0.0, 1.0
    share, total = counted.share, counted.total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    # Exact at the ends, where rounding would leave a little.
    low = (middle - spread) / scale if counted.bad else 0.0
    high = (middle + spread) / scale if counted.bad < total else 1.0
    return low, high


def newcombe(candidate: Requests, stable: Requests, confidence: float = 0.95) -> Interval:
    """The interval of the difference of two shares, candidate − stable: between −1 and 1.

    From the Wilson limits (l, u) of both: p₁ − p₂ − √((p₁−l₁)² + (u₂−p₂)²) and
    p₁ − p₂ + √((u₁−p₁)² + (p₂−l₂)²). Source: Newcombe, "Interval estimation for the difference
    between independent proportions", Statistics in Medicine 17 (1998), method 10.
    """
    difference = candidate.share - stable.share
    low_candidate, high_candidate = wilson(candidate, confidence)
    low_stable, high_stable = wilson(stable, confidence)
    down = math.hypot(candidate.share - low_candidate, high_stable - stable.share)
    up = math.hypot(high_candidate - candidate.share, stable.share - low_stable)
    return difference - down, difference + up


def _quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError("a confidence is between 0 and 1")
    return NormalDist().inv_cdf((1 + confidence) / 2)

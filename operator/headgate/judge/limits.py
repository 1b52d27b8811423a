"""One version against a limit on its share of bad requests (R5, R8), looked at on every poll.

Error rate and p99 are both judged here: a p99 limit allows 1 % of requests to be slower than it.
`headgate.judge.verdicts` asks for every rule.
"""

from __future__ import annotations

import math

from headgate.judge.bets import RATIOS, mixture
from headgate.judge.tally import Requests


def log_e(counted: Requests, limit: float) -> float:
    """The natural logarithm of E against "at most `limit` (between 0 and 1) of requests are bad".

    The bet on the ratio r is on the share q whose odds are r times those of the limit q₀; E needs
    no more than the sums over all polls:

        E = ⅛ Σⱼ (qⱼ/q₀)^bad · ((1 − qⱼ)/(1 − q₀))^(total − bad),    qⱼ = rⱼ·q₀/(1 − q₀ + rⱼ·q₀)
    """
    good = counted.total - counted.bad
    logs = []
    for ratio in RATIOS:
        # Both quotients have the denominator 1 − q₀ + r·q₀ in common.
        denominator = math.log1p(limit * (ratio - 1))
        logs.append(counted.bad * (math.log(ratio) - denominator) - good * denominator)
    return mixture(logs)

"""The candidate against the stable version that serves at the same time, looked at on every poll.

`headgate.judge.tally` adds up the bets against "the candidate is at most `tolerance` times as bad
as stable", here is what they mean: a verdict, and the bounds that people read.
`headgate.judge.verdicts` asks for every metric, `headgate.cli.replay` for recorded polls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headgate.judge.bets import RATIOS, SUSPICIOUS, is_bad, mixture
from headgate.judge.reasons import (
    NO_WORSE_THAN_STABLE,
    SUSPICION,
    TOO_FEW_SAMPLES,
    WORSE_THAN_STABLE,
)
from headgate.judge.tally import Requests, Tally, gains_of
from headgate.judge.values import Comparison, Verdict

_WIDEST = math.log(1e6)
"""Bounds of a ratio are looked for up to a million times worse or better."""


def verdict(tally: Tally, settings: Comparison, metrics: int = 1) -> tuple[Verdict, str]:
    """The verdict so far and its reason; `metrics` are compared and share α.

    Bad at E ≥ metrics/α, if the shares differ by `min_difference` since E started; Good at E < 3
    with `min_samples` of both sides since the step began; otherwise Unknown.
    """
    difference = tally.candidate.share - tally.stable.share
    if is_bad(tally.log_e, settings.alpha, metrics) and difference >= settings.min_difference:
        return Verdict.BAD, WORSE_THAN_STABLE
    if min(tally.whole_stable.total, tally.whole_candidate.total) < settings.min_samples:
        return Verdict.UNKNOWN, TOO_FEW_SAMPLES
    if tally.log_e >= math.log(SUSPICIOUS):
        return Verdict.UNKNOWN, SUSPICION
    return Verdict.GOOD, NO_WORSE_THAN_STABLE


def at_least(stable: Requests, candidate: Requests, alpha: float) -> float | None:
    """How many times as bad as stable the candidate is at least, wrong with a probability of at
    most α whenever one looks: the largest ratio at which E against "no worse than that" is 1/α.
    None when the requests do not bound it.

    The requests are those of a whole step, in which the sides' shares of traffic are taken for
    constant; a verdict rests on every poll's own share instead.
    """
    found = _root(lambda ratio: _excess(stable, candidate, alpha, -ratio, RATIOS))
    return None if found is None else math.exp(-found)


def at_most(stable: Requests, candidate: Requests, alpha: float) -> float | None:
    """How many times as bad as stable the candidate is at most: as `at_least`, from the mirrored
    process, whose bets are on 1/r."""
    mirrored = [1 / ratio for ratio in RATIOS]
    found = _root(lambda ratio: _excess(stable, candidate, alpha, ratio, mirrored))
    return None if found is None else math.exp(found)


def _excess(
    stable: Requests,
    candidate: Requests,
    alpha: float,
    log_ratio: float,
    bets: Sequence[float],
) -> float:
    """By how much log E against a ratio is over that of 1/α."""
    if not (stable.total and candidate.total):
        return -math.inf
    return mixture(gains_of(stable, candidate, math.exp(log_ratio), bets)) + math.log(alpha)


def _root(rising: Callable[[float], float]) -> float | None:
    """Where a rising function crosses 0, to half a percent of the ratio; on the safe side."""
    low, high = -_WIDEST, _WIDEST
    if rising(high) < 0 or rising(low) > 0:
        return None
    while high - low > 0.005:
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return high


@dataclass(frozen=True)
class Judged:
    """What was known after one poll, and the verdict so far with its reason."""

    known: Tally
    verdict: Verdict
    reason: str


def judge_polls(polls: Sequence[tuple[Requests, Requests]], settings: Comparison) -> list[Judged]:
    """Judge a step's polls, each (stable, candidate), one after the other. The first Bad stands."""
    known, found = Tally(), []
    so_far, reason = Verdict.UNKNOWN, TOO_FEW_SAMPLES
    for stable, candidate in polls:
        known = known.after(stable, candidate, settings.tolerance)
        if so_far is not Verdict.BAD:
            so_far, reason = verdict(known, settings)
        found.append(Judged(known, so_far, reason))
    return found

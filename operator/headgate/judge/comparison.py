"""The candidate against the stable version that serves at the same time, looked at on every poll.

An e-process: a bet against "the candidate is at most `tolerance` times as bad as stable" whose gain
E may be looked at whenever one likes. If that is true, E ever reaches 1/α with a probability of at
most α, however many polls there are; so a Bad verdict needs no fixed time of judging, and looking
often costs nothing. `headgate.cli.replay` judges recorded polls with it.

Source: Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022
(arXiv:2011.03567), and Howard et al., "Time-uniform, nonparametric, nonasymptotic confidence
sequences", for the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.special import logsumexp

from headgate.judge.values import Verdict

RATIOS = (1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""How many times worse than tolerated the bets are on, an eighth of the stake each."""

POLLS = 30
"""After so many polls E starts anew: two healthy hours would hide a new fault for half an hour."""

SUSPICION = 3.0
"""E at which a comparison is not Good any more, and not Bad yet."""

MIN_DIFFERENCE = 0.001
"""Shares of bad requests that differ by less are the same to everybody."""


@dataclass(frozen=True)
class Requests:
    """Requests of one side in one poll, `bad` of `total`. Raises ValueError when no such counts can
    be."""

    bad: float
    total: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.bad) and math.isfinite(self.total)):
            raise ValueError("bad and total must be finite numbers")
        if self.bad < 0 or self.total < 0:
            raise ValueError("bad and total must not be negative")
        if self.bad > self.total:
            raise ValueError(f"bad ({self.bad:g}) must not be more than total ({self.total:g})")

    def __add__(self, later: Requests) -> Requests:
        """Both polls together."""
        return Requests(self.bad + later.bad, self.total + later.total)

    @property
    def share(self) -> float:
        """Of all requests those that were bad; 0 without a request."""
        return self.bad / self.total if self.total else 0.0


NONE = Requests(0.0, 0.0)


@dataclass(frozen=True)
class Settings:
    """What an author can say: the candidate may be `tolerance` times as bad (1 or more); `alpha` is
    the probability of a wrong Bad (between 0 and 1), shared by `metrics` that are compared; Good
    needs `min_samples` requests of each side. Raises ValueError otherwise."""

    tolerance: float = 1.25
    alpha: float = 0.01
    min_samples: float = 300.0
    min_difference: float = MIN_DIFFERENCE
    metrics: int = 1

    @property
    def threshold(self) -> float:
        """E from which on the candidate is Bad."""
        return self.metrics / self.alpha

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tolerance) and self.tolerance >= 1):
            raise ValueError("tolerance must be 1 or more")
        if not 0 < self.alpha < 1:
            raise ValueError("alpha must be between 0 and 1")
        if not self.min_samples >= 0 or self.metrics < 1:
            raise ValueError("minSamples must not be negative, and a metric must be compared")


@dataclass(frozen=True)
class Comparison:
    """Everything that is remembered from poll to poll.

    `logs` are the natural logarithms of what each bet of `RATIOS` has come to in `polls` polls, the
    ones since E started anew; `stable` and `candidate` are the requests of those polls,
    `stable_before` and `candidate_before` those of the step before them.
    """

    logs: tuple[float, ...] = (0.0,) * len(RATIOS)
    polls: int = 0
    stable: Requests = NONE
    candidate: Requests = NONE
    stable_before: Requests = NONE
    candidate_before: Requests = NONE

    @property
    def log_e(self) -> float:
        """The natural logarithm of E = ⅛ Σⱼ exp(logs[j])."""
        return float(logsumexp(self.logs)) - math.log(len(RATIOS))

    def after(self, stable: Requests, candidate: Requests, tolerance: float) -> Comparison:
        """What is known after one more poll.

        With m candidate and n stable requests, c and b of them bad, s = m/(m+n) and
        p(δ) = s·e^δ/(s·e^δ + 1 − s), the bet on the ratio r gains the factor

            [p(δ)/p(δ₀)]^c · [(1 − p(δ))/(1 − p(δ₀))]^b,    δ₀ = ln tolerance, δ = δ₀ + ln r

        as c of the c + b bad requests are the candidate's with probability p(δ) each if it is
        e^δ times as bad. A poll in which one side had no request says nothing.
        """
        if self.polls >= POLLS:
            anew = Comparison(
                stable_before=self.stable_before + self.stable,
                candidate_before=self.candidate_before + self.candidate,
            )
            return anew.after(stable, candidate, tolerance)
        logs = self.logs
        if stable.total and candidate.total:
            logs = tuple(
                log + _gain(stable, candidate, tolerance, ratio)
                for log, ratio in zip(self.logs, RATIOS, strict=True)
            )
        return replace(
            self,
            logs=logs,
            polls=self.polls + 1,
            stable=self.stable + stable,
            candidate=self.candidate + candidate,
        )


def _gain(stable: Requests, candidate: Requests, tolerance: float, ratio: float) -> float:
    """The natural logarithm of one bet's factor: with odds o = tolerance·m/n and o·r, p = o/(1+o),
    so that both quotients come to a power of r and one of (1+o)/(1+o·r)."""
    odds = tolerance * candidate.total / stable.total
    bad = candidate.bad + stable.bad
    return candidate.bad * math.log(ratio) + bad * (math.log1p(odds) - math.log1p(odds * ratio))


def verdict(comparison: Comparison, settings: Settings) -> tuple[Verdict, str]:
    """The verdict so far and its reason.

    Bad at E ≥ metrics/alpha, if the shares differ by `min_difference` since E started; Good at
    E < 3 with `min_samples` of both sides since the step began; otherwise Unknown.
    """
    difference = comparison.candidate.share - comparison.stable.share
    if comparison.log_e >= math.log(settings.threshold) and difference >= settings.min_difference:
        return Verdict.BAD, "WorseThanStable"
    stable = comparison.stable_before + comparison.stable
    candidate = comparison.candidate_before + comparison.candidate
    if min(stable.total, candidate.total) < settings.min_samples:
        return Verdict.UNKNOWN, "TooFewSamples"
    if comparison.log_e >= math.log(SUSPICION):
        return Verdict.UNKNOWN, "Suspicion"
    return Verdict.GOOD, "NoWorseThanStable"


@dataclass(frozen=True)
class Judged:
    """What was known after one poll, and the verdict so far with its reason."""

    known: Comparison
    verdict: Verdict
    reason: str


def judge_polls(polls: Sequence[tuple[Requests, Requests]], settings: Settings) -> list[Judged]:
    """Judge a step's polls, each (stable, candidate), one after the other. The first Bad stands."""
    known, found = Comparison(), []
    so_far, reason = Verdict.UNKNOWN, "TooFewSamples"
    for stable, candidate in polls:
        known = known.after(stable, candidate, settings.tolerance)
        if so_far is not Verdict.BAD:
            so_far, reason = verdict(known, settings)
        found.append(Judged(known, so_far, reason))
    return found

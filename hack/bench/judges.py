"""The judges that are compared: Headgate's own, and three that release tools use.

Each sees the same polls, one after the other, as a release tool would, and says at each of them
whether the release is taken back or may go on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Protocol

import numpy as np
from scipy.stats import mannwhitneyu

from headgate.judge import (
    Evidence,
    JudgeSettings,
    PodCounters,
    Sample,
    Side,
    Stage,
    Verdict,
    begin,
    judge,
    observe,
)

INTERVAL = 15.0
"""Seconds between two polls."""

LIMIT = 0.05
HOLD = 15
"""Polls that a step is held; a release may need four times as many before it is inconclusive."""

ALPHA = 0.01
GO_ON, REVERT, PASS = "", "revert", "pass"


@dataclass(frozen=True)
class Poll:
    """What came in since the last poll. A new step begins with `step`."""

    stable: tuple[int, int]
    candidate: tuple[int, int]
    step: bool = False


class Judge(Protocol):
    """Looks at one more poll: REVERT, PASS once the release has passed, or GO_ON."""

    def look(self, poll: Poll) -> str:
        """The answer after this poll."""


@dataclass
class Headgate:
    """The operator's own, as the planner calls it; a pod for each side."""

    settings: JudgeSettings = field(
        default_factory=lambda: JudgeSettings(
            interval=INTERVAL, scrape_interval=INTERVAL, error_rate_max=LIMIT
        )
    )
    at: float = 0.0
    evidence: Evidence = field(default_factory=lambda: begin(0.0, None))
    counters: dict[str, tuple[int, int]] = field(
        default_factory=lambda: {"stable": (0, 0), "candidate": (0, 0)}
    )

    def __post_init__(self) -> None:
        """The first poll only tells where the counters stand."""
        self._observe()

    def look(self, poll: Poll) -> str:
        """One pass of the planner."""
        if poll.step:
            self.evidence = begin(self.at, self.evidence)
        for side, (bad, total) in (("stable", poll.stable), ("candidate", poll.candidate)):
            before = self.counters[side]
            self.counters[side] = (before[0] + bad, before[1] + total)
        self._observe()
        over = self.evidence.observed >= HOLD * INTERVAL
        stage = Stage(compared=True, hold_over=over)
        found = judge(self.evidence, self.settings, stage).verdict
        return {Verdict.BAD: REVERT, Verdict.GOOD: PASS}.get(found, GO_ON)

    def _observe(self) -> None:
        self.at += INTERVAL
        pods = {
            side: PodCounters(requests=total, errors=bad)
            for side, (bad, total) in self.counters.items()
        }
        sides = {"stable": Side.STABLE, "candidate": Side.CANDIDATE}
        sample = Sample(self.at, pods)
        self.evidence = observe(self.evidence, sample, sides, self.settings, Stage(compared=True))


@dataclass
class Threshold:
    """The share of the latest poll against the limit, as an AnalysisTemplate with a
    successCondition and no failureLimit."""

    polls: int = 0

    def look(self, poll: Poll) -> str:
        """Any poll over the limit reverts."""
        self.polls += 1
        bad, total = poll.candidate
        if total and bad / total > LIMIT:
            return REVERT
        return PASS if self.polls >= HOLD else GO_ON


@dataclass
class RepeatedTest:
    """A one-sided z-test for two proportions at level α, on all requests so far, at each poll."""

    stable: tuple[int, int] = (0, 0)
    candidate: tuple[int, int] = (0, 0)
    polls: int = 0

    def look(self, poll: Poll) -> str:
        """The first significant poll reverts."""
        self.polls += 1
        self.stable = _sum(self.stable, poll.stable)
        self.candidate = _sum(self.candidate, poll.candidate)
        (b, n), (c, m) = self.stable, self.candidate
        pooled = (b + c) / (n + m) if n and m else 0.0
        if 0 < pooled < 1:
            deviation = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
            if (c / m - b / n) / deviation > _Z:
                return REVERT
        return PASS if self.polls >= HOLD else GO_ON


_Z = NormalDist().inv_cdf(1 - ALPHA)


@dataclass
class Kayenta:
    """The default judge of Spinnaker's canary analysis, from its documentation ("How canary
    judgment works"): a Mann-Whitney U test with 98 % confidence on the series of error rates,
    judged at regular intervals; the shift must exceed a quarter of its own estimate."""

    every: int = 5
    stable: list[float] = field(default_factory=list)
    candidate: list[float] = field(default_factory=list)

    def look(self, poll: Poll) -> str:
        """A metric that is High at the end of an interval fails the canary."""
        for series, (bad, total) in (
            (self.stable, poll.stable),
            (self.candidate, poll.candidate),
        ):
            # Without requests there is no value; missing values are left out by default.
            if total:
                series.append(bad / total)
        polls = max(len(self.stable), len(self.candidate))
        if polls % self.every == 0 and self._is_high():
            return REVERT
        return PASS if polls >= HOLD else GO_ON

    def _is_high(self) -> bool:
        if not (self.stable and self.candidate) or set(self.stable) == set(self.candidate):
            return False
        differences = np.subtract.outer(self.candidate, self.stable)
        shift = 0.25 * abs(float(np.median(differences)))
        shifted: Sequence[float] = [value - shift for value in self.candidate]
        return bool(mannwhitneyu(shifted, self.stable, alternative="greater").pvalue < ALPHA)


JUDGES = {
    "Headgate": Headgate,
    "threshold": Threshold,
    "z-test at each poll": RepeatedTest,
    "Kayenta": Kayenta,
}


def _sum(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    return first[0] + second[0], first[1] + second[1]

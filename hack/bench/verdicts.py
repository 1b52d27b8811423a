"""Simulated releases, judged: how often healthy ones are taken back, and how soon bad ones are.

Requests arrive at random (Poisson) and fail at random (binomial), seeded, so that every run gives
the same table. A release is looked at on 60 polls, 15 s apart; a step is held for 15 of them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np

from hack.bench.judges import HOLD, INTERVAL, JUDGES, PASS, REVERT, Judge, Poll

POLLS = 60
SEED = 20261126
RATES = (1, 10, 100, 1000)
WEIGHTS = (0.05, 0.10, 0.25, 0.50)
BURST = 0.3
BURST_POLLS = 4


@dataclass(frozen=True)
class Case:
    """Releases of one kind: requests per second of the whole Service, the candidate's share of
    them, and the share of errors of each side. `bursts` names the sides that fail together once,
    for a minute; `changing` moves the weight through 5, 10, 25 and 50 %, a step each."""

    kind: str
    rate: float
    weight: float
    stable: float
    candidate: float
    bursts: str = ""
    changing: bool = False

    @property
    def healthy(self) -> bool:
        """Whether it should go live."""
        return self.candidate <= self.stable


@dataclass(frozen=True)
class Outcome:
    """What one judge made of all releases of a case. `reverted` are the polls at which it took one
    back; `unfinished` of them it neither took back nor let go on within four holds."""

    case: Case
    judge: str
    releases: int
    reverted: tuple[int, ...]
    unfinished: int

    @property
    def reverts(self) -> float:
        """Share of the releases that were taken back."""
        return len(self.reverted) / self.releases

    @property
    def minutes(self) -> float | None:
        """Median minutes until a release was taken back; None when fewer than half were."""
        never = [math.inf] * (self.releases - len(self.reverted))
        median = statistics.median_low([*self.reverted, *never])
        return median * INTERVAL / 60 if math.isfinite(median) else None


def cases() -> list[Case]:
    """Every case of the table."""
    found = []
    for rate in RATES:
        for weight in WEIGHTS:
            for errors in (0.001, 0.01, 0.04):
                found.append(Case("healthy", rate, weight, errors, errors))
            healthy = Case("healthy", rate, weight, 0.01, 0.01)
            found.append(replace(healthy, kind="burst on both sides", bursts="both"))
            found.append(replace(healthy, kind="burst on the candidate", bursts="candidate"))
            found.append(replace(healthy, kind="burst on stable", bursts="stable"))
            found += [
                Case("1 % → 2 %", rate, weight, 0.01, 0.02),
                Case("1 % → 5 %", rate, weight, 0.01, 0.05),
                Case("0.1 % → 1 %", rate, weight, 0.001, 0.01),
                Case("1 % → 50 %", rate, weight, 0.01, 0.5),
            ]
        found.append(Case("changing weights", rate, 0.05, 0.01, 0.01, changing=True))
    return found


def polls_of(case: Case, random: np.random.Generator) -> list[Poll]:
    """One release as it is seen."""
    burst = range(0)
    if case.bursts:
        start = int(random.integers(0, POLLS - BURST_POLLS))
        burst = range(start, start + BURST_POLLS)
    polls = []
    for number in range(POLLS):
        weight = WEIGHTS[number // HOLD] if case.changing else case.weight
        sides = []
        for side, share, errors in (
            ("stable", 1 - weight, case.stable),
            ("candidate", weight, case.candidate),
        ):
            fails = number in burst and case.bursts in (side, "both")
            total = int(random.poisson(case.rate * share * INTERVAL))
            sides.append((int(random.binomial(total, BURST if fails else errors)), total))
        step = case.changing and number % HOLD == 0 and number > 0
        polls.append(Poll(sides[0], sides[1], step))
    return polls


def judge_case(case: Case, releases: int, seed: int) -> list[Outcome]:
    """Show the same releases to every judge."""
    random = np.random.default_rng([SEED, seed])
    seen = [polls_of(case, random) for _ in range(releases)]
    outcomes = []
    for name, make in JUDGES.items():
        ends = [_end(make(), polls) for polls in seen]
        reverted = tuple(at for answer, at in ends if answer == REVERT)
        unfinished = sum(1 for answer, _ in ends if not answer)
        outcomes.append(Outcome(case, name, releases, reverted, unfinished))
    return outcomes


def _end(judge: Judge, polls: Sequence[Poll]) -> tuple[str, int]:
    """What becomes of a release, and at which poll. It is looked at to the last one even after it
    has passed: a step that is held longer must not be a danger to it."""
    passed = 0
    for at, poll in enumerate(polls, start=1):
        answer = judge.look(poll)
        if answer == REVERT:
            return REVERT, at
        if answer == PASS and not passed:
            passed = at
    return (PASS, passed) if passed else ("", POLLS)


def simulate(releases: int, tell: Callable[[int, int], None]) -> list[Outcome]:
    """Judge `releases` of every case on all cores; `tell` hears how many cases of all are done."""
    all_cases = cases()
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor() as pool:
        work = pool.map(judge_case, all_cases, repeat(releases), range(len(all_cases)))
        for done, found in enumerate(work, start=1):
            outcomes += found
            tell(done, len(all_cases))
    return outcomes

"""The requests of both sides by one metric, and what the bets on their difference have come to.

`headgate.judge.counting` adds every poll, the status keeps it between two of them, and
`headgate.judge.verdicts` judges it: by itself against a limit, and side against side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headgate.judge.bets import POLLS, RATIOS, mixture


@dataclass(frozen=True)
class Requests:
    """Requests of one side, `bad` of `total`. Raises ValueError when no such counts can be."""

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
        """Both together."""
        return Requests(self.bad + later.bad, self.total + later.total)

    @property
    def share(self) -> float:
        """Of all requests those that were bad; 0 without a request."""
        return self.bad / self.total if self.total else 0.0


NONE = Requests(0.0, 0.0)


@dataclass(frozen=True)
class Tally:
    """Everything that is remembered of one metric from poll to poll.

    `logs` are the natural logarithms of what each bet of `RATIOS` has come to in `polls` polls, the
    ones since E started anew; `stable` and `candidate` are the requests of those polls,
    `stable_before` and `candidate_before` those of the same step before them.
    """

    logs: tuple[float, ...] = (0.0,) * len(RATIOS)
    polls: int = 0
    stable: Requests = NONE
    candidate: Requests = NONE
    stable_before: Requests = NONE
    candidate_before: Requests = NONE

    @property
    def log_e(self) -> float:
        """The natural logarithm of E, the gain against "no more than `tolerance` times as bad"."""
        return mixture(self.logs)

    @property
    def whole_stable(self) -> Requests:
        """Stable's requests since the step began."""
        return self.stable_before + self.stable

    @property
    def whole_candidate(self) -> Requests:
        """The candidate's requests since the step began."""
        return self.candidate_before + self.candidate

    def after(
        self, stable: Requests, candidate: Requests, tolerance: float, *, compared: bool = True
    ) -> Tally:
        """What is known after one more poll.

        With m candidate and n stable requests, c and b of them bad, s = m/(m+n) and
        p(δ) = s·e^δ/(s·e^δ + 1 − s), the bet on the ratio r gains the factor

            [p(δ)/p(δ₀)]^c · [(1 − p(δ))/(1 − p(δ₀))]^b,    δ₀ = ln tolerance, δ = δ₀ + ln r

        as c of the c + b bad requests are the candidate's with probability p(δ) each if it is
        e^δ times as bad. A poll in which one side had no request says nothing, nor does one in
        which the sides are not `compared`; their requests are counted.
        """
        if self.polls >= POLLS:
            anew = Tally(stable_before=self.whole_stable, candidate_before=self.whole_candidate)
            return anew.after(stable, candidate, tolerance, compared=compared)
        logs = self.logs
        if compared and stable.total and candidate.total:
            gains = gains_of(stable, candidate, tolerance, RATIOS)
            logs = tuple(log + gain for log, gain in zip(self.logs, gains, strict=True))
        return replace(
            self,
            logs=logs,
            polls=self.polls + 1,
            stable=self.stable + stable,
            candidate=self.candidate + candidate,
        )

    def to_dict(self) -> dict[str, Any]:
        """A JSON object that `from_dict` reads back; counts as [bad, total]."""
        return {
            "logs": [round(log, 6) for log in self.logs],
            "polls": self.polls,
            "stable": _pair(self.stable),
            "candidate": _pair(self.candidate),
            "stableBefore": _pair(self.stable_before),
            "candidateBefore": _pair(self.candidate_before),
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Tally:
        """Reads `to_dict`'s object; raises KeyError, TypeError, IndexError or ValueError on
        anything else."""
        logs = tuple(float(log) for log in data["logs"])
        if len(logs) != len(RATIOS) or not all(math.isfinite(log) for log in logs):
            raise ValueError(f"{len(RATIOS)} finite logarithms were expected, not {logs}")
        return Tally(
            logs=logs,
            polls=int(data["polls"]),
            stable=_requests(data["stable"]),
            candidate=_requests(data["candidate"]),
            stable_before=_requests(data["stableBefore"]),
            candidate_before=_requests(data["candidateBefore"]),
        )


def gains_of(
    stable: Requests, candidate: Requests, times: float, ratios: Sequence[float]
) -> list[float]:
    """The natural logarithms of the bets' factors against "`times` as bad", one for each ratio.

    With odds o = times·m/n and o·r, p = o/(1+o), so both quotients come to a power of r and one of
    (1+o)/(1+o·r). Both sides need a request.
    """
    odds = times * candidate.total / stable.total
    bad = candidate.bad + stable.bad
    return [
        candidate.bad * math.log(ratio) + bad * (math.log1p(odds) - math.log1p(odds * ratio))
        for ratio in ratios
    ]


def _pair(requests: Requests) -> list[float | int]:
    return [
        int(number) if number == int(number) else round(number, 6)
        for number in (requests.bad, requests.total)
    ]


def _requests(pair: Sequence[Any]) -> Requests:
    return Requests(float(pair[0]), float(pair[1]))

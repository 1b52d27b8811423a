"""What is remembered between two polls: raw counters, counts, and how long things have lasted.

`Evidence` is written into the ModelDeployment's status after every poll, so it survives the
operator; it is bounded in size and reads back from JSON. `headgate.judge.counting` makes the
next one, `headgate.judge.verdicts` judges it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headgate.judge.distribution import Distribution
from headgate.judge.tally import Tally
from headgate.judge.values import Metric, PodCounters

MOST_VALUES = 120
"""Values of a gauge that are kept of each side; half an hour of polls, about 1 KiB."""

MOST_PODS = 200
"""Pods whose counters are kept; 200 of them are about 15 KiB of a status that may have 64."""


@dataclass(frozen=True)
class Counts:
    """Requests of one side over `seconds`: differences of raw counters, summed over its pods.

    `slower` maps a limit in seconds to the requests slower than it, `timed` the same limit to
    the requests whose latency could be told from it (a limit may be set, or a histogram appear,
    in the middle). `p99` is that of the slowest pod in seconds, for display.
    """

    requests: float = 0.0
    errors: float = 0.0
    slower: Mapping[float, float] = field(default_factory=dict)
    timed: Mapping[float, float] = field(default_factory=dict)
    seconds: float = 0.0
    p99: float | None = None

    def __add__(self, later: "Counts") -> "Counts":
        """Both together; the later p99 is the one shown."""
        return Counts(
            requests=self.requests + later.requests,
            errors=self.errors + later.errors,
            slower=_sums(self.slower, later.slower),
            timed=_sums(self.timed, later.timed),
            seconds=self.seconds + later.seconds,
            p99=self.p99 if later.p99 is None else later.p99,
        )

    @property
    def error_rate(self) -> float | None:
        """Share of requests that failed, or None without a request."""
        return min(1.0, self.errors / self.requests) if self.requests > 0 else None

    def slow_share(self, limit: float) -> float | None:
        """Share of timed requests slower than `limit` seconds, or None if none was timed."""
        timed = self.timed.get(limit, 0.0)
        return min(1.0, self.slower.get(limit, 0.0) / timed) if timed > 0 else None

    @property
    def per_second(self) -> float | None:
        """Requests per second, or None before any time was observed."""
        return self.requests / self.seconds if self.seconds > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """A JSON object that `from_dict` reads back."""
        return {
            "requests": _number(self.requests),
            "errors": _number(self.errors),
            "slower": _limits_to_dict(self.slower),
            "timed": _limits_to_dict(self.timed),
            "seconds": _number(self.seconds),
            "p99": None if self.p99 is None else _number(self.p99),
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "Counts":
        """Reads `to_dict`'s object; raises ValueError or TypeError on anything else."""
        return Counts(
            requests=_finite(data.get("requests", 0)),
            errors=_finite(data.get("errors", 0)),
            slower=_limits_from_dict(data.get("slower", {})),
            timed=_limits_from_dict(data.get("timed", {})),
            seconds=_finite(data.get("seconds", 0)),
            p99=None if data.get("p99") is None else _finite(data["p99"]),
        )


@dataclass(frozen=True)
class Window:
    """The counts of both sides over one stretch of time; windows never overlap."""

    stable: Counts = field(default_factory=Counts)
    candidate: Counts = field(default_factory=Counts)

    def __add__(self, later: "Window") -> "Window":
        """Both stretches as one."""
        return Window(self.stable + later.stable, self.candidate + later.candidate)


@dataclass(frozen=True)
class GaugeValues:
    """The values of one gauge since the step began, one a poll: the mean over a side's pods; the
    latest `MOST_VALUES` of them."""

    stable: tuple[float, ...] = ()
    candidate: tuple[float, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Everything judged, since the step began at `since`.

    `at` is the time of the last poll that was used, outages included, or None before the first.
    `stable_at` and `candidate_at` are the last polls with data of that side. `pods` are the
    last raw counters of each pod; a pod with `requests` None is known and its first total is
    only a baseline. `recent` are the latest counts in a few stretches that cover about one
    interval. `observed`, `silent` and `outage` are seconds, of which a poll adds at most two
    intervals: watched with data; CandidateSilent until now; ProviderDown until now. `idle` are
    those in which the provider answered and had no total of the candidate. `unknown` is the reason
    why the last poll told nothing (CandidateSilent, ProviderDown) or empty.
    `missing` is the number of candidate pods without a total in the last poll. `held` maps a
    condition's name to the seconds it has held without a poll that denied it. `tallies` are what
    rules and comparisons rest on, `gauges` the values of gauges and `drift` the predictions, both
    by name; `unread` says why one of them is not read.
    """

    since: float
    at: float | None = None
    stable_at: float | None = None
    candidate_at: float | None = None
    pods: Mapping[str, PodCounters] = field(default_factory=dict)
    stable: Counts = field(default_factory=Counts)
    candidate: Counts = field(default_factory=Counts)
    latest_stable: Counts = field(default_factory=Counts)
    latest_candidate: Counts = field(default_factory=Counts)
    recent: tuple[Window, ...] = ()
    observed: float = 0.0
    silent: float = 0.0
    outage: float = 0.0
    idle: float = 0.0
    unknown: str = ""
    unknown_sentence: str = ""
    missing: int = 0
    held: Mapping[str, float] = field(default_factory=dict)
    boundaries: Mapping[float, float] = field(default_factory=dict)
    tallies: Mapping[Metric, Tally] = field(default_factory=dict)
    gauges: Mapping[str, GaugeValues] = field(default_factory=dict)
    drift: Mapping[str, Distribution] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def counted(self) -> bool:
        """Whether any poll has counted the candidate's requests. The first one only tells where
        the counters stand, after a restart of the operator, too."""
        return self.candidate.seconds > 0

    @property
    def lately(self) -> Window:
        """The recent stretches as one."""
        return total(self.recent)

    def to_dict(self) -> dict[str, Any]:
        """A JSON object that `from_dict` reads back; at most `MOST_PODS` pods."""
        return {
            "since": _number(self.since),
            "at": _optional(self.at),
            "stableAt": _optional(self.stable_at),
            "candidateAt": _optional(self.candidate_at),
            "pods": {
                pod: [
                    _optional(counters.requests),
                    _number(counters.errors),
                    _limits_to_dict(counters.slower),
                ]
                for pod, counters in list(self.pods.items())[:MOST_PODS]
            },
            "stable": self.stable.to_dict(),
            "candidate": self.candidate.to_dict(),
            "latestStable": self.latest_stable.to_dict(),
            "latestCandidate": self.latest_candidate.to_dict(),
            "recent": [
                {"stable": w.stable.to_dict(), "candidate": w.candidate.to_dict()}
                for w in self.recent
            ],
            "observed": _number(self.observed),
            "silent": _number(self.silent),
            "outage": _number(self.outage),
            "idle": _number(self.idle),
            "unknown": self.unknown,
            "unknownSentence": self.unknown_sentence,
            "missing": self.missing,
            "held": {name: _number(seconds) for name, seconds in self.held.items()},
            "boundaries": _limits_to_dict(self.boundaries),
            "tallies": {metric.value: tally.to_dict() for metric, tally in self.tallies.items()},
            "gauges": {
                name: [[_number(each) for each in side] for side in (kept.stable, kept.candidate)]
                for name, kept in self.gauges.items()
            },
            "drift": {name: found.to_dict() for name, found in self.drift.items()},
            "unread": dict(self.unread),
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "Evidence":
        """Reads `to_dict`'s object, also an older one with fewer fields; else ValueError."""
        try:
            return _evidence(data)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"this is no evidence: {error!r}") from error


def total(windows: Iterable[Window]) -> Window:
    """All windows as one; an empty one for none."""
    result = Window()
    for window in windows:
        result = result + window
    return result


def _evidence(data: Mapping[str, Any]) -> Evidence:
    return Evidence(
        since=_finite(data["since"]),
        at=_read_optional(data.get("at")),
        stable_at=_read_optional(data.get("stableAt")),
        candidate_at=_read_optional(data.get("candidateAt")),
        pods={
            str(pod): PodCounters(
                requests=_read_optional(row[0]),
                errors=_finite(row[1]),
                slower=_limits_from_dict(row[2]),
            )
            for pod, row in data.get("pods", {}).items()
        },
        stable=Counts.from_dict(data.get("stable", {})),
        candidate=Counts.from_dict(data.get("candidate", {})),
        latest_stable=Counts.from_dict(data.get("latestStable", {})),
        latest_candidate=Counts.from_dict(data.get("latestCandidate", {})),
        recent=tuple(
            Window(Counts.from_dict(row["stable"]), Counts.from_dict(row["candidate"]))
            for row in data.get("recent", [])
        ),
        observed=_finite(data.get("observed", 0)),
        silent=_finite(data.get("silent", 0)),
        outage=_finite(data.get("outage", 0)),
        idle=_finite(data.get("idle", 0)),
        unknown=str(data.get("unknown", "")),
        unknown_sentence=str(data.get("unknownSentence", "")),
        missing=int(data.get("missing", 0)),
        held={str(name): _finite(s) for name, s in data.get("held", {}).items()},
        boundaries=_limits_from_dict(data.get("boundaries", {})),
        tallies={
            Metric(metric): Tally.from_dict(tally)
            for metric, tally in data.get("tallies", {}).items()
        },
        gauges={
            str(name): GaugeValues(
                tuple(_finite(each) for each in sides[0]),
                tuple(_finite(each) for each in sides[1]),
            )
            for name, sides in data.get("gauges", {}).items()
        },
        drift={
            str(name): Distribution.from_dict(found)
            for name, found in data.get("drift", {}).items()
        },
        unread={str(name): str(why) for name, why in data.get("unread", {}).items()},
    )


def _sums(first: Mapping[float, float], second: Mapping[float, float]) -> dict[float, float]:
    limits = first.keys() | second.keys()
    return {limit: first.get(limit, 0.0) + second.get(limit, 0.0) for limit in limits}


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 6)


def _optional(value: float | None) -> float | int | None:
    return None if value is None else _number(value)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _read_optional(value: Any) -> float | None:
    return None if value is None else _finite(value)


def _limits_to_dict(limits: Mapping[float, float]) -> dict[str, float | int]:
    return {format(limit, "g"): _number(count) for limit, count in sorted(limits.items())}


def _limits_from_dict(data: Mapping[str, Any]) -> dict[float, float]:
    limits = {float(limit): float(count) for limit, count in data.items()}
    if not all(map(math.isfinite, (*limits, *limits.values()))):
        raise ValueError(f"{data!r} has what is not a finite number")
    return limits

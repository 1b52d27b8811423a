"""What both versions predicted, as counts in the buckets of a Prometheus histogram.

`headgate.judge.counting` adds every poll, the status keeps it between two of them, and
`headgate.judge.drift` compares the two sides. A sample of a side's pods is enough for that, so
only a few are followed, whatever the number of pods.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from headgate.judge.values import Side

MOST_DRIFT_PODS = 8
"""Pods of each side whose predictions are followed."""

MOST_BOUNDARIES = 32
"""Bucket boundaries that are told apart; with more, neighbouring buckets are counted together."""

Row = tuple[float, ...]
"""Counts by bucket: one for each boundary and one for what is above them all."""


@dataclass(frozen=True)
class Distribution:
    """Predictions of both sides since the step began.

    `boundaries` are the upper ends of the finite buckets, ascending; only those that all pods have
    in common. `stable` and `candidate` have len(boundaries) + 1 counts each. `pods` are the last
    raw counters of the pods that are followed, cumulative as Prometheus has them, the last one
    for +Inf.
    """

    boundaries: Row = ()
    stable: Row = (0.0,)
    candidate: Row = (0.0,)
    pods: Mapping[str, Row] = field(default_factory=dict)

    def anew(self) -> Distribution:
        """For a new step: nothing counted yet, the pods' last raw counters kept."""
        nothing = (0.0,) * (len(self.boundaries) + 1)
        return replace(self, stable=nothing, candidate=nothing)

    def after(
        self,
        readings: Mapping[str, Mapping[float, float]],
        sides: Mapping[str, Side],
        *,
        counted: bool = True,
    ) -> Distribution:
        """What is known after one more poll.

        `readings` are raw cumulative counters by boundary, +Inf among them, of each pod. What a pod
        adds is the difference to its own last counters; the first ones, those after a restart of
        its process, and those of a poll that is not `counted` are only where it starts from.
        """
        chosen = self._chosen(readings, sides)
        if not chosen:
            return self
        known = self if self.boundaries else replace(self, pods={})
        now = known._narrowed(readings[pod] for pod in chosen)
        rows = {pod: _row(readings[pod], now.boundaries) for pod in chosen}
        added: dict[Side, Row] = {Side.STABLE: now.stable, Side.CANDIDATE: now.candidate}
        for pod, row in rows.items():
            before = now.pods.get(pod)
            if counted and before is not None and all(map(float.__ge__, row, before)):
                grown = _bins([b - a for a, b in zip(before, row, strict=True)])
                side = sides[pod]
                added[side] = tuple(a + b for a, b in zip(added[side], grown, strict=True))
        silent = {pod: row for pod, row in now.pods.items() if pod in sides and pod not in rows}
        return replace(
            now,
            stable=added[Side.STABLE],
            candidate=added[Side.CANDIDATE],
            pods={**silent, **rows},
        )

    def _chosen(
        self, readings: Mapping[str, Mapping[float, float]], sides: Mapping[str, Side]
    ) -> list[str]:
        """The pods to follow: of each side those that are followed already, then by name."""
        usable = [pod for pod in sides if _is_usable(readings.get(pod, {}))]
        return [
            pod
            for side in Side
            for pod in sorted(
                (pod for pod in usable if sides[pod] is side),
                key=lambda pod: (pod not in self.pods, pod),
            )[:MOST_DRIFT_PODS]
        ]

    def _narrowed(self, readings: Iterable[Mapping[float, float]]) -> Distribution:
        """The same with only the boundaries that these pods have, too."""
        shared: set[float] | None = set(self.boundaries) or None
        for reading in readings:
            shared = set(reading) if shared is None else shared & set(reading)
        kept = tuple(sorted(limit for limit in shared or () if math.isfinite(limit)))
        if not self.boundaries:
            return replace(Distribution(boundaries=_fewer(kept)).anew(), pods=self.pods)
        places = [self.boundaries.index(limit) for limit in kept]
        return Distribution(
            boundaries=kept,
            stable=_merged(self.stable, places),
            candidate=_merged(self.candidate, places),
            pods={pod: (*(row[at] for at in places), row[-1]) for pod, row in self.pods.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """A JSON object that `from_dict` reads back."""
        return {
            "boundaries": list(self.boundaries),
            "stable": _numbers(self.stable),
            "candidate": _numbers(self.candidate),
            "pods": {pod: _numbers(row) for pod, row in self.pods.items()},
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Distribution:
        """Reads `to_dict`'s object; raises KeyError, TypeError or ValueError on anything else."""
        boundaries = tuple(float(limit) for limit in data["boundaries"])
        length = len(boundaries) + 1
        return Distribution(
            boundaries=boundaries,
            stable=_read(data["stable"], length),
            candidate=_read(data["candidate"], length),
            pods={str(pod): _read(row, length) for pod, row in data["pods"].items()},
        )


def _is_usable(reading: Mapping[float, float]) -> bool:
    return math.inf in reading and all(math.isfinite(n) and n >= 0 for n in reading.values())


def _fewer(boundaries: Row) -> Row:
    """At most `MOST_BOUNDARIES` of them, evenly chosen."""
    each = max(1, math.ceil(len(boundaries) / MOST_BOUNDARIES))
    return boundaries[::each]


def _row(reading: Mapping[float, float], boundaries: Row) -> Row:
    return tuple(float(reading[limit]) for limit in (*boundaries, math.inf))


def _bins(cumulative: Sequence[float]) -> Row:
    """Counts by bucket from cumulative ones. An answer that is being scraped may have less in a
    bucket than in a smaller one: then nothing is in it."""
    return tuple(
        max(0.0, here - before)
        for before, here in zip((0.0, *cumulative[:-1]), cumulative, strict=True)
    )


def _merged(counts: Row, places: Sequence[int]) -> Row:
    """Counts in the wider buckets that end at these places, and the rest."""
    starts = [0, *(place + 1 for place in places)]
    ends = [*(place + 1 for place in places), len(counts)]
    return tuple(sum(counts[start:end]) for start, end in zip(starts, ends, strict=True))


def _numbers(row: Row) -> list[float | int]:
    return [int(n) if n == int(n) else round(n, 6) for n in row]


def _read(row: Sequence[Any], length: int) -> Row:
    numbers = tuple(float(number) for number in row)
    if len(numbers) != length or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{length} finite counts were expected, not {numbers}")
    return numbers

"""A release's record as what is needed to judge it again: its parts, its pods, when it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headgate.core.timing import to_seconds
from headgate.judge import Side
from headgate.judge.replaying import Part

ENTERED = ("StepEntered", "Promoted")


@dataclass(frozen=True)
class Past:
    """`start` and `end` are moments in seconds; `pods` are names, each with its side."""

    parts: tuple[Part, ...]
    pods: Mapping[str, Side]
    start: float
    end: float

    def watch(self, settling: float) -> Past:
        """Only the watch, `settling` seconds after the switch. Raises ValueError when there was
        none so long."""
        watches = [replace(p, begins=p.begins + settling) for p in self.parts if p.watching]
        parts = [each for each in watches if each.begins <= self.end]
        if not parts:
            raise ValueError(
                "its runtime counts both versions together, so only the watch can be judged again,"
                f" and this release had none of more than {settling:g} s"
            )
        return replace(self, parts=tuple(parts))


def past_of(entries: Sequence[Mapping[str, Any]], name: str, revision: str) -> Past:
    """Read a release of the ModelDeployment `name` to `revision`. Raises ValueError when nothing
    was measured in it."""
    pods: dict[str, Side] = {}
    parts: list[Part] = []
    entered: float | None = None
    for entry in entries:
        if "verdict" not in entry:
            if entry.get("reason") in ENTERED:
                entered = to_seconds(str(entry["time"]))
            continue
        for pod in entry.get("pods", {}):
            of_candidate = pod.startswith(f"{name}-{revision}-")
            pods[pod] = Side.CANDIDATE if of_candidate else Side.STABLE
        if entered is not None:
            parts.append(_part(entry, entered))
            entered = None
    if not pods or not parts:
        raise ValueError(
            "nothing that was measured in this release is recorded: it got no live traffic, or only"
            " in the last few minutes"
        )
    times = [to_seconds(str(entry["time"])) for entry in entries]
    return Past(tuple(parts), pods, min(times), max(times))


def _part(entry: Mapping[str, Any], begins: float) -> Part:
    weight = float(entry.get("weight") or 0.0)
    watching = entry.get("stage") == "Watching"
    name = "watch" if watching else f"{weight:g} %"
    return Part(name, begins, weight, watching)

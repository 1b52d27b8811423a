"""The cap on releases at the same time: whose turn it is, and what the others wait for.

Only new releases wait. A first version, going back to what once was stable, and every revert go on
whatever the caps say: they make the cluster safer, not busier.

Who waits longest is first. Somebody whose own namespace is full keeps nobody else from starting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from headgate.api.status import Status
from headgate.core.observation import Turn

Key = tuple[str, str]
"""Namespace and name of a ModelDeployment."""

UNDER_WAY = frozenset({"Starting", "Stepping", "Promoting", "Reverting"})
"""The stages that count. In the watch a version has replaced the one before."""


@dataclass(frozen=True)
class Caps:
    """How many releases may be under way: in all, and in one namespace. None is no cap."""

    everywhere: int | None = None
    per_namespace: int | None = None


@dataclass(frozen=True)
class Entrant:
    """A ModelDeployment that releases, or waits to do so since `since`; empty: it does not wait."""

    key: Key
    under_way: bool = False
    since: str = ""


def entrant_of(key: Key, status: Status) -> Entrant:
    """What a status says about a ModelDeployment's part in this."""
    release = status.release
    counts = release is not None and not release.direct and release.stage in UNDER_WAY
    return Entrant(key, under_way=counts, since="" if counts else status.queued)


def turn_of(mine: Entrant, others: Iterable[Entrant], caps: Caps) -> Turn:
    """Whether `mine`, which waits since `since`, may start now, and otherwise why not."""
    others = [each for each in others if each.key != mine.key]
    running = Counter(each.key[0] for each in others if each.under_way)
    taken = Counter(running)
    waiting = sorted(
        (each for each in (*others, mine) if each.since and not each.under_way),
        key=lambda each: (each.since, each.key),
    )
    ahead: list[Entrant] = []
    for each in waiting:
        if each.key == mine.key:
            break
        ahead.append(each)
        if _fits(each, taken, caps):
            taken[each.key[0]] += 1
    if _fits(mine, taken, caps):
        return Turn(granted=True)
    namespace = mine.key[0]
    if caps.per_namespace is not None and taken[namespace] >= caps.per_namespace:
        before = sum(1 for each in ahead if each.key[0] == namespace)
        count, cap, where = running[namespace], caps.per_namespace, f" in namespace {namespace}"
    else:
        before = len(ahead)
        count, cap, where = running.total(), caps.everywhere or 0, ""
    verb = "is" if cap == 1 else "are"
    sentence = f"{count} of {cap} {'release' if cap == 1 else 'releases'} {verb} under way{where}"
    if before:
        sentence += f", {before} {'waits' if before == 1 else 'wait'} before it"
    return Turn(granted=False, sentence=sentence)


def _fits(entrant: Entrant, taken: Counter[str], caps: Caps) -> bool:
    if caps.everywhere is not None and taken.total() >= caps.everywhere:
        return False
    return caps.per_namespace is None or taken[entrant.key[0]] < caps.per_namespace

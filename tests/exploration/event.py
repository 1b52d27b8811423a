"""What an event of a small world is; `tests.exploration.events` has them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.exploration.scope import Scope
from tests.exploration.world import REVISIONS, Side, World

Outcomes = Iterator[tuple[str, World]]


@dataclass(frozen=True)
class Event:
    """One kind of event: a name, whether it disturbs (is no part of a good release), and a function
    that lists the worlds it can lead to, each with the words in which a story tells it."""

    name: str
    disturbs: bool
    happen: Callable[[World, Scope], Outcomes]


def sides_of(world: World) -> Iterator[tuple[str, Side]]:
    """The sides with the names of their revisions."""
    return zip(REVISIONS, world.sides, strict=False)


def newer(world: World) -> World:
    """The world in which the spec is newer than what the status tells of."""
    return world._replace(memory=world.memory._replace(current=False))

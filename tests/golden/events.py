"""What can happen to a story from outside, as events of its world that several subjects share."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.golden.world import Behaviour, Event, World


def change(**changes: Any) -> Event:
    """Apply the manifest again with other fields."""
    return lambda world: world.give({**world.written, **changes})


def later(version: str, **changes: Any) -> Event:
    """Apply another version, and other fields, with everything else as it was."""

    def event(world: World) -> None:
        spec = {**deepcopy(world.written), **changes}
        spec["model"]["version"] = version
        spec["template"]["spec"]["containers"][0]["image"] = f"fraud:{version}"
        world.give(spec)

    return event


def behave(version: str, behaviour: Behaviour) -> Event:
    """From now on a version behaves differently."""

    def event(world: World) -> None:
        world.behaviours[version] = behaviour

    return event


def outage(sentence: str | None) -> Event:
    """Prometheus does not answer any more, or (None) answers again."""

    def event(world: World) -> None:
        world.outage = sentence

    return event

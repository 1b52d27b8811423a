"""How long something has been there, or ago, as people say it."""

from __future__ import annotations

from headgate.core.timing import for_people

LONG = 2 * 3600
"""Seconds from which on minutes no longer matter."""


def age(seconds: float) -> str:
    """An age in its largest unit, as kubectl's columns show it."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def since(seconds: float) -> str:
    """Exact while it is fresh: "12m40s", then "3h", "40d"."""
    return for_people(seconds) if seconds < LONG else age(seconds)

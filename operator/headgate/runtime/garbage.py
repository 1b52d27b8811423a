"""When the interpreter looks for garbage among everything that the process knows.

Such a full collection stops the process, for a tenth of a second with hundreds of ModelDeployments.
By itself the interpreter makes it where most objects are made: in the passes after a poll, one of
which may be a revert. Here it is made once nothing is due. Collections among young objects, which
are short, stay with the interpreter.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

EVERY_SECONDS = 60.0
"""From one full collection to the next, at least."""

WORTH = 10
"""Collections of the middle generation after which a full one is worth while: CPython's own."""

AT_THE_LATEST = 200
"""After so many the interpreter makes one by itself, so that garbage is bounded in a process that
never rests."""

_LOOK_SECONDS = 0.25


async def collect_at_rest(idle: Callable[[], bool]) -> None:
    """Make the full collections of this process, while `idle()` is true, until cancelled. CPython's
    thresholds are as before afterwards."""
    # At the start there is garbage by the megabyte, and nothing to wait for.
    await asyncio.sleep(EVERY_SECONDS)
    before = gc.get_threshold()
    gc.set_threshold(*before[:2], AT_THE_LATEST)
    try:
        wait = EVERY_SECONDS
        while True:
            await asyncio.sleep(wait)
            due, rests = gc.get_count()[2] >= WORTH, idle()
            if due and rests:
                gc.collect()
            wait = _LOOK_SECONDS if due and not rests else EVERY_SECONDS
    finally:
        gc.set_threshold(*before)

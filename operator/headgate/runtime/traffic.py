"""Of many releases that turn bad in one poll, the traffic of all is pinned before the rest is done.

All passes share one thread: without this, the pods that one pass takes away, its status and its
Event would come before the pin of the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

LONGEST_SECONDS = 0.25
"""How long a pass that has moved its traffic lets others move theirs. Kept connections to a bad pod
end only with the pod, so it is a moment."""

Moved = Callable[[], Awaitable[None]]
"""To be awaited by a pass once it has moved its traffic."""


class TrafficFirst:
    """Counts the passes that are about to move traffic."""

    def __init__(self, longest: float = LONGEST_SECONDS) -> None:
        self._longest = longest
        self._about_to = 0
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def about_to_move(self, moves: bool) -> Iterator[Moved]:
        """A pass from the plan to its last write; `moves` says that the plan moves traffic."""
        waits = moves
        if waits:
            self._about_to += 1
            self._none.clear()

        def done() -> None:
            nonlocal waits
            if waits:
                waits = False
                self._about_to -= 1
                if not self._about_to:
                    self._none.set()

        async def moved() -> None:
            done()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._longest):
                    await self._none.wait()

        try:
            yield moved
        finally:
            done()

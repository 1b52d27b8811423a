"""Runs the passes: one at a time for each key, different keys side by side, none able to stop
the others.

What is due when is decided in `headgate.runtime.schedule`; here are the tasks and the clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from headgate.runtime.schedule import Schedule

K = TypeVar("K", bound=Hashable)

WORKERS = 64
"""Passes at the same time. Many releases may turn bad in one poll, and a pass that takes pods away
waits for them: none of the others must wait with it before its traffic is pinned."""

_log = logging.getLogger(__name__)


class Quarantine(Exception):  # noqa: N818 - an instruction to the queue, not an error of its own
    """Raised by a pass that is no use before its object changes; the text says why."""


class KeyedQueue(Generic[K]):
    """Calls `handle(key)` for each key that is added; it returns in how many seconds to do so
    again, None for only when the key is added anew.

    An exception of `handle` is logged and repeated after a back-off of 0.25 s, doubling up to
    30 s. `clock` is a monotonic clock in seconds. All methods belong to one event loop.
    """

    def __init__(
        self,
        handle: Callable[[K], Awaitable[float | None]],
        *,
        workers: int = WORKERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._handle = handle
        self._workers = workers
        self._clock = clock
        self._schedule: Schedule[K] = Schedule()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def add(self, key: K, delay: float = 0.0, *, changed: bool = False) -> None:
        """Ask for a pass in `delay` seconds. `changed` says that the object itself is another
        one: that ends its back-off and its quarantine."""
        self._schedule.add(key, self._clock() + delay, changed=changed)
        self._wake.set()

    def forget(self, key: K) -> None:
        """Drop what is remembered of a key whose object is gone."""
        self._schedule.forget(key)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing is due."""
        due = self._schedule.next_due()
        return not self._tasks and (due is None or due > self._clock())

    async def run(self) -> None:
        """Run what is due until cancelled. Passes under way then go on: see `drain`."""
        while True:
            self._wake.clear()
            self._start_due()
            await self._until_something_is_due()

    async def drain(self, seconds: float) -> None:
        """Let the passes under way end, and cancel those that take longer."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)

    def _start_due(self) -> None:
        while len(self._tasks) < self._workers:
            key = self._schedule.take(self._clock())
            if key is None:
                return
            task = asyncio.create_task(self._pass(key), name=f"pass of {key}")
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _until_something_is_due(self) -> None:
        due = self._schedule.next_due() if len(self._tasks) < self._workers else None
        timeout = None if due is None else max(0.0, due - self._clock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._wake.wait()

    async def _pass(self, key: K) -> None:
        try:
            again = await self._handle(key)
        except Quarantine as reason:
            self._schedule.quarantine(key, self._clock())
            _log.error("%s is left alone until it changes: %s", key, reason)
        except Exception as error:
            # Whatever one object's pass meets must stop neither the process nor other objects.
            delay = self._schedule.fail(key, self._clock())
            _log.warning("pass of %s failed, again in %.2g s: %s", key, delay, error)
            _log.debug("where the pass failed", exc_info=error)
        except asyncio.CancelledError:
            self._schedule.fail(key, self._clock())
            raise
        else:
            self._schedule.succeed(key, self._clock(), again)

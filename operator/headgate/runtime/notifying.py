"""People are told in the background: no pass waits for a chat server, and none fails with it.

Messages wait in a bounded queue; one that cannot be delivered is tried again for a while and then
logged and lost. The same sentence about the same object is told once in ten minutes, as its Event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from headgate.core.intents import Note
from headgate.kube.snapshot import Snapshot

if TYPE_CHECKING:
    from headgate.integrations.notification import Message

WAITING = 256
"""Messages that may wait; the oldest gives way, for the newest says how things are now."""

THREADS = 8
"""Messages that may be under way at once."""

PAUSES = (0.0, 2.0, 10.0, 60.0)
"""Seconds before each attempt to deliver."""

_log = logging.getLogger(__name__)


class Deliver(Protocol):
    """Delivers a message to one receiver; whether it was taken. May block."""

    def __call__(self, receiver: str, message: Message) -> bool:
        """Called in a thread."""


class Notifications:
    """What is to be told, and the task that tells it. `concerned` gives the receivers' names."""

    def __init__(
        self,
        concerned: Callable[[Message], list[str]],
        deliver: Deliver,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._concerned = concerned
        self._deliver = deliver
        self._pauses = pauses
        self._waiting: asyncio.Queue[tuple[str, Message]] = asyncio.Queue(WAITING)
        self._under_way: set[asyncio.Task[None]] = set()
        # Not those of the event loop: they look up host names, also that of the API server.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="notifications")

    def tell(self, snapshot: Snapshot, note: Note) -> None:
        """Tell everybody concerned, later."""
        from headgate.integrations.notification import Message

        message = Message(
            snapshot.namespace, snapshot.name, note.reason, note.message, note.warning
        )
        for receiver in self._concerned(message):
            if self._waiting.full():
                lost, old = self._waiting.get_nowait()
                _log.warning("%s is not told: too much waits (%s)", lost, old.title)
            self._waiting.put_nowait((receiver, message))

    async def run(self) -> None:
        """Deliver until cancelled. A receiver that does not answer keeps no other one waiting."""
        while True:
            receiver, message = await self._waiting.get()
            while len(self._under_way) >= WAITING:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(self._deliver_one(receiver, message))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Drop what is not delivered yet."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _deliver_one(self, receiver: str, message: Message) -> None:
        for pause in self._pauses:
            await asyncio.sleep(pause)
            try:
                loop = asyncio.get_running_loop()
                if await loop.run_in_executor(self._threads, self._deliver, receiver, message):
                    return
            except Exception as error:
                # Whatever a plug-in raises; its text may name the address, its type does not.
                _log.warning("telling %s failed: %s", receiver, type(error).__name__)
        _log.error("%s could not be told: %s", receiver, message.title)

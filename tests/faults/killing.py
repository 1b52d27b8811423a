"""An operator that can be killed at any of its writes, and started again.

A kill is as sudden as SIGKILL for everything that can be seen from outside: from that moment on
none of its requests is sent any more. What is left of it is then cleared away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from headgate.kube.client import KubeClient, Object, Page
from headgate.metrics import Providers
from headgate.runtime.configuration import Configuration
from headgate.runtime.operator import Operator
from tests.faults.history import SharedWatch


class Position(StrEnum):
    """Where a write is interrupted: before it is sent, between its arrival and its answer, or
    after the answer."""

    BEFORE = "before"
    LOST = "reply lost"
    AFTER = "after"


@dataclass(frozen=True)
class Kill:
    """End the operator at its write number `write`, counted from 1."""

    write: int
    position: Position


WRITES = ("create", "replace", "apply", "replace_status", "patch", "delete", "create_event")


class KillableClient:
    """A `KubeClient` that stops in the middle of things. `writes` counts since `arm`."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self._kill: Kill | None = None
        self.killed = asyncio.Event()
        self.writes = 0
        self.log: list[str] = []
        self.newest = 0.0

    def arm(self, kill: Kill | None) -> None:
        """Count from here."""
        self._kill, self.writes = kill, 0
        self.log.clear()

    async def pages(self, *arguments: Any) -> AsyncIterator[Page]:
        """As every other reading: nothing is sent any more after a kill."""
        pages = self._client.pages(*arguments)
        await self._while_alive()
        async for page in pages:
            await self._while_alive()
            yield page

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        request = getattr(self._client, name)

        async def reading(*arguments: Any, **named: Any) -> Any:
            await self._while_alive()
            answer = await request(*arguments, **named)
            await self._while_alive()
            return answer

        async def writing(*arguments: Any, **named: Any) -> Any:
            await self._while_alive()
            self.writes += 1
            self.newest = asyncio.get_running_loop().time()
            self.log.append(_words(name, arguments))
            here = self._kill is not None and self._kill.write == self.writes
            position = self._kill.position if here and self._kill is not None else None
            if position is Position.BEFORE:
                await self._die()
            # Shielded: what was sent arrives, whatever becomes of its sender.
            try:
                answer = await asyncio.shield(request(*arguments, **named))
            finally:
                if position is Position.LOST:
                    await self._die()
            if position is Position.AFTER:
                self.killed.set()
                return answer
            await self._while_alive()
            return answer

        return writing if name in WRITES else reading

    async def _die(self) -> None:
        self.killed.set()
        await self._while_alive()

    async def _while_alive(self) -> None:
        if self.killed.is_set():
            await asyncio.Future()


class Process:
    """One run of the operator in one namespace."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        providers: Providers,
        watch: type[SharedWatch] = SharedWatch,
    ) -> None:
        self.client = KillableClient(client)
        self._operator = Operator(
            cast(KubeClient, self.client), Configuration(namespaces=(namespace,)), providers
        )
        informer: Any = self._operator._informer
        informer._watch = lambda receive: watch((namespace,), None, receive)
        self.ended: asyncio.Task[int] | None = None
        self._stop = asyncio.Event()

    def start(self) -> None:
        """Run until `kill`."""
        self.ended = asyncio.create_task(self._operator.run(self._stop))

    @property
    def runs(self) -> bool:
        """Whether it has not ended by itself."""
        return self.ended is not None and not self.ended.done()

    async def kill(self) -> None:
        """No request is sent any more from here on; then its tasks are cleared away."""
        self.client.killed.set()
        assert self.ended is not None
        operator: Any = self._operator
        tasks = [self.ended, *operator._tasks, *operator._queue._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._stop.set()
        await operator._smoke.close()
        await operator._polling.close()
        operator._poller.close()


def _words(name: str, arguments: tuple[Any, ...]) -> str:
    first = arguments[0]
    if isinstance(first, dict):
        body: Object = first
        metadata = body["metadata"]
        said = body.get("reason", "") if body["kind"] == "Event" else metadata.get("name", "")
        return f"{name} {body['kind']} {said}"
    return f"{name} {first.name} {arguments[2]}"

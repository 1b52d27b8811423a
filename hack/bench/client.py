"""The benchmark's own way to the API server, past the proxy: it applies, changes and watches.

Watching gives the moments at which something could be seen from outside.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import aiohttp

from hack.cluster import control_plane
from hack.cluster.errors import ClusterError
from hack.cluster.record import ClusterRecord

MODELS = "/apis/headgate.dev/v1alpha1"
AT_A_TIME = 16

Object = dict[str, Any]
See = Callable[[str, Object], None]


class Client:
    """Requests as an administrator; watches run until it is closed."""

    def __init__(self, record: ClusterRecord) -> None:
        keys = control_plane.authority(record)
        self._url = control_plane.api_url(record)
        self._trust = ssl.create_default_context(cafile=str(keys.certificate("ca")))
        administrator = control_plane.ADMINISTRATOR
        self._trust.load_cert_chain(keys.certificate(administrator), keys.key(administrator))
        self._watches: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._trust, limit=0),
            timeout=aiohttp.ClientTimeout(total=None, connect=30),
            read_bufsize=2**24,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._watches:
            each.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        await self._session.close()

    async def create(self, path: str, body: Object) -> None:
        """Create an object in the collection at `path`."""
        await self._send("POST", path, body, "application/json")

    async def merge(self, path: str, changes: Mapping[str, Any]) -> None:
        """Change some fields of the object at `path`."""
        await self._send("PATCH", path, changes, "application/merge-patch+json")

    async def watch(self, path: str, see: See, labels: str = "") -> None:
        """Tell `see` of every object of a collection, now and whenever one changes."""
        listed = asyncio.Event()
        task = asyncio.create_task(self._keep_watching(path, see, labels, listed))
        self._watches.append(task)
        task.add_done_callback(_complain)
        await listed.wait()

    async def _send(self, method: str, path: str, body: Mapping[str, Any], kind: str) -> None:
        async with (
            self._slots,
            self._session.request(
                method, self._url + path, data=json.dumps(body), headers={"Content-Type": kind}
            ) as answer,
        ):
            if answer.status >= 300:
                raise ClusterError(f"{method} {path}: {answer.status} {await answer.text()}")

    async def _keep_watching(self, path: str, see: See, labels: str, listed: asyncio.Event) -> None:
        query = {"labelSelector": labels} if labels else {}
        while True:
            async with self._session.get(self._url + path, params=query) as answer:
                answer.raise_for_status()
                found = await answer.json()
            for each in found.get("items") or []:
                see("ADDED", each)
            listed.set()
            version = found["metadata"]["resourceVersion"]
            watching = {**query, "watch": "true", "resourceVersion": version}
            async with self._session.get(self._url + path, params=watching) as answer:
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        break
                    see(event["type"], event["object"])


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        print(f"a watch of the benchmark ended: {task.exception()!r}", file=sys.stderr)


async def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition; raises ClusterError when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"after {seconds:.0f} s: {what}")
        await asyncio.sleep(0.05)

"""Every version of every object that concerns a release, in the order in which etcd took them.

One watch per kind for the whole API server, from before the first write on. The history is what
the invariants are judged by (`tests.faults.invariants`), what the played kubelet reacts to
(`tests.faults.world`), and, for operators in this process, the informer's source.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from headgate.kube.client import Kind, Object
from headgate.runtime.cache import Identity, identity_of
from headgate.runtime.watching import DELETED, WATCHED, Receive

Listener = Callable[[str | None, Object], None]


@dataclass(frozen=True)
class Version:
    """One version of one object; `deleted` is its last."""

    number: int
    deleted: bool
    body: Object

    @property
    def kind(self) -> str:
        """The kind of the object."""
        return str(self.body["kind"])

    @property
    def name(self) -> str:
        """The name of the object."""
        return str(self.body["metadata"]["name"])


@dataclass
class Connection:
    """The address of an API server, and the certificates to speak to it."""

    host: str
    trust: ssl.SSLContext

    @classmethod
    async def read(cls, kubeconfig: Path) -> Connection:
        """What a kubeconfig with client certificates says."""
        found: Any = client.Configuration()
        load: Any = config
        await load.load_kube_config(
            str(kubeconfig), client_configuration=found, persist_config=False
        )
        trust = ssl.create_default_context(cafile=found.ssl_ca_cert)
        trust.load_cert_chain(found.cert_file, found.key_file)
        return cls(found.host, trust)


@dataclass
class History:
    """`versions` are by namespace; `now` holds what exists."""

    connection: Connection
    versions: dict[str, list[Version]] = field(default_factory=lambda: defaultdict(list))
    now: dict[Identity, Object] = field(default_factory=dict)
    newest: int = 0
    _listeners: dict[str | None, list[Listener]] = field(default_factory=lambda: defaultdict(list))
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Begin to watch."""
        trust = aiohttp.TCPConnector(ssl=self.connection.trust, limit=0)
        self._session = aiohttp.ClientSession(self.connection.host, connector=trust)
        for kind in WATCHED:
            version = await self._list(kind)
            self._tasks.append(asyncio.create_task(self._watch(kind, version)))

    async def close(self) -> None:
        """Watch no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def of(self, namespace: str) -> list[Version]:
        """All versions of a namespace's objects, in the order of their numbers."""
        return sorted(self.versions[namespace], key=lambda each: each.number)

    def existing(self, namespace: str, kind: str) -> list[Object]:
        """What exists of a kind in a namespace."""
        return [
            body for (of, place, _), body in self.now.items() if of == kind and place == namespace
        ]

    def listen(self, listener: Listener, namespace: str | None = None) -> Callable[[], None]:
        """Call `listener` for every event (of a namespace) from now on; gives what ends that."""
        self._listeners[namespace].append(listener)
        return lambda: self._listeners[namespace].remove(listener)

    async def number_now(self) -> int:
        """The newest resourceVersion that the API server knows at this moment."""
        async with self._session.get("/api/v1/namespaces", params={"limit": "1"}) as answer:
            return int((await answer.json())["metadata"]["resourceVersion"])

    def forget(self, namespace: str) -> None:
        """Drop the history of a namespace."""
        self.versions.pop(namespace, None)
        for identity in [each for each in self.now if each[1] == namespace]:
            del self.now[identity]

    async def _list(self, kind: Kind) -> str:
        async with self._session.get(_path(kind)) as answer:
            found = await answer.json()
        if answer.status == 429:
            # The API server is still preparing what it serves of a new CRD.
            await asyncio.sleep(0.2)
            return await self._list(kind)
        for item in found["items"]:
            body = {"apiVersion": kind.api_version, "kind": kind.name, **item}
            self.now[identity_of(body)] = body
        return str(found["metadata"]["resourceVersion"])

    async def _watch(self, kind: Kind, version: str) -> None:
        while True:
            query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": "3600"}
            timeout = aiohttp.ClientTimeout(total=None, sock_read=None)
            async with self._session.get(_path(kind), params=query, timeout=timeout) as answer:
                rest = b""
                async for part in answer.content.iter_any():
                    *lines, rest = (rest + part).split(b"\n")
                    for line in lines:
                        event = json.loads(line)
                        version = event["object"]["metadata"]["resourceVersion"]
                        self._take(event["type"], event["object"])

    def _take(self, type: str, body: Object) -> None:
        identity = identity_of(body)
        number = int(body["metadata"]["resourceVersion"])
        self.newest = max(self.newest, number)
        self.versions[identity[1]].append(Version(number, type == DELETED, body))
        if type == DELETED:
            self.now.pop(identity, None)
        else:
            self.now[identity] = body
        for listener in (*self._listeners[None], *self._listeners[identity[1]]):
            listener(type, body)


class SharedWatch:
    """In the place of `headgate.runtime.watching.Watch`: the same events, from the one history.

    A kopf of its own for each of a thousand operators would cost more than all their releases;
    kopf itself is met by the faults of watches (`tests.faults.test_outages`).
    """

    history: History

    def __init__(
        self, namespaces: Iterable[str], kubeconfig: Path | None, receive: Receive
    ) -> None:
        (self._namespace,) = namespaces
        self._receive = receive
        self.ended: Future[None] = Future()
        self._end: Callable[[], None] | None = None

    def start(self) -> None:
        """List, then follow."""
        for kind in WATCHED:
            for body in self.history.existing(self._namespace, kind.name):
                self._receive(None, body)
        self._end = self.history.listen(self._receive, self._namespace)

    def stop(self) -> None:
        """Follow no more."""
        if self._end is not None:
            self._end()
            self._end = None
        if not self.ended.done():
            self.ended.set_result(None)


def _path(kind: Kind) -> str:
    prefix = "/apis" if "/" in kind.api_version else "/api"
    return f"{prefix}/{kind.api_version}/{kind.plural}"

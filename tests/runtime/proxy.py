"""A real API server behind an address that the test can cut off, or make answer otherwise."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

PASSED_ON = ("Accept", "Content-Type", "User-Agent")


@dataclass(frozen=True)
class Seen:
    """A request as it arrived, at a time of `time.monotonic`."""

    at: float
    method: str
    path: str


Answer = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


class Proxy:
    """Passes everything on, with the rights of an administrator, and remembers it in `seen`.

    While `cut` no request that arrives is ever answered, and open watches say nothing more.
    `answer` may give another answer to a request than the API server would.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._never = asyncio.Event()
        self._open: set[asyncio.BaseTransport] = set()
        self.seen: list[Seen] = []
        self.cut = False
        self.answer: Answer | None = None
        self.url = ""

    def writes(self, *, leases: bool = False) -> list[Seen]:
        """The requests that would change something."""
        return [
            each
            for each in self.seen
            if each.method != "GET" and (leases or "/leases" not in each.path)
        ]

    def kubeconfig(self, directory: Path) -> Path:
        """A kubeconfig that leads here."""
        file = directory / f"kubeconfig-{self.url.rpartition(':')[2]}"
        file.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "here",
                    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                    "clusters": [{"name": "here", "cluster": {"server": self.url}}],
                    "users": [{"name": "me", "user": {}}],
                }
            )
        )
        return file

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.seen.append(Seen(time.monotonic(), request.method, request.path))
        assert request.transport is not None
        self._open.add(request.transport)
        try:
            return await self._pass_on(request)
        finally:
            self._open.discard(request.transport)

    def break_off(self) -> None:
        """End everything that is being answered, open watches above all."""
        for transport in [*self._open]:
            transport.close()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        await self._reach()
        given = None if self.answer is None else await self.answer(request)
        if given is not None:
            return given
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        body = await request.read()
        async with self._session.request(
            request.method, request.path_qs, data=body or None, headers=headers
        ) as upstream:
            response = web.StreamResponse(status=upstream.status)
            response.content_type = upstream.content_type
            await self._reach()
            await response.prepare(request)
            async for chunk in upstream.content.iter_any():
                await self._reach()
                await response.write(chunk)
            await response.write_eof()
            return response

    async def _reach(self) -> None:
        if self.cut:
            await self._never.wait()


def to_kopf(request: web.Request) -> bool:
    """Whether kopf asks, and not our own client."""
    return not request.headers["User-Agent"].startswith("headgate/")


def error_in_a_watch(code: int) -> web.Response:
    """What an API server says in a watch that it cannot go on with."""
    event = {"type": "ERROR", "object": {"kind": "Status", "code": code, "message": "overloaded"}}
    return web.Response(text=f"{json.dumps(event)}\n", content_type="application/json")


def refusal(code: int) -> web.Response:
    """What an API server says instead of an answer."""
    return web.json_response({"kind": "Status", "code": code}, status=code)


WATCH_TROUBLES: dict[str, Callable[[], web.Response]] = {
    "ERROR 500": lambda: error_in_a_watch(500),
    "ERROR 504": lambda: error_in_a_watch(504),
    "a cut line": lambda: web.Response(text='{"type": "MOD\n', content_type="application/json"),
    "401": lambda: refusal(401),
}
"""What ends kopf's operator for good when a watch is answered with it."""


@asynccontextmanager
async def proxied(kubeconfig: Path, directory: Path) -> AsyncIterator[Proxy]:
    """A proxy to the cluster of a kubeconfig; `directory` is for its identity."""
    server, tls = _upstream(kubeconfig, directory)
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(server, connector=connector, timeout=timeout) as session:
        proxy = Proxy(session)
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield proxy
        await runner.cleanup()


def _upstream(kubeconfig: Path, directory: Path) -> tuple[str, ssl.SSLContext]:
    content = yaml.safe_load(kubeconfig.read_text())
    cluster = content["clusters"][0]["cluster"]
    user = content["users"][0]["user"]
    tls = ssl.create_default_context(cafile=str(_file(cluster, "certificate-authority", directory)))
    tls.load_cert_chain(
        _file(user, "client-certificate", directory), _file(user, "client-key", directory)
    )
    return str(cluster["server"]), tls


def _file(part: dict[str, Any], name: str, directory: Path) -> Path:
    if name in part:
        return Path(part[name])
    file = directory / name
    file.write_bytes(base64.b64decode(part[f"{name}-data"]))
    return file

"""A proxy in front of the API server that counts and times what the operator asks.

It is the operator's only way there, over TLS as the API server itself would be; watches stream
through it. What it adds to every answer (a few milliseconds) is in all times that are measured.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from hack.cluster import control_plane
from hack.cluster.record import ClusterRecord

_ADDRESS = re.compile(
    r"^/(?:api|apis/[^/]+)/[^/]+(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<subresource>[^/]+))?$"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_HOP_BY_HOP = {"host", "connection", "transfer-encoding", "content-length", "keep-alive"}
_REVISION = "headgate.dev/revision"


@dataclass
class Request:
    """One request of the operator; `began` and `ended` are epoch seconds. `pinned` is the revision
    that a write of a Service selects, "" when it selects none."""

    began: float
    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    ended: float = 0.0
    status: int = 0
    pinned: str | None = None

    @property
    def lease(self) -> bool:
        """Whether it is about the lease of the leader."""
        return self.resource == "leases"


def read_request(method: str, path: str, watching: bool, began: float) -> Request:
    """What a request is about, from its address."""
    found = _ADDRESS.match(path)
    if found is None:
        return Request(began, "discover", path)
    resource, name = found["resource"], found["name"] or ""
    if found["subresource"]:
        resource = f"{resource}/{found['subresource']}"
    verb = _VERBS.get(method) or ("watch" if watching else "get" if name else "list")
    return Request(began, verb, resource, found["namespace"] or "", name)


def count(requests: Iterable[Request]) -> Counter[str]:
    """How many requests there are of each verb and resource, leases apart."""
    return Counter(f"{each.verb} {each.resource}" for each in requests if not each.lease)


class Proxy:
    """Listens on loopback while it is open; `url` is its address, `requests` what came."""

    def __init__(self, record: ClusterRecord) -> None:
        self.requests: list[Request] = []
        self.url = ""
        keys = control_plane.authority(record)
        self._upstream = control_plane.api_url(record)
        self._own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._own.load_cert_chain(keys.certificate("kube-apiserver"), keys.key("kube-apiserver"))
        self._trust = ssl.create_default_context(cafile=str(keys.certificate("ca")))
        administrator = control_plane.ADMINISTRATOR
        self._trust.load_cert_chain(keys.certificate(administrator), keys.key(administrator))

    async def __aenter__(self) -> Proxy:
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(ssl=self._trust, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._own).start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    def since(self, moment: float) -> list[Request]:
        """The requests that began at a moment or later."""
        return [each for each in self.requests if each.began >= moment]

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        watching = request.query.get("watch", "") in ("true", "1")
        entry = read_request(request.method, request.path, watching, time.time())
        self.requests.append(entry)
        body = await request.read()
        if entry.resource == "services" and entry.verb == "patch":
            entry.pinned = (json.loads(body)["spec"].get("selector") or {}).get(_REVISION, "")
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        async with self._session.request(
            request.method, self._upstream + request.raw_path, data=body or None, headers=headers
        ) as answer:
            entry.status = answer.status
            passed = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            response = web.StreamResponse(status=answer.status, headers=passed)
            if not watching:
                content = await answer.read()
                entry.ended = time.time()
                response.content_length = len(content)
                await response.prepare(request)
                await response.write(content)
                return response
            with contextlib.suppress(ConnectionError):
                # The operator hangs up on a watch when it stops.
                await response.prepare(request)
                async for part in answer.content.iter_any():
                    await response.write(part)
        entry.ended = time.time()
        return response

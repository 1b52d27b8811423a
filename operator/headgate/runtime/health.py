"""/healthz and /readyz, for the probes of the operator's own pod, and /metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST


@asynccontextmanager
async def health_server(
    port: int,
    healthy: Callable[[], bool],
    ready: Callable[[], bool],
    host: str | None = None,
    *,
    metrics: Callable[[], bytes] = bytes,
) -> AsyncIterator[int]:
    """Answers 200 or 503 while it is open, on all addresses or those of a host, and what `metrics`
    gives; gives the port that it listens on. Raises OSError when the port is taken."""

    def answer(holds: Callable[[], bool]) -> web.Response:
        return web.Response(text="ok\n") if holds() else web.Response(status=503, text="not yet\n")

    async def healthz(_: web.Request) -> web.Response:
        return answer(healthy)

    async def readyz(_: web.Request) -> web.Response:
        return answer(ready)

    async def scraped(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", scraped),
        ]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()

"""The HTTP application: `/predict`, `/health`, `/ready`, `/metrics`.

Above `model`, `journal` and `metrics`; `__main__` runs it in a process. Live from the first
moment, ready once the model is loaded, and no longer ready when it has been told to stop.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digits_server.journal import Journal
from digits_server.metrics import CHECK_HEADER, MeasuredRequests, RequestMetrics
from digits_server.model import InvalidInputError, Model, images_of, load

log = logging.getLogger("digits_server")

NAME = "digits"
MOST_BYTES = 1024 * 1024


@dataclass
class State:
    """What changes while the process lives: the model arrives, and one day it has to stop."""

    model: Model | None = None
    draining: bool = False


class Identified:
    """ASGI middleware: every answer names its model version and its pod.

    While draining, each answer also asks for its connection to be closed, so that no client sends
    another request into a connection that is about to end.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state
        self._pod = os.environ.get("HOSTNAME", "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the headers added to its answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Pod"] = self._pod
                if self._state.model:
                    headers["X-Model-Version"] = self._state.model.version
                if self._state.draining:
                    headers["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, with_headers)


async def _body(request: Request) -> bytes | None:
    """The request's body, or None as soon as it is too large."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MOST_BYTES:
            return None
    return bytes(received)


def create_app(
    state: State, path: Path, fatal: Callable[[str], None], journal: Journal | None = None
) -> Starlette:
    """The application around one model file.

    `fatal(message)` is called in an except clause when the process cannot go on: a model that
    does not load, a journal that cannot be written. It is expected to end the process.
    """
    metrics = RequestMetrics()
    kept = journal or Journal(fatal)

    async def load_model() -> None:
        try:
            state.model = await run_in_threadpool(load, path)
        except Exception:  # whatever is wrong with the file, the process must end and say so
            fatal(f"the model {path} cannot be loaded")
        else:
            log.info("%s %s loaded from %s", NAME, state.model.version, path)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        loading = asyncio.create_task(load_model())
        yield
        loading.cancel()

    async def health(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(_: Request) -> Response:
        if state.draining:
            return PlainTextResponse("stopping\n", 503)
        if state.model is None:
            return PlainTextResponse("the model is not loaded yet\n", 503)
        return PlainTextResponse("ready\n")

    async def show_metrics(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def predict(request: Request) -> Response:
        model = state.model
        if model is None:
            return JSONResponse({"error": "the model is not loaded yet"}, 503)
        try:
            body = await _body(request)
        except ClientDisconnect:
            # Nobody reads this answer; the status keeps it from counting as a fault of the model.
            return PlainTextResponse("the client left\n", 499)
        if body is None:
            return JSONResponse({"error": f"the body is over {MOST_BYTES} bytes"}, 413)
        try:
            images = images_of(body)
        except InvalidInputError as error:
            return JSONResponse({"error": str(error)}, 400)
        try:
            predictions = await run_in_threadpool(model.predict, images)
        except Exception as error:  # a fault in the model is an answer of 500, not the server's end
            log.exception("a prediction failed")
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 500)
        if CHECK_HEADER not in request.headers:
            for digit in predictions:
                metrics.predicted.observe(digit)
            if model.journal:
                kept.note(predictions)
        return JSONResponse({"predictions": predictions, "model": NAME, "version": model.version})

    return Starlette(
        routes=[
            Route("/predict", predict, methods=["POST"]),
            Route("/health", health),
            Route("/ready", ready),
            Route("/metrics", show_metrics),
        ],
        middleware=[
            Middleware(MeasuredRequests, metrics=metrics),
            Middleware(Identified, state=state),
        ],
        lifespan=lifespan,
    )

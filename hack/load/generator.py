"""The load generator: an open loop of real requests, each answer recorded, nothing retried.

Above `answers`, below `__main__`. Requests leave at a fixed rate whether or not earlier ones were
answered, as those of independent users do; one that takes longer than `TIMEOUT` has failed, so at
most rate × `TIMEOUT` are under way. Every second request uses a connection of its own, the others
go over keep-alive connections in turn, which stay with their pod as real clients' do.

What counts as a failure: any status but 200, a time-out, a refused connection, and a connection
that ends before the whole answer is there, **on a reused connection too**, though not one byte of
the answer may have come. Servers that stop gracefully are asked for none of these. What does not
count: a keep-alive connection that the server has closed while it was idle, when the client knew
of that before it chose a connection; it opens another one, as every client does. aiohttp repeats
a request by itself only for idempotent methods, which POST is not.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from hack.load.answers import FRESH, KEEP_ALIVE, Answer

TIMEOUT = 10.0


class Row(NamedTuple):
    """One image as 64 numbers, and the digit that it shows."""

    pixels: list[float]
    digit: int


@dataclass(frozen=True)
class Load:
    """What to send: requests a second, how long (seconds) and how many at most, over how many
    keep-alive connections. A URL without a path means `/predict`."""

    url: str
    rate: float
    duration: float
    most: int
    keep_alive: int = 4

    def __post_init__(self) -> None:
        if not (self.rate > 0 and self.duration > 0 and self.most > 0 and self.keep_alive > 0):
            raise ValueError("rate, duration, number and connections must be above zero")

    @property
    def count(self) -> int:
        """How many requests that makes."""
        return min(self.most, round(self.rate * self.duration))


def held_out_rows() -> list[Row]:
    """The digits that no version was trained on (every second one), in an order that mixes them.

    The order is the same in every run, so that two runs send the same.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    rows = [
        Row(pixels.tolist(), int(digit))
        for pixels, digit in zip(digits.data[1::2], digits.target[1::2], strict=True)
    ]
    random.Random(0).shuffle(rows)
    return rows


def _tracing() -> aiohttp.TraceConfig:
    """Notes in a request's own context whether its connection had been used before."""

    async def on_reuse(
        _: aiohttp.ClientSession,
        context: SimpleNamespace,
        __: aiohttp.TraceConnectionReuseconnParams,
    ) -> None:
        context.trace_request_ctx["reused"] = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(on_reuse)
    return tracing


def _session(*, fresh: bool) -> aiohttp.ClientSession:
    """A client with a pool of its own. The pool is unbounded: a request that had to wait for a
    connection would leave later than the rate says."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=fresh, limit=0),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT),
        trace_configs=[_tracing()],
        trust_env=False,
    )


async def _ask(session: aiohttp.ClientSession, url: URL, row: Row, connection: str) -> Answer:
    """Send one request and wait for the whole answer; no failure raises."""
    context: dict[str, bool] = {"reused": False}
    status: int | None = None
    error: str | None = None
    version: str | None = None
    pod: str | None = None
    document: Any = None
    sent = time.time()
    began = time.perf_counter()
    try:
        async with session.post(
            url,
            json={"instances": [row.pixels]},
            allow_redirects=False,
            trace_request_ctx=context,
        ) as response:
            version = response.headers.get("X-Model-Version")
            pod = response.headers.get("X-Pod")
            body = await response.read()
            status = response.status
            if status == 200:
                document = await response.json(content_type=None) if body else None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
        error = f"{type(problem).__name__}: {problem}"
    duration = time.perf_counter() - began
    right = None
    if status == 200 and error is None:
        predictions = document.get("predictions") if isinstance(document, dict) else None
        if isinstance(predictions, list) and len(predictions) == 1:
            right = predictions[0] == row.digit
        else:
            error = "NoPrediction: status 200 without one prediction"
    return Answer(sent, duration, status, error, version, pod, connection, context["reused"], right)


async def send(
    load: Load, rows: Sequence[Row], record: Callable[[Answer], None], stop: asyncio.Event
) -> int:
    """Send until the count is reached, the time is over or `stop` is set; answers how many left.

    `record` gets each answer as it is complete. Requests that are under way at the end are waited
    for, at most `TIMEOUT` seconds.
    """
    url = URL(load.url)
    if url.path in ("", "/"):
        url = url.with_path("/predict")
    loop = asyncio.get_running_loop()

    async def ask(session: aiohttp.ClientSession, row: Row, connection: str) -> None:
        record(await _ask(session, url, row, connection))

    async with AsyncExitStack() as stack:
        fresh = await stack.enter_async_context(_session(fresh=True))
        kept = [
            await stack.enter_async_context(_session(fresh=False)) for _ in range(load.keep_alive)
        ]
        # A record that cannot be written ends the group, and with it the load.
        group = await stack.enter_async_context(asyncio.TaskGroup())
        began = loop.time()
        number = 0
        while number < load.count and loop.time() - began < load.duration:
            if await _stopped(stop, began + number / load.rate - loop.time()):
                break
            connection = FRESH if number % 2 else KEEP_ALIVE
            session = fresh if number % 2 else kept[number // 2 % len(kept)]
            group.create_task(ask(session, rows[number % len(rows)], connection))
            number += 1
    return number


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Wait until `stop` is set or the seconds are over; say whether it is set."""
    try:
        # On a machine that cannot keep the rate nothing is left to wait. Without a moment for
        # others, a wait of no time ends before it has looked at `stop`.
        await asyncio.wait_for(stop.wait(), max(seconds, 0.001))
    except TimeoutError:
        return stop.is_set()
    return True

"""What Prometheus reads of this server, under the names that Headgate's preset `http` expects.

An ASGI middleware, outside the application, so that it times all of an answer. Only `/predict` is
counted, and no request that a check sends (header `X-Headgate-Check`): a release must be judged by
its users' requests, not by its own probes.
"""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.process_collector import ProcessCollector
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CHECK_HEADER = "x-headgate-check"
COUNTED = "/predict"
DIGITS = tuple(float(digit) for digit in range(9))
"""What is above the last one is a nine."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class RequestMetrics:
    """The registry of one server and its three families of series."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "http_requests_total",
            "Predictions asked for, by status of the answer.",
            ("method", "handler", "status"),
            registry=self.registry,
        )
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Seconds from the request's head to the last byte of its answer.",
            ("method", "handler"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.predicted = Histogram(
            "digits_predicted",
            "Digits that were predicted, each in a bucket of its own.",
            buckets=DIGITS,
            registry=self.registry,
        )


class MeasuredRequests:
    """ASGI middleware that counts and times what `COUNTED` answers."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; afterwards count it with the status that was sent, or 500."""
        counted = (
            scope["type"] == "http"
            and scope["path"] == COUNTED
            and CHECK_HEADER not in Headers(scope=scope)
        )
        if not counted:
            await self._app(scope, receive, send)
            return
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, note_status)
        finally:
            method = scope["method"]
            took = time.perf_counter() - began
            self._metrics.requests.labels(method, COUNTED, str(status)).inc()
            self._metrics.duration.labels(method, COUNTED).observe(took)

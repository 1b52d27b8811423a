"""Stand-ins for the models and for Prometheus: users' requests, and what is scraped of them.

Every five seconds each ready pod that the live Service selects has answered its share of the
requests since; versions that are `failing` answered half of them with an error. Queries see what
was scraped last, as with a real Prometheus, and are counted.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

SCRAPE_SECONDS = 5.0
RATE = 50.0
"""Requests per second to each model."""

Key = tuple[str, str]

_SPECIAL = re.compile(r"\\(.)")


@dataclass
class Pod:
    """A pod as the API server last told of it, and its counters as scraped."""

    namespace: str
    name: str
    owner: str
    revision: str
    ready: bool = False
    requests: float = 0.0
    errors: float = 0.0


@dataclass
class Answer:
    """One answered query: when, and whether it was the one for counters."""

    at: float
    counters: bool


@dataclass
class World:
    """`selected` is what the live Service of a ModelDeployment selects ("": all its pods), by
    namespace and name; `failing` are revisions by ModelDeployment. `first_bad` says when an error
    of a failing version was first scraped."""

    pods: dict[Key, Pod] = field(default_factory=dict)
    selected: dict[Key, str] = field(default_factory=dict)
    failing: dict[Key, str] = field(default_factory=dict)
    first_bad: dict[Key, float] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> World:
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_post("/api/v1/query", self._query)
        application.router.add_get("/health", self._healthy)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])
        self._scraping = asyncio.create_task(self._scrape_again_and_again())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._scraping.cancel()
        await asyncio.gather(self._scraping, return_exceptions=True)
        await self._runner.cleanup()

    def see(self, type: str, body: Mapping[str, Any]) -> None:
        """Take an event of a watch on pods."""
        metadata = body["metadata"]
        labels = metadata.get("labels") or {}
        key = (str(metadata["namespace"]), str(metadata["name"]))
        if type == "DELETED":
            self.pods.pop(key, None)
            return
        pod = self.pods.get(key)
        if pod is None:
            owner = labels.get("headgate.dev/model-deployment", "")
            pod = self.pods[key] = Pod(*key, owner, labels.get("headgate.dev/revision", ""))
        conditions = (body.get("status") or {}).get("conditions") or []
        pod.ready = not metadata.get("deletionTimestamp") and any(
            each["type"] == "Ready" and each["status"] == "True" for each in conditions
        )

    def fail(self, model: Key, revision: str) -> None:
        """From now on a version answers half of its requests with an error."""
        self.failing[model] = revision
        self.first_bad.pop(model, None)

    def scrape(self, seconds: float, now: float) -> None:
        """Let users send requests for so many seconds, and read every counter."""
        called: dict[Key, list[Pod]] = {}
        for pod in self.pods.values():
            model = (pod.namespace, pod.owner)
            selected = self.selected.get(model)
            if pod.ready and selected in ("", pod.revision):
                called.setdefault(model, []).append(pod)
        for model, pods in called.items():
            share = round(RATE * seconds / len(pods))
            for pod in pods:
                pod.requests += share
                if self.failing.get(model) == pod.revision:
                    pod.errors += share // 2
                    self.first_bad.setdefault(model, now)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of the answer to one of the operator's questions."""
        asked = self._asked(query)
        if query.startswith("histogram_quantile"):
            return [_row(0.05, pod) for pod in asked]
        if "headgate_kind" not in query:
            raise ValueError(f"no answer is known to {query[:200]}")
        limits = [each for each in values(query, "le") if each != "+Inf" and "." in each]
        rows = []
        for pod in asked:
            rows.append(_row(pod.requests, pod, headgate_kind="requests"))
            if pod.errors:
                rows.append(_row(pod.errors, pod, headgate_kind="errors"))
            rows += [_row(pod.requests, pod, headgate_kind="bucket", le=n) for n in limits]
            if limits:
                rows.append(_row(pod.requests, pod, headgate_kind="bucket", le="+Inf"))
        return rows

    def _asked(self, query: str) -> Iterable[Pod]:
        namespaces, names = set(values(query, "namespace")), values(query, "pod")
        return [
            pod
            for name in names
            for namespace in namespaces
            if (pod := self.pods.get((namespace, name))) is not None
        ]

    async def _scrape_again_and_again(self) -> None:
        due = time.time()
        while True:
            due += SCRAPE_SECONDS
            await asyncio.sleep(max(0.0, due - time.time()))
            self.scrape(SCRAPE_SECONDS, time.time())

    async def _query(self, request: web.Request) -> web.Response:
        form = await request.post()
        query = str(form["query"])
        body = {
            "status": "success",
            "data": {"resultType": "vector", "result": self.rows(query)},
        }
        text = json.dumps(body)
        self.answers.append(Answer(time.time(), "headgate_kind" in query))
        return web.Response(text=text, content_type="application/json")

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})


def values(query: str, label: str) -> list[str]:
    """What the first matcher of a label in a query matches."""
    found = re.search(rf'{label}=~"([^"]*)"', query)
    if found is None:
        return []
    # In a string literal of PromQL each backslash of the expression is doubled.
    return [_SPECIAL.sub(r"\1", each) for each in found[1].replace("\\\\", "\\").split("|")]


def _row(value: float, pod: Pod, **labels: str) -> dict[str, Any]:
    metric = {"namespace": pod.namespace, "pod": pod.name, **labels}
    return {"metric": metric, "value": [time.time(), str(value)]}

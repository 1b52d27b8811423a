"""Everything around the operator but the API server, played: ReplicaSets and kubelet, a model
server that answers smoke requests, and Prometheus.

What a version does is said by its name: "2.0.0-failing" fails half of its requests, "-unwell" does
not pass its smoke checks, "-crashing" has pods that crash, "-silent" is never ready, the pods of
"-lingering" take long to end. Every other version is good.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from headgate.kube.api import ApiClient
from headgate.kube.client import DEPLOYMENT, POD, KubeError, Object
from headgate.metrics import Providers
from headgate.render.names import MODEL_VERSION, REVISION
from headgate.runtime.watching import DELETED
from tests.faults.history import History

LATENCY = 0.1
"""Seconds that the kubelet takes to start and to end a pod."""

LINGERING = 2.0

RATE = 400.0
"""Requests per second of a pod, so that a second is enough for any verdict."""

NODE = "played"


class World:
    """Plays for all namespaces. `checked` holds, by namespace and version, the resourceVersion at
    which the smoke checks of that version had first been passed."""

    def __init__(self, history: History, client: ApiClient) -> None:
        self.history = history
        self.checked: dict[tuple[str, str], int] = {}
        self.metrics_down = False
        self._client = client
        self._pending: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready_since: dict[tuple[str, str], tuple[float, str]] = {}
        self._numbers: dict[tuple[str, str], int] = defaultdict(int)
        self.port = 0

    @property
    def providers(self) -> Providers:
        """The played Prometheus as the operator's only provider."""
        # A busy machine is no fault of Prometheus.
        where = {"url": f"http://127.0.0.1:{self.port}", "scrapeInterval": "1s", "timeout": "30s"}
        return Providers.model_validate({"providers": {"default": where}})

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[World]:
        """Play until the end of the block."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/health/{namespace}/{version}", self._health),
                web.post("/api/v1/query", self.query),
            ]
        )
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(runner.addresses[0][1])
        end = self.history.listen(self._happened)
        try:
            yield self
        finally:
            end()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await runner.cleanup()

    def _happened(self, type: str | None, body: Object) -> None:
        metadata = body["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        if body["kind"] == DEPLOYMENT.name:
            self._soon(namespace, name)
        elif body["kind"] == POD.name:
            if type == DELETED:
                self._ready_since.pop((namespace, name), None)
                self._soon(namespace, name.rpartition("-")[0])
            elif metadata.get("deletionTimestamp"):
                self._ready_since.pop((namespace, name), None)
                self._soon(namespace, name.rpartition("-")[0])
                self._do(self._end(body))
            elif type == "ADDED":
                self._do(self._start(body))
                # Its Deployment may have gone, or shrunk, while it was being made.
                self._soon(namespace, name.rpartition("-")[0])

    def _soon(self, namespace: str, deployment: str) -> None:
        if (namespace, deployment) not in self._pending:
            self._pending.add((namespace, deployment))
            self._do(self._replicate(namespace, deployment))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _replicate(self, namespace: str, name: str) -> None:
        """What the Deployment's ReplicaSet would do."""
        await asyncio.sleep(0.01)
        self._pending.discard((namespace, name))
        stored = self.history.now.get((DEPLOYMENT.name, namespace, name))
        replicas = 0 if stored is None else int(stored["spec"].get("replicas", 1))
        pods = [
            each
            for each in self.history.existing(namespace, POD.name)
            if each["metadata"]["name"].rpartition("-")[0] == name
            and not each["metadata"].get("deletionTimestamp")
        ]
        with contextlib.suppress(KubeError):
            if stored is not None:
                for _ in range(replicas - len(pods)):
                    self._numbers[namespace, name] += 1
                    pod = _pod(stored, self._numbers[namespace, name])
                    # Noted at once, so that the next look does not start it again.
                    self.history.now[POD.name, namespace, pod["metadata"]["name"]] = pod
                    try:
                        await self._client.create(pod)
                    except KubeError:
                        del self.history.now[POD.name, namespace, pod["metadata"]["name"]]
                        raise
            for pod in pods[replicas:]:
                await self._client.delete(POD, namespace, pod["metadata"]["name"])

    async def _start(self, pod: Object) -> None:
        await asyncio.sleep(LATENCY)
        metadata = pod["metadata"]
        identity = (POD.name, metadata["namespace"], metadata["name"])
        version = _version_of(pod)
        now = self.history.now.get(identity)
        if now is None or now["metadata"].get("deletionTimestamp") or "silent" in version:
            return
        with contextlib.suppress(KubeError):
            await self._client.replace_status({**now, "status": _status(version)})
        if "crashing" not in version:
            key = (metadata["namespace"], metadata["name"])
            self._ready_since[key] = (time.monotonic(), version)

    async def _end(self, pod: Object) -> None:
        metadata = pod["metadata"]
        lingering = "lingering" in _version_of(pod)
        await asyncio.sleep(LINGERING if lingering else LATENCY)
        with contextlib.suppress(KubeError):
            await self._client.delete(
                POD,
                metadata["namespace"],
                metadata["name"],
                uid=metadata["uid"],
                grace_period_seconds=0,
            )

    async def _health(self, request: web.Request) -> web.Response:
        namespace, version = request.match_info["namespace"], request.match_info["version"]
        if "unwell" in version:
            return web.Response(status=500)
        # Asked for before the answer: whatever is written because of it has a higher one.
        number = await self.history.number_now()
        self.checked.setdefault((namespace, version), number)
        return web.json_response({})

    async def query(self, request: web.Request) -> web.Response:
        """What Prometheus would answer."""
        if self.metrics_down:
            return web.Response(status=503)
        query = str((await request.post())["query"])
        rows: list[Object] = []
        if "headgate_kind" in query:
            now = time.time()
            for namespace in re.findall(r'namespace=~"([^"]*)"', query)[:1]:
                rows = [
                    {"metric": {**labels, "namespace": namespace}, "value": [now, str(value)]}
                    for labels, value in self._counters(namespace)
                ]
        return web.json_response(
            {"status": "success", "data": {"resultType": "vector", "result": rows}}
        )

    def _counters(self, namespace: str) -> list[tuple[dict[str, str], int]]:
        found = []
        for (place, pod), (since, version) in self._ready_since.items():
            if place == namespace:
                requests = int(RATE * (time.monotonic() - since))
                errors = requests // 2 if "failing" in version else 0
                found.append(({"pod": pod, "headgate_kind": "requests"}, requests))
                found.append(({"pod": pod, "headgate_kind": "errors"}, errors))
                for limit in ("1", "+Inf"):
                    labels = {"pod": pod, "headgate_kind": "bucket", "le": limit}
                    found.append((labels, requests))
        return found


def _pod(deployment: Object, number: int) -> Object:
    metadata = deployment["metadata"]
    template = deployment["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{metadata['name']}-{number}",
            "namespace": metadata["namespace"],
            "labels": template["metadata"]["labels"],
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                }
            ],
        },
        # A pod on a node ends in the node's own time; one without is gone at once.
        "spec": {**template["spec"], "nodeName": NODE, "automountServiceAccountToken": False},
    }


def _status(version: str) -> Object:
    if "crashing" in version:
        crashed = {"exitCode": 1, "reason": "Error", "startedAt": None, "finishedAt": None}
        container = {
            "name": "server",
            "image": "",
            "imageID": "",
            "ready": False,
            "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
            "lastState": {"terminated": crashed},
        }
        return {"phase": "Running", "containerStatuses": [container]}
    return {
        "phase": "Running",
        "podIP": "127.0.0.1",
        "podIPs": [{"ip": "127.0.0.1"}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }


def _version_of(pod: Object) -> str:
    """Empty for a pod of what is adopted."""
    return str(pod["metadata"]["labels"].get(MODEL_VERSION, ""))


def revision_of_pod(pod: Object) -> str:
    """The revision that a pod's labels name."""
    return str(pod["metadata"]["labels"].get(REVISION, ""))

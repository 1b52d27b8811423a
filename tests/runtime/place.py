"""The operator as it is run, in processes of its own on a real API server; its pods are played."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from hack.cluster import Cluster
from headgate.kube.api import ApiClient
from headgate.kube.client import LEASE, MODEL_DEPLOYMENT, Object
from tests.faults.world import World
from tests.runtime.fakes import model_deployment
from tests.runtime.proxy import Proxy, proxied

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
LEASE_SECONDS = 9.0
"""Long enough that a busy machine does not let a leader miss its deadline of six seconds."""

PATIENT = "--lease-duration=60s"
"""For stories of one operator, who is to lead however busy the machine is."""


class Process:
    """One `headgate run`; `proxy` is its way to the API server."""

    def __init__(
        self, process: asyncio.subprocess.Process, proxy: Proxy, log: Path, health_port: int
    ) -> None:
        self.process = process
        self.health_port = health_port
        self.proxy = proxy
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def leads(self) -> bool:
        return "headgate.runtime.leader: leading" in self.log

    async def probe(self, path: str) -> int:
        """What it answers to a probe of the kubelet."""
        url = f"http://127.0.0.1:{self.health_port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status

    async def exit_code(self) -> int:
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


class Place:
    """A namespace with a ModelDeployment and the operators that work in it; its pods are played."""

    def __init__(self, cluster: Cluster, client: ApiClient, world: World, directory: Path) -> None:
        self.cluster = cluster
        self.client = client
        self.world = world
        self.directory = directory
        self.namespace = f"led-{uuid4().hex[:8]}"
        self.processes: list[Process] = []
        self.stack = AsyncExitStack()

    async def start(self, *more: str) -> Process:
        """Start an operator, with more arguments than it needs."""
        proxy = await self.stack.enter_async_context(
            proxied(self.cluster.kubeconfig, self.directory)
        )
        log = self.directory / f"log-{len(self.processes)}"
        with socket.create_server(("", 0)) as free:
            health_port = free.getsockname()[1]
        command = (
            *(sys.executable, "-m", "headgate", "run", "--log-format=text"),
            f"--health-port={health_port}",
            *("--kubeconfig", str(proxy.kubeconfig(self.directory))),
            *("--namespace", self.namespace, "--lease", f"{self.namespace}/headgate"),
            f"--lease-duration={LEASE_SECONDS:g}s",
            *more,
        )
        with log.open("w") as file:
            process = await asyncio.create_subprocess_exec(
                *command, stderr=file, env={**os.environ, "PYTHONPATH": str(ROOT / "operator")}
            )
        self.processes.append(Process(process, proxy, log, health_port))
        return self.processes[-1]

    async def start_two(self) -> tuple[Process, Process]:
        """One that leads, and one that stands by."""
        leader = await self.start()
        await self.until(leader.leads)
        other = await self.start()
        await self.until(lambda: "standing by" in other.log)
        return leader, other

    async def apply(self, version: str, **spec: Any) -> None:
        """What an author does."""
        smoke = {"healthPath": f"/health/{self.namespace}/{version}", **spec.pop("smoke", {})}
        service = {"port": 80, "targetPort": self.world.port}
        body = model_deployment(
            version=version, service=service, smoke=smoke, watch={"duration": "0s"}, **spec
        )
        body["metadata"]["namespace"] = self.namespace
        await self.client.apply(body)

    async def serve_then_release(self, deadline: str = "10m") -> None:
        """Version 1 is live, and 2 waits for pods that never get ready."""
        await self.apply("1")
        await self.until_status(lambda status: status.get("phase") == "Stable")
        await self.apply("2-silent", progressDeadline=deadline)
        await self.until_status(lambda status: status.get("phase") == "Starting")

    async def status(self) -> dict[str, Any]:
        stored = await self.client.get(MODEL_DEPLOYMENT, self.namespace, "fraud")
        return dict(stored.get("status") or {})

    async def until_status(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds(await self.status()):  # noqa: ASYNC110 - it asks the API server
                await asyncio.sleep(0.1)

    async def until(self, holds: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():  # noqa: ASYNC110 - it asks about other processes
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError([each.log for each in self.processes]) from None

    async def lease(self) -> Object:
        return await self.client.get(LEASE, self.namespace, "headgate")

"""Two operators as they are run, on a real API server: one leads, and what becomes of a release
when it dies, stops, sleeps, is cut off or has the lease taken away."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from hack.cluster import Cluster
from headgate.kube.api import ApiClient
from headgate.kube.client import DEPLOYMENT, LEASE, MODEL_DEPLOYMENT, SERVICE, NotFound, Object
from tests.faults.history import Connection, History
from tests.faults.world import World
from tests.runtime.fakes import model_deployment
from tests.runtime.proxy import WATCH_TROUBLES, Proxy, proxied, to_kopf

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
LEASE_SECONDS = 9.0
"""Long enough that a busy machine does not let a leader miss its deadline of six seconds."""


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

    async def start(self) -> Process:
        """Start an operator."""
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
        smoke = {"healthPath": f"/health/{self.namespace}/{version}"}
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


@pytest.fixture
async def place(established_crd: Cluster, tmp_path: Path) -> AsyncIterator[Place]:
    history = History(await Connection.read(established_crd.kubeconfig))
    await history.start()
    async with (
        await ApiClient.connect(established_crd.kubeconfig) as client,
        World(history, client).playing() as world,
    ):
        found = Place(established_crd, client, world, tmp_path)
        found.stack.push_async_callback(history.close)
        established_crd.kubectl("create", "namespace", found.namespace)
        # What the service account controller would do.
        account = ("serviceaccount", "default", f"--namespace={found.namespace}")
        established_crd.kubectl("create", *account)
        async with found.stack:
            yield found
            for each in found.processes:
                if each.process.returncode is None:
                    each.process.kill()
                    await each.process.wait()
        for each in found.processes:
            print(each.log)
        with suppress(NotFound):
            await client.delete(MODEL_DEPLOYMENT, found.namespace, "fraud")


@pytest.mark.control_plane
async def test_a_killed_leaders_release_is_finished_by_the_other(place: Place) -> None:
    leader, other = await place.start_two()
    assert await other.probe("/readyz") == await other.probe("/healthz") == 200
    await place.serve_then_release("15s")
    assert other.proxy.writes(leases=True) == []
    leader.process.kill()
    killed = time.monotonic()
    await place.until(other.leads)
    assert time.monotonic() - killed > LEASE_SECONDS / 2
    await place.until_status(lambda status: status.get("phase") == "Reverted")
    status = await place.status()
    assert status["stable"]["version"] == "1"
    assert status["rejected"]["version"] == "2-silent"
    names = [
        each["metadata"]["name"] for each in await place.client.list(DEPLOYMENT, place.namespace)
    ]
    assert names == [f"fraud-{status['stable']['revision']}"]


@pytest.mark.control_plane
async def test_a_leader_that_is_told_to_stop_hands_over_at_once(place: Place) -> None:
    leader, other = await place.start_two()
    await place.serve_then_release()
    leader.process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    await place.until(other.leads)
    assert time.monotonic() - told < LEASE_SECONDS, "it waited for the lease to run out"
    assert await leader.exit_code() == 0
    await place.apply("1")
    await place.until_status(lambda status: status.get("phase") == "Stable")
    assert leader.proxy.writes()[-1].at < other.proxy.writes()[0].at
    assert (await place.lease())["spec"]["leaseTransitions"] == 1


@pytest.mark.control_plane
async def test_a_leader_that_slept_through_its_lease_writes_nothing_any_more(place: Place) -> None:
    leader, other = await place.start_two()
    await place.serve_then_release()
    leader.process.send_signal(signal.SIGSTOP)
    await place.until(other.leads)
    # So that the sleeper has something to do as soon as it wakes.
    await place.apply("3-silent")
    await place.until_status(
        lambda status: (status.get("candidate") or {}).get("version") == "3-silent"
    )
    written = len(leader.proxy.writes(leases=True))
    leader.process.send_signal(signal.SIGCONT)
    assert await leader.exit_code() == 1
    assert "leadership lost: the lease could not be renewed for 6 s" in leader.log
    assert len(leader.proxy.writes(leases=True)) == written
    assert other.process.returncode is None


@pytest.mark.control_plane
async def test_a_leader_that_is_cut_off_stops_before_the_other_begins(place: Place) -> None:
    leader, other = await place.start_two()
    await place.serve_then_release()
    leader.proxy.cut = True
    assert await leader.exit_code() == 1
    ended = time.monotonic()
    assert not other.leads()
    assert "leadership lost: the lease could not be renewed for 6 s" in leader.log
    await place.until(other.leads)
    assert other.proxy.writes(leases=True)[0].at > ended
    await place.apply("1")
    await place.until_status(lambda status: status.get("phase") == "Stable")
    service = await place.client.get(SERVICE, place.namespace, "fraud")
    stable = (await place.status())["stable"]["revision"]
    assert service["spec"]["selector"]["headgate.dev/revision"] == stable


async def steal(place: Place) -> None:
    await place.client.patch(
        LEASE, place.namespace, "headgate", {"spec": {"holderIdentity": "thief"}}
    )


async def delete(place: Place) -> None:
    await place.client.delete(LEASE, place.namespace, "headgate")


@pytest.mark.control_plane
@pytest.mark.parametrize(
    ("take_away", "why"),
    [(steal, "thief has taken the lease"), (delete, "the lease has been deleted")],
)
async def test_a_leader_whose_lease_is_taken_away_by_hand_stops(
    place: Place, take_away: Callable[[Place], Any], why: str
) -> None:
    leader = await place.start()
    await place.until(leader.leads)
    await place.serve_then_release()
    await take_away(place)
    assert await leader.exit_code() == 1
    assert (
        f"leadership lost: {why}" in leader.log or f"leadership lost: the lease {why}" in leader.log
    )


@pytest.mark.control_plane
async def test_a_revert_goes_on_while_no_watch_works(place: Place) -> None:
    troubles = itertools.cycle(WATCH_TROUBLES.values())

    async def trouble(request: web.Request) -> web.StreamResponse | None:
        return next(troubles)() if to_kopf(request) and "watch" in request.query else None

    operator = await place.start()
    await place.until(operator.leads)
    await place.serve_then_release("15s")
    operator.proxy.answer = trouble
    operator.proxy.break_off()
    await place.until_status(lambda status: status.get("phase") == "Reverted")
    await place.until(lambda: operator.log.count("the watches ended") >= 3)
    assert await operator.probe("/healthz") == 200
    operator.proxy.answer = None
    await place.apply("1")
    await place.until_status(lambda status: status.get("phase") == "Stable")

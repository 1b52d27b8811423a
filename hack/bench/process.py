"""The operator as a process: started, asked whether it is ready, weighed, stopped.

Memory and processor time are the kernel's own account in /proc.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aiohttp

from hack.bench.client import until
from hack.bench.control_plane import launch_operator
from hack.bench.proxy import Proxy
from hack.bench.world import SCRAPE_SECONDS, World
from hack.cluster import control_plane
from hack.cluster.local import LocalCluster
from hack.cluster.processes import ProcessRecord, alive, end_all

_START_SECONDS = 180
_STOP_SECONDS = 30
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Weight:
    """What a process holds and has used: bytes, and seconds of processor time."""

    resident: int
    proportional: int
    peak: int
    seconds: float


def weigh(pid: int) -> Weight:
    """Read /proc of a process."""
    proc = Path("/proc", str(pid))
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    memory = {
        name: int(value.split()[0]) * 1024
        for file in ("smaps_rollup", "status")
        for line in (proc / file).read_text().splitlines()
        for name, _, value in [line.partition(":")]
        if name in ("Pss", "VmHWM")
    }
    return Weight(
        resident=int((proc / "statm").read_text().split()[1]) * _PAGE,
        proportional=memory["Pss"],
        peak=memory["VmHWM"],
        seconds=(int(fields[11]) + int(fields[12])) / _TICKS,
    )


class OperatorProcess:
    """One run of `headgate run` behind the proxy; `started` says how long it took to be ready."""

    _count = 0

    def __init__(self, cluster: LocalCluster, proxy: Proxy, world: World, tree: Path) -> None:
        self._cluster = cluster
        self._tree = tree
        self._proxy = proxy
        self._world = world
        self._process: ProcessRecord | None = None
        self.started = 0.0

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        directory = self._cluster.record.directory
        providers = directory / "providers.yaml"
        providers.write_text(
            f"providers:\n  default:\n    url: http://127.0.0.1:{self._world.port}\n"
            f"    scrapeInterval: {SCRAPE_SECONDS:g}s\n"
        )
        kubeconfig = directory / "operator.kubeconfig"
        administrator = control_plane.ADMINISTRATOR
        control_plane.authority(self._cluster.record).kubeconfig(
            kubeconfig, administrator, self._proxy.url
        )
        port = _free_port()
        await self._start(
            [
                f"--providers={providers}",
                f"--kubeconfig={kubeconfig}",
                f"--health-port={port}",
                "--log-format=text",
            ],
            port,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        if alive(process):
            os.kill(process.pid, signal.SIGTERM)
        # The proxy answers its last requests in this very loop.
        await until(lambda: not alive(process), _STOP_SECONDS, "the operator does not stop")
        end_all([process])
        self._process = None
        record = self._cluster.record
        record.processes = {k: v for k, v in record.processes.items() if v != process}
        record.save()

    async def _start(self, arguments: Sequence[str], port: int) -> None:
        OperatorProcess._count += 1
        began = time.monotonic()
        self._process = launch_operator(
            self._cluster, self._tree, arguments, OperatorProcess._count
        )
        ready = False
        async with aiohttp.ClientSession() as session:
            while not ready:
                control_plane.require_alive(self._cluster.record)
                try:
                    async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        ready = answer.status == 200
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)
                if time.monotonic() - began > _START_SECONDS:
                    raise TimeoutError("the operator is not ready")
        self.started = time.monotonic() - began


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])

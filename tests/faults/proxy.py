"""Between a real operator process and the API server: a proxy on loopback that misbehaves on
command, and the process that speaks through it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from enum import StrEnum
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

from headgate.kube.client import KINDS
from headgate.metrics import Providers
from tests.faults.history import Connection
from tests.faults.killing import Kill, Position

REPOSITORY = Path(__file__).parents[2]
NAMES = {kind.plural: kind.name for kind in KINDS.values()}
DELAY_SECONDS = 1.5


class Trouble(StrEnum):
    """What is wrong with the API server, or with its watches. `BROWN_OUT` answers 503 to all;
    `PARTITION` lets nothing through, and everything late when it ends. The others befall each
    watch: its events come late, it ends without a word, in the middle of a line, with 410, or
    with 500; with `OLD` it ends, and what it lists to begin anew is what there was at first."""

    BROWN_OUT = "brown-out"
    PARTITION = "partition"
    DELAYED = "watches delayed"
    DROPPED = "watches dropped"
    CUT = "watches cut in a line"
    GONE = "watches closed with 410"
    FAILED = "watches closed with 500"
    OLD = "watches from an old snapshot"


ENDING = frozenset(
    {
        Trouble.BROWN_OUT,
        Trouble.DROPPED,
        Trouble.CUT,
        Trouble.GONE,
        Trouble.FAILED,
        Trouble.OLD,
    }
)


class Proxy:
    """Counts and remembers the writes that pass, as `KillableClient` does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kill: Kill | None = None
        self._snapshots: dict[str, bytes] = {}
        self._answers: set[asyncio.Task[object]] = set()
        self._over = asyncio.Event()
        self.trouble: Trouble | None = None
        self.killed = asyncio.Event()
        self.log: list[str] = []
        self.newest = 0.0
        self.port = 0

    async def start(self) -> None:
        """Listen on a free port."""
        self._session = aiohttp.ClientSession(
            self._connection.host,
            connector=aiohttp.TCPConnector(ssl=self._connection.trust, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        server = web.Server(self._pass, access_log=None)
        self._runner = web.ServerRunner(server)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, shutdown_timeout=0.1)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Hang up."""
        self._over.set()
        await self._runner.cleanup()
        await self._session.close()

    def arm(self, kill: Kill | None) -> None:
        """Count from here."""
        self._kill = kill
        self.log.clear()

    def begin(self, trouble: Trouble) -> None:
        """Be in trouble until `end`; what is under way is in it as well."""
        self._over = asyncio.Event()
        self.trouble = trouble

    def end(self) -> None:
        """Be well again."""
        self.trouble = None
        self._over.set()

    async def _pass(self, request: web.BaseRequest) -> web.StreamResponse:
        await self._while_alive()
        if self.trouble is Trouble.PARTITION:
            await self._over.wait()
        if self.trouble is Trouble.BROWN_OUT:
            return web.json_response({"kind": "Status", "code": 503}, status=503)
        if request.query.get("watch"):
            return await self._watch(request)
        if request.method == "GET":
            return await self._read(request)
        return await self._write(request)

    async def _while_alive(self) -> None:
        if self.killed.is_set():
            await asyncio.Future()

    async def _forward(self, request: web.BaseRequest) -> tuple[int, bytes]:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in ("accept", "content-type")
        }
        async with self._session.request(
            request.method, request.raw_path, data=await request.read() or None, headers=headers
        ) as answer:
            return answer.status, await answer.read()

    async def _read(self, request: web.BaseRequest) -> web.Response:
        status, body = await self._forward(request)
        first = self._snapshots.setdefault(request.path, body)
        live = request.headers.get("User-Agent", "").startswith("headgate")
        if self.trouble is Trouble.OLD and b'"items"' in first and not live:
            body = first
        return _json(status, body)

    async def _write(self, request: web.BaseRequest) -> web.Response:
        self.log.append(_words(request))
        self.newest = time.monotonic()
        here = self._kill is not None and self._kill.write == len(self.log)
        position = self._kill.position if here and self._kill is not None else None
        if position is Position.BEFORE:
            await self._die()
        status, body = await self._forward(request)
        if position is Position.LOST:
            await self._die()
        if position is Position.AFTER:
            asyncio.get_running_loop().call_later(0.01, self.killed.set)
        return _json(status, body)

    async def _die(self) -> None:
        self.killed.set()
        await self._while_alive()

    async def _watch(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        async with self._session.get(request.raw_path) as answer:
            if answer.status != 200:
                return _json(answer.status, await answer.read())
            await response.prepare(request)
            rest = b""
            async for part in answer.content.iter_any():
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    if not await self._tell(request, response, line + b"\n"):
                        return response
        return response

    async def _tell(
        self, request: web.BaseRequest, response: web.StreamResponse, line: bytes
    ) -> bool:
        """Pass one event on; whether the watch goes on."""
        if self.trouble is Trouble.PARTITION:
            await self._over.wait()
        if self.trouble is Trouble.DELAYED:
            await asyncio.sleep(DELAY_SECONDS)
        if self.trouble in (Trouble.GONE, Trouble.FAILED):
            code = 410 if self.trouble is Trouble.GONE else 500
            status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": code}
            line = json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
        if self.trouble is Trouble.CUT:
            line = line[: len(line) // 2]
        if self.trouble in (Trouble.DROPPED, Trouble.BROWN_OUT, Trouble.OLD):
            line = b""
        if line:
            await response.write(line)
        if self.trouble in ENDING:
            if request.transport is not None:
                request.transport.close()
            return False
        return True


class RealProcess:
    """`headgate run` as a process of its own; `client` is the proxy that it speaks through."""

    def __init__(
        self, connection: Connection, namespace: str, providers: Providers, directory: Path
    ) -> None:
        self.client = Proxy(connection)
        self._namespace = namespace
        self._providers = providers
        self._directory = directory
        self._process: Process | None = None
        self.exited: list[int] = []

    async def launch(self) -> None:
        """Start it."""
        await self.client.start()
        port = self.client.port
        kubeconfig = self._write(f"kubeconfig-{port}", _kubeconfig(port))
        providers = self._write(f"providers-{port}", self._providers.model_dump(by_alias=True))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "headgate", "run",
            "--kubeconfig", str(kubeconfig), "--providers", str(providers),
            "--namespace", self._namespace, "--health-port", "0",
            stdout=DEVNULL, stderr=(self._directory / f"log-{port}").open("wb"),
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "operator")},
        )  # fmt: skip

    @property
    def runs(self) -> bool:
        """Whether the process has not ended by itself."""
        return self._process is not None and self._process.returncode is None

    async def kill(self) -> None:
        """SIGKILL."""
        self.client.killed.set()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await self.client.close()

    def _write(self, name: str, document: object) -> Path:
        file = self._directory / f"{name}.yaml"
        file.write_text(yaml.safe_dump(document))
        return file


def _kubeconfig(port: int) -> object:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "clusters": [{"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}],
    }


def _json(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json")


def _words(request: web.BaseRequest) -> str:
    parts = request.path.strip("/").split("/")
    kinds = [index for index, part in enumerate(parts) if part in NAMES]
    if not kinds:
        return f"{request.method} ? {request.path}"
    return f"{request.method} {NAMES[parts[kinds[-1]]]} {'/'.join(parts[kinds[-1] + 1 :])}"

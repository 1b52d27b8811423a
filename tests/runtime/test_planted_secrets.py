"""Secrets are planted wherever one can stand, releases are made, and then they are looked for in
all that the operator has said: its log with every detail, Events, statuses, records, metrics."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from hack.cluster.certificates import Authority, Identity
from headgate.kube.client import CONFIG_MAP, CONTROLLER_REVISION, DEPLOYMENT, EVENT, LEASE, SERVICE
from tests.faults.world import World
from tests.runtime.place import PATIENT, Place, Process

AUTHORS = {
    "env": "planted-env-7d1e",
    "argument": "planted-argument-7d1e",
    "annotation": "planted-annotation-7d1e",
    "config map": "planted-config-map-7d1e",
    "body": "planted-body-7d1e",
    "path": "planted-path-7d1e",
}
"""What an author writes."""

IN_WORKLOADS = ("env", "argument", "annotation")
"""Of these, what a workload holds, as every Deployment does."""

REQUEST = {"path": f"/predict?key={AUTHORS['path']}", "body": {"password": AUTHORS["body"]}}
"""Nobody answers it."""

USER = "headgate"
OPERATORS = {
    "token": "planted-token-7d1e",
    "password": "planted-password-7d1e",
    "encoded password": base64.b64encode(b"headgate:planted-password-7d1e").decode(),
    "receiver": "planted-receiver-7d1e",
    "path": "planted-hook-7d1e",
}
"""What the administrator gives to the operator alone."""


class Outside:
    """The played Prometheus over TLS, which repeats to a stranger what he sent, and a receiver of
    notifications that wants none; `told` counts them."""

    def __init__(self, world: World, authority: Authority) -> None:
        self.world, self.authority = world, authority
        self.prometheus = self.receiver = ""
        self.told = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Outside]:
        """Until the end of the block."""
        application = web.Application()
        application.add_routes(
            [web.post("/api/v1/query", self._query), web.post("/{to}", self._tell)]
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.certificate("server"), self.authority.key("server"))
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        tls, plain = (address[1] for address in runner.addresses)
        self.prometheus, self.receiver = f"https://127.0.0.1:{tls}", f"127.0.0.1:{plain}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _query(self, request: web.Request) -> web.Response:
        sent = request.headers.get("Authorization")
        if sent in (f"Bearer {OPERATORS['token']}", f"Basic {OPERATORS['encoded password']}"):
            return await self.world.query(request)
        return web.json_response({"status": "error", "error": f"who is {sent}?"}, status=401)

    async def _tell(self, request: web.Request) -> web.Response:
        self.told += 1
        return web.Response(text=str(request.url), status=500)


def configured(directory: Path, outside: Outside) -> tuple[str, ...]:
    """The operator's arguments: providers that ask for credentials, one of them for others than it
    has, and the receiver."""
    (directory / "token").write_text(OPERATORS["token"])
    (directory / "password").write_text(OPERATORS["password"])
    (directory / "old").write_text(f"{OPERATORS['token']}-of-yesterday")
    common = {
        "url": outside.prometheus,
        "scrapeInterval": "1s",
        "timeout": "30s",
        "tls": {"caFile": str(outside.authority.certificate("ca"))},
    }
    basic = {"username": USER, "passwordFile": str(directory / "password")}
    providers = {
        "token": {**common, "bearerTokenFile": str(directory / "token")},
        "password": {**common, "basicAuth": basic},
        "refused": {**common, "bearerTokenFile": str(directory / "old")},
    }
    address = f"json://{USER}:{OPERATORS['receiver']}@{outside.receiver}/{OPERATORS['path']}"
    receivers = {"receivers": {"on-call": {"url": address}}}
    files = {"providers": {"providers": providers}, "notifications": receivers}
    for name, content in files.items():
        (directory / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return (
        "--log-level=DEBUG",
        f"--providers={directory / 'providers.yaml'}",
        f"--notifications={directory / 'notifications.yaml'}",
    )


def asked(version: str, provider: str) -> dict[str, Any]:
    """A spec with a secret in everything that an author can fill with text."""
    server = {
        "name": "server",
        "image": f"registry.example/m:{version}",
        "args": [f"--license={AUTHORS['argument']}"],
        "env": [{"name": "API_KEY", "value": AUTHORS["env"]}],
        "envFrom": [{"configMapRef": {"name": "settings"}}],
    }
    metadata = {"annotations": {"example.com/note": AUTHORS["annotation"]}}
    return {
        "template": {"metadata": metadata, "spec": {"containers": [server]}},
        "strategy": {"type": "Canary", "canary": {"steps": [{"weight": 50, "hold": "1s"}]}},
        "analysis": {
            "provider": provider,
            "interval": "5s",
            "unknownTimeout": "1s",
            "comparison": {"minSamples": 20},
        },
    }


async def said(place: Place, operator: Process) -> dict[str, str]:
    """All that the operator has said, by where."""
    url = f"http://127.0.0.1:{operator.health_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        metrics = await answer.text()
    found = {"log": operator.log, "metrics": metrics, "status": json.dumps(await place.status())}
    for kind in (EVENT, CONFIG_MAP, SERVICE, LEASE):
        objects = await place.client.list(kind, place.namespace)
        told = [each for each in objects if not of_author(each["metadata"]["name"])]
        found[kind.name] = json.dumps(told)
    return found


def of_author(name: str) -> bool:
    """Whether it is the author's ConfigMap, or the copy of it that a version keeps."""
    return name.endswith("settings")


@pytest.mark.control_plane
async def test_no_planted_secret_is_told(place: Place, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "certificates")
    authority.create([Identity("server", "prometheus", addresses=("127.0.0.1",))])
    settings = ("configmap", "settings", f"--from-literal=PASSWORD={AUTHORS['config map']}")
    place.cluster.kubectl("create", *settings, f"--namespace={place.namespace}")
    async with Outside(place.world, authority).serving() as outside:
        operator = await place.start(PATIENT, *configured(tmp_path, outside))
        await place.until(operator.leads)
        # The first version, a good one, a bad one, one whose answers are no good, and one whose
        # metrics cannot be read.
        for version, provider, phase in (
            ("1", "token", "Stable"),
            ("2", "password", "Stable"),
            ("3-failing", "token", "Reverted"),
        ):
            await place.apply(version, **asked(version, provider))
            await place.until_status(partial(ended, version=version, phase=phase))
        await place.apply("4", **asked("4", "token"), smoke={"requests": [REQUEST]})
        await place.until_status(lambda status: ended(status, "4", "Reverted"))
        await place.apply("5", **asked("5", "refused"))
        await place.until_status(lambda status: "HTTP 401" in json.dumps(status))
        await place.until(lambda: outside.told >= 2)
        told = await said(place, operator)
        workloads = json.dumps(
            [
                each
                for kind in (DEPLOYMENT, CONTROLLER_REVISION)
                for each in await place.client.list(kind, place.namespace)
            ]
        )
    # They were there to be told.
    assert [name for name in IN_WORKLOADS if AUTHORS[name] not in workloads] == []
    leaks = [
        f"{secret} in {where}"
        for where, text in told.items()
        for secret in (*AUTHORS.values(), *OPERATORS.values())
        if secret in text
    ]
    assert leaks == []
    assert [name for name, secret in OPERATORS.items() if secret in workloads] == []


def ended(status: dict[str, Any], version: str, phase: str) -> bool:
    """Whether that version was released, or taken back."""
    named = (status.get("stable") if phase == "Stable" else status.get("rejected")) or {}
    return bool(status.get("phase") == phase and named.get("version") == version)

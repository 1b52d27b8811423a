"""One API server with a played world in it, in which many small operators run side by side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import aiohttp

from headgate.core import adoption
from headgate.core.intents import Plan
from headgate.core.observation import Observation
from headgate.core.plan import plan
from headgate.kube.api import ApiClient
from headgate.kube.client import CONTROLLER_REVISION, DEPLOYMENT, MODEL_DEPLOYMENT, SERVICE
from headgate.runtime.polling import Polling
from tests.faults.history import Connection, History, SharedWatch
from tests.faults.world import World

POLL_SECONDS = 0.3
ADOPTED_SECONDS = 1.0
"""How long what was adopted stays after the release."""


@dataclass
class Arena:
    """`client` is an administrator's."""

    kubeconfig: Path
    client: ApiClient
    history: History
    world: World
    session: aiohttp.ClientSession
    given_up: dict[tuple[str, str], int]
    """The resourceVersion at which an operator of a namespace first planned to give up a revision,
    rejected or withdrawn."""

    async def namespace(self) -> str:
        """A new namespace, in which pods can be made."""
        name = f"risk-{uuid4().hex[:10]}"
        await self._post("/api/v1/namespaces", {"metadata": {"name": name}})
        # What the service account controller would do.
        account = {"metadata": {"name": "default"}, "automountServiceAccountToken": False}
        await self._post(f"/api/v1/namespaces/{name}/serviceaccounts", account)
        return name

    async def clear(self, namespace: str) -> None:
        """Remove what a story left, as nothing collects it here; there are only so many addresses
        for Services."""
        for kind in (MODEL_DEPLOYMENT, SERVICE, DEPLOYMENT, CONTROLLER_REVISION):
            for body in self.history.existing(namespace, kind.name):
                await self.client.delete(kind, namespace, body["metadata"]["name"])

    async def _post(self, path: str, body: object) -> None:
        async with self.session.post(path, json=body) as answer:
            assert answer.status == 201, await answer.text()


@asynccontextmanager
async def arena(kubeconfig: Path) -> AsyncIterator[Arena]:
    """Play until the end of the block. In it operators poll faster than they do otherwise, wait
    less, and share one watch unless they are processes of their own."""
    async with AsyncExitStack() as stack:
        connection = await Connection.read(kubeconfig)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connection.host, connector=aiohttp.TCPConnector(ssl=connection.trust)
            )
        )
        client = await stack.enter_async_context(await ApiClient.connect(kubeconfig, timeout=60.0))
        history = History(connection)
        await history.start()
        stack.push_async_callback(history.close)
        world = await stack.enter_async_context(World(history, client).playing())
        stack.enter_context(patch.object(SharedWatch, "history", history, create=True))
        given_up: dict[tuple[str, str], int] = {}

        def spied(seen: Observation, now: float) -> Plan:
            planned = plan(seen, now)
            release, rejected = planned.status.release, planned.status.rejected
            revisions = {rejected.revision} if rejected is not None else set()
            if release is not None and release.stage == "Reverting":
                revisions.add(release.revision)
            for revision in revisions:
                given_up.setdefault((seen.namespace, revision), history.newest)
            return planned

        stack.enter_context(patch("headgate.runtime.reconcile.plan", spied))
        stack.enter_context(patch.object(Polling, "interval", lambda *_: POLL_SECONDS))
        stack.enter_context(patch.object(adoption, "SECONDS_AFTER_RELEASE", ADOPTED_SECONDS))
        yield Arena(kubeconfig, client, history, world, session, given_up)

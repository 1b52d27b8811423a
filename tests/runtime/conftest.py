"""A namespace of a real API server, for operators that are processes of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from hack.cluster import Cluster
from headgate.kube.api import ApiClient
from headgate.kube.client import MODEL_DEPLOYMENT, NotFound
from tests.faults.history import Connection, History
from tests.faults.world import World
from tests.runtime.place import Place


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

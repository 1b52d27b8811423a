"""kopf against a real API server: it tells of everything, writes nothing, and ends alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from hack.cluster import Cluster
from headgate.kube.api import ApiClient
from headgate.kube.client import MODEL_DEPLOYMENT, SERVICE
from headgate.runtime.cache import Cache, Key
from headgate.runtime.informer import Informer
from headgate.runtime.watching import WATCHED, Watch, settings
from tests.runtime.fakes import model_deployment

PATIENCE = 60.0


def test_kopf_can_neither_write_nor_end_the_process() -> None:
    found = settings()
    assert not found.posting.enabled
    assert found.scanning.disabled
    assert found.process.ultimate_exiting_timeout is None


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - it asks about a cache, which has no event
            await asyncio.sleep(0.02)


class Running:
    """An informer on a real API server, in one namespace of it."""

    def __init__(self, cluster: Cluster, client: ApiClient, namespace: str) -> None:
        self.cluster = cluster
        self.client = client
        self.namespace = namespace
        self.key: Key = (namespace, "fraud")
        self.cache = Cache()
        self.watches: list[Watch] = []
        self.changes: list[tuple[Key, bool]] = []
        self.informer = Informer(
            client, self.cache, (namespace,), self._watch, lambda *each: self.changes.append(each)
        )

    def _watch(self, receive: Callable[..., None]) -> Watch:
        self.watches.append(Watch((self.namespace,), self.cluster.kubeconfig, receive))
        return self.watches[-1]

    async def put(self, version: str = "1") -> None:
        body = model_deployment(version=version)
        body["metadata"]["namespace"] = self.namespace
        await self.client.apply(body)

    def generation(self) -> int:
        snapshot = self.cache.snapshot(self.key)
        return 0 if snapshot is None else int(snapshot.metadata["generation"])

    def services(self) -> int:
        snapshot = self.cache.snapshot(self.key)
        return -1 if snapshot is None else len(snapshot.services)


@pytest.fixture
async def running(established_crd: Cluster) -> AsyncIterator[Running]:
    namespace = f"watched-{uuid4().hex[:8]}"
    established_crd.kubectl("create", "namespace", namespace)
    async with await ApiClient.connect(established_crd.kubeconfig) as client:
        found = Running(established_crd, client, namespace)
        task = asyncio.create_task(found.informer.run())
        await asyncio.wait_for(found.informer.listed.wait(), PATIENCE)
        yield found
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for watch in found.watches:
            await asyncio.wait_for(asyncio.wrap_future(watch.ended), PATIENCE)


def labelled_service(namespace: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "fraud",
            "namespace": namespace,
            "labels": {"headgate.dev/model-deployment": "fraud"},
        },
        "spec": {"ports": [{"name": "http", "port": 80}]},
    }


@pytest.mark.control_plane
async def test_creation_change_and_deletion_reach_the_cache_and_leave_no_trace(
    running: Running,
) -> None:
    await running.put()
    await until(lambda: running.generation() == 1)
    await running.put("2")
    await until(lambda: running.generation() == 2)
    await running.client.apply(labelled_service(running.namespace))
    await until(lambda: running.services() == 1)
    stored = await running.client.get(MODEL_DEPLOYMENT, *running.key)
    assert "finalizers" not in stored["metadata"]
    assert "annotations" not in stored["metadata"]
    assert "kopf" not in json.dumps(stored)
    await running.client.delete(SERVICE, *running.key)
    await until(lambda: running.services() == 0)
    await running.client.delete(MODEL_DEPLOYMENT, *running.key)
    await until(lambda: running.cache.snapshot(running.key) is None)


def config_map(namespace: str, name: str, content: str, **labels: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "data": {"threshold": content},
    }


@pytest.mark.control_plane
async def test_a_change_of_a_config_map_in_use_is_told_and_a_copys_is_not(
    running: Running,
) -> None:
    body = model_deployment()
    body["metadata"]["namespace"] = running.namespace
    containers = body["spec"]["template"]["spec"]["containers"]
    containers[0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    await running.client.apply(body)
    await until(lambda: running.generation() == 1)
    snapshot = running.cache.snapshot(running.key)
    assert snapshot is not None
    looked = (await running.cache.config_maps.complete(running.client, snapshot)).config_maps
    assert looked is not None
    assert looked.missing is not None

    owned = {"headgate.dev/model-deployment": "fraud"}
    for content, labels in (("low", {}), ("high", {}), ("higher", owned), ("highest", owned)):
        running.changes.clear()
        await running.client.apply(config_map(running.namespace, "settings", content, **labels))
        if labels and content == "highest":
            # From here on it is one of ours, of which nothing is told; what follows is.
            await running.put("2")
            await until(lambda: running.generation() == 2)
            assert set(running.changes) == {(running.key, True)}
        else:
            await until(lambda: (running.key, False) in running.changes)
        looked = (await running.cache.config_maps.complete(running.client, snapshot)).config_maps
        assert looked is not None
        assert looked.missing is None


@pytest.mark.control_plane
async def test_what_is_not_ours_is_not_watched(running: Running) -> None:
    body = labelled_service(running.namespace)
    body["metadata"] = {"name": "stranger", "namespace": running.namespace}
    await running.client.apply(body)
    await running.put()
    await until(lambda: running.generation() == 1)
    kinds = {kind.name for kind in WATCHED}
    assert {name for _, _, name in running.cache.mark(kinds)} == {"fraud"}


@pytest.mark.control_plane
async def test_changes_are_seen_again_after_kopf_has_ended(running: Running) -> None:
    await running.put()
    await running.client.apply(labelled_service(running.namespace))
    await until(lambda: running.services() == 1)
    running.watches[0].stop()
    await asyncio.wait_for(asyncio.wrap_future(running.watches[0].ended), PATIENCE)
    await running.client.delete(SERVICE, *running.key)
    await running.put("2")
    await until(lambda: running.generation() == 2 and running.services() == 0)
    assert len(running.watches) == 2


async def test_a_cluster_that_cannot_be_reached_ends_the_thread_and_nothing_else(
    tmp_path: Path,
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config"}))
    watch = Watch((), file, lambda *_: None)
    watch.start()
    ended = asyncio.wrap_future(watch.ended)
    await asyncio.wait({ended}, timeout=PATIENCE)
    assert ended.done()
    assert ended.exception() is not None

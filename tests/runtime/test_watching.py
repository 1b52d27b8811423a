"""kopf against a real API server: it tells of everything, writes nothing, and ends alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import kopf
import pytest
import yaml
from aiohttp import web

from hack.cluster import Cluster
from headgate.kube.api import ApiClient
from headgate.kube.client import MODEL_DEPLOYMENT, SERVICE
from headgate.runtime import watching
from headgate.runtime.cache import Cache, Key
from headgate.runtime.informer import Informer
from headgate.runtime.watching import WATCHED, Watch, settings
from tests.runtime.fakes import model_deployment
from tests.runtime.proxy import WATCH_TROUBLES, proxied, refusal, to_kopf

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


async def test_a_kopf_that_begins_to_end_and_does_not_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def stubborn() -> None:
        for _ in range(3):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

    async def hang(**_: object) -> None:
        part = asyncio.ensure_future(stubborn())
        await asyncio.sleep(0)
        part.cancel()
        await asyncio.wait({part})

    monkeypatch.setattr(kopf, "operator", hang)
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(watching, "END_SECONDS", 0.2)
    watch = Watch(("default",), None, lambda *_: None)
    watch.start()
    with pytest.raises(watching.Ended, match="does not follow"):
        await asyncio.wait_for(asyncio.wrap_future(watch.ended), PATIENCE)


async def list_trouble(request: web.Request) -> web.StreamResponse | None:
    """A brown-out: no list is answered."""
    lists = to_kopf(request) and request.path.endswith("/pods")
    return refusal(503) if lists and "watch" not in request.query else None


@pytest.mark.control_plane
@pytest.mark.parametrize("trouble", [*WATCH_TROUBLES, "a brown-out"])
async def test_trouble_of_the_api_server_ends_the_thread_and_nothing_else(
    established_crd: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    async def watch_trouble(request: web.Request) -> web.StreamResponse | None:
        hit = to_kopf(request) and "watch" in request.query
        return WATCH_TROUBLES[trouble]() if hit else None

    def impatient() -> kopf.OperatorSettings:
        found = settings()
        found.networking.error_backoffs = (0.1, 0.1)
        return found

    monkeypatch.setattr(watching, "settings", impatient)
    async with proxied(established_crd.kubeconfig, tmp_path) as proxy:
        proxy.answer = watch_trouble if trouble in WATCH_TROUBLES else list_trouble
        watch = Watch(("default",), proxy.kubeconfig(tmp_path), lambda *_: None)
        watch.start()
        ended = asyncio.wrap_future(watch.ended)
        await asyncio.wait({ended}, timeout=PATIENCE)
        assert ended.done(), "kopf bears this: the supervisor is not needed for it any more"
        assert ended.exception() is not None

"""The cache stays true though watches break, end, or say nothing of what was deleted."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from headgate.kube.client import Object, Unavailable
from headgate.runtime import informer as informer_module
from headgate.runtime.cache import Cache, Key
from headgate.runtime.informer import Informer
from headgate.runtime.watching import DELETED, Receive
from tests.runtime.fakes import FakeServer, model_deployment, pod
from tests.runtime.world import FRAUD

PATIENCE = 20.0


class FakeWatch:
    """A run of the watches that the test ends or lets speak."""

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self.ended: Future[None] = Future()
        self.started = False

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


class Setup:
    def __init__(self) -> None:
        self.server = FakeServer()
        self.cache = Cache()
        self.changes: list[tuple[Key, bool]] = []
        self.watches: list[FakeWatch] = []
        self.informer = Informer(
            self.server, self.cache, (), self._watch, lambda *change: self.changes.append(change)
        )

    def _watch(self, receive: Receive) -> FakeWatch:
        self.watches.append(FakeWatch(receive))
        return self.watches[-1]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - it asks about a cache, which has no event
                await asyncio.sleep(0.005)

    def pods(self) -> int:
        snapshot = self.cache.snapshot(FRAUD)
        return -1 if snapshot is None else len(snapshot.pods)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AFTER_START_SECONDS", "AFTER_LIST_SECONDS", "FIRST_BACK_OFF", "LONGEST_BACK_OFF"):
        monkeypatch.setattr(informer_module, name, 0.02)


@pytest.fixture
async def setup() -> Any:
    found = Setup()
    found.server.put(model_deployment())
    task = asyncio.create_task(found.informer.run())
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert all(watch.ended.done() for watch in found.watches), "a watch was left behind"


async def test_everything_is_known_before_anything_is_planned() -> None:
    setup = Setup()
    setup.server.put(model_deployment())
    setup.server.put(pod("fraud", "aaaa", 1))
    task = asyncio.create_task(setup.informer.run())
    await asyncio.wait_for(setup.informer.listed.wait(), PATIENCE)
    assert setup.pods() == 1
    assert (FRAUD, True) in setup.changes
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_brown_out_at_the_start_is_waited_for() -> None:
    setup = Setup()
    setup.server.put(model_deployment())
    setup.server.faults["list", "ModelDeployment", ""] = [Unavailable("no answer")] * 3
    task = asyncio.create_task(setup.informer.run())
    await asyncio.wait_for(setup.informer.listed.wait(), PATIENCE)
    assert setup.pods() == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_events_of_another_thread_reach_the_cache(setup: Setup) -> None:
    await setup.until(lambda: bool(setup.watches) and setup.watches[0].started)
    body = setup.server.put(pod("fraud", "aaaa", 1))
    await asyncio.to_thread(setup.watches[0].receive, "ADDED", body)
    await setup.until(lambda: setup.pods() == 1)
    gone = setup.server.remove("Pod", body["metadata"]["name"])
    await asyncio.to_thread(setup.watches[0].receive, DELETED, gone)
    await setup.until(lambda: setup.pods() == 0)


async def test_only_another_generation_counts_as_a_change_of_the_object_itself(
    setup: Setup,
) -> None:
    await setup.until(lambda: bool(setup.watches) and setup.watches[0].started)
    setup.changes.clear()

    def tell(body: Object) -> None:
        setup.watches[0].receive("MODIFIED", body)

    tell(setup.server.put({**model_deployment(), "status": {"phase": "Stable"}}))
    await setup.until(lambda: setup.changes == [(FRAUD, False)])
    tell(setup.server.put(model_deployment(version="2")))
    await setup.until(lambda: setup.changes == [(FRAUD, False), (FRAUD, True)])


async def test_watches_that_end_are_started_anew_and_what_was_deleted_meanwhile_is_dropped(
    setup: Setup,
) -> None:
    body = setup.server.put(pod("fraud", "aaaa", 1))
    await setup.until(lambda: setup.pods() == 1)
    setup.server.remove("Pod", body["metadata"]["name"])
    setup.watches[0].ended.set_exception(RuntimeError("ERROR 500 in a watch"))
    await setup.until(lambda: len(setup.watches) == 2)
    await setup.until(lambda: setup.pods() == 0)


async def test_a_list_of_kopf_is_followed_by_one_of_ours(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = setup.server.put(pod("fraud", "aaaa", 1))
    await setup.until(lambda: setup.pods() == 1)
    await setup.until(lambda: len([c for c in setup.server.calls if c[1] == "Pod"]) >= 2)
    setup.server.remove("Pod", body["metadata"]["name"])
    known = setup.server.objects["ModelDeployment", *FRAUD]
    setup.watches[0].receive(None, known)
    await setup.until(lambda: setup.pods() == 0)

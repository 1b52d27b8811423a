"""Warm-ups beside the passes: one for each pod, ended with it, and all that a pass sees of them."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

from headgate.api.smoke import WarmUp
from headgate.core.observation import Warming
from headgate.core.revision import revision_of
from headgate.kube.client import Object
from headgate.kube.smoke import Target
from headgate.kube.snapshot import Snapshot
from headgate.runtime.cache import Key
from headgate.runtime.smoke_runs import LOOK_AGAIN_SECONDS
from headgate.runtime.warm_ups import AT_A_TIME, TELL_SECONDS, WarmUps
from tests.runtime.fakes import model_deployment, pod

PATIENCE = 20.0
KEY: Key = ("risk", "fraud")
WANTED = {"warmUp": {"requests": [{"path": "/predict"}]}}


def snapshot(pods: int = 1, smoke: object = WANTED) -> Snapshot:
    found = Snapshot(model_deployment(smoke=smoke))
    revision = revision_of(found.spec)
    return replace(found, pods=tuple(gated(revision, number) for number in range(pods)))


def gated(revision: str, number: int) -> Object:
    body = pod("fraud", revision, number, ready=False)
    body["metadata"]["uid"] = f"uid-{number}"
    body["spec"]["readinessGates"] = [{"conditionType": "headgate.dev/Warm"}]
    return body


def names(seen: Snapshot) -> list[str]:
    return [each["metadata"]["name"] for each in seen.pods]


class Setup:
    """Warm-ups whose answers come when a test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ended: list[str] = []
        self.answers: dict[str, asyncio.Future[Warming]] = {}
        self.tell: dict[str, Callable[[str], None]] = {}
        self.requeued: asyncio.Queue[float] = asyncio.Queue()
        self.runs = WarmUps(lambda _, seconds: self.requeued.put_nowait(seconds), self.ask)

    async def ask(self, target: Target, wanted: WarmUp, tell: Callable[[str], None]) -> Warming:
        self.asked.append(target.pod)
        self.tell[target.pod] = tell
        self.answers[target.pod] = asyncio.get_running_loop().create_future()
        try:
            return await self.answers[target.pod]
        finally:
            self.ended.append(target.pod)

    async def requeue(self) -> float:
        return await asyncio.wait_for(self.requeued.get(), PATIENCE)

    async def begun(self, seen: Snapshot) -> str:
        """The warm-up of the first pod is under way."""
        self.runs.follow(KEY, seen, names(seen))
        await asyncio.sleep(0)
        return names(seen)[0]


async def test_what_a_pod_answers_is_seen_at_once_and_then_now_and_again() -> None:
    setup, seen = Setup(), snapshot()
    name = await setup.begun(seen)
    assert setup.runs.found(KEY, seen) == {name: Warming()}
    setup.tell[name]("slow")
    assert await setup.requeue() == 0.0
    setup.tell[name]("slower")
    assert await setup.requeue() == TELL_SECONDS
    assert setup.runs.found(KEY, seen) == {name: Warming(None, "slower")}
    setup.answers[name].set_result(Warming(True, "fast"))
    assert await setup.requeue() == 0.0
    assert setup.runs.found(KEY, seen) == {name: Warming(True, "fast")}


async def test_a_pod_is_asked_once_and_after_a_failure_when_that_is_wanted_again() -> None:
    setup, seen = Setup(), snapshot()
    name = await setup.begun(seen)
    await setup.begun(seen)
    assert setup.asked == [name]
    setup.answers[name].set_result(Warming(False, "slow"))
    await setup.requeue()
    setup.runs.follow(KEY, seen, [])
    assert setup.runs.found(KEY, seen) == {name: Warming(False, "slow")}
    await setup.begun(seen)
    assert setup.asked == [name, name]
    assert setup.runs.found(KEY, seen) == {name: Warming()}


async def test_no_more_pods_are_asked_side_by_side_than_allowed() -> None:
    setup, seen = Setup(), snapshot(AT_A_TIME + 2)
    name = await setup.begun(seen)
    assert len(setup.asked) == AT_A_TIME
    assert len(setup.runs.found(KEY, seen)) == AT_A_TIME + 2
    setup.answers[name].set_result(Warming(True, "fast"))
    await setup.requeue()
    await asyncio.sleep(0)
    assert len(setup.asked) == AT_A_TIME + 1


async def test_the_warm_up_of_a_pod_that_is_not_as_it_was_ends() -> None:
    changes: dict[str, Callable[[Object], object]] = {
        "another pod of that name": lambda body: body["metadata"].update(uid="other"),
        "on its way out": lambda body: body["metadata"].update(deletionTimestamp="now"),
        "at another address": lambda body: body["status"].update(podIP="127.0.0.9"),
        "warm": lambda body: body["status"].update(
            conditions=[{"type": "headgate.dev/Warm", "status": "True"}]
        ),
    }
    for what, change in changes.items():
        setup, seen = Setup(), snapshot()
        name = await setup.begun(seen)
        body = deepcopy(seen.pods[0])
        change(body)
        setup.runs.follow(KEY, replace(seen, pods=(body,)), [])
        await asyncio.sleep(0)
        assert setup.ended == [name], what
        assert setup.runs.found(KEY, replace(seen, pods=(body,))) == {}, what


async def test_a_changed_warm_up_begins_anew() -> None:
    setup, seen = Setup(), snapshot()
    name = await setup.begun(seen)
    setup.runs.follow(KEY, seen, [])
    await asyncio.sleep(0)
    assert setup.ended == []
    changed = snapshot(smoke={"warmUp": {"requests": [{"path": "/v2"}]}})
    setup.runs.follow(KEY, changed, [])
    await asyncio.sleep(0)
    assert setup.ended == [name]


async def test_another_pod_of_that_name_is_not_told_what_the_first_one_answered() -> None:
    setup, seen = Setup(), snapshot()
    name = await setup.begun(seen)
    setup.answers[name].set_result(Warming(True, "fast"))
    await setup.requeue()
    body = deepcopy(seen.pods[0])
    body["metadata"]["uid"] = "other"
    assert setup.runs.found(KEY, replace(seen, pods=(body,))) == {}


async def test_a_fault_of_ours_is_not_taken_for_the_models() -> None:
    setup, seen = Setup(), snapshot()
    name = await setup.begun(seen)
    setup.answers[name].set_exception(ZeroDivisionError())
    assert await setup.requeue() == LOOK_AGAIN_SECONDS
    assert setup.runs.found(KEY, seen) == {}


async def test_all_end_with_the_model_deployment_and_with_the_process() -> None:
    setup, seen = Setup(), snapshot(3)
    await setup.begun(seen)
    setup.runs.forget(KEY)
    await asyncio.sleep(0)
    assert sorted(setup.ended) == names(seen)
    await setup.begun(seen)
    await setup.runs.close()
    assert len(setup.ended) == 6

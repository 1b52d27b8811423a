"""Passes, warm-ups and a model server on loopback that is slow at first: how they work together."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from headgate.kube.client import Object
from headgate.runtime.warm_ups import WarmUps
from tests.runtime.world import FRAUD, World

PATIENCE = 60.0
WARM = "headgate.dev/Warm"


class Model:
    """Answers slowly until it has been asked `cold` times."""

    def __init__(self, cold: int) -> None:
        self.cold = cold
        self.asked = 0

    async def predict(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.asked <= self.cold:
            await asyncio.sleep(0.4)
        return web.json_response({"predictions": [1]})


async def serve(model: Model) -> tuple[web.AppRunner, int]:
    application = web.Application()
    application.router.add_post("/predict", model.predict)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, int(runner.addresses[0][1])


def smoke(**changes: Any) -> dict[str, Any]:
    request = {"expect": {"field": "predictions", "type": "array"}}
    return {
        "warmUp": {"requests": [request], "fasterThan": "200ms", "timeout": "60s", **changes},
    }


def pods(world: World) -> list[Object]:
    return world.server.of_kind("Pod")


def kubelet(world: World, port: int) -> None:
    """Pods listen where the model does, and are ready once they are said to be warm."""
    world.play_controllers()
    for body in pods(world):
        conditions = {each["type"]: each["status"] for each in body["status"]["conditions"]}
        listening = body["spec"]["containers"][0]["ports"][0]
        if listening["containerPort"] != port:
            listening["containerPort"] = port
            world.server.put(body)
        if conditions.get(WARM) == "True" and "Ready" not in conditions:
            body["status"]["conditions"].append({"type": "Ready", "status": "True"})
            world.server.put(body)
    world.sync()


async def until(world: World, port: int, phase: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while world.server.status("fraud").get("phase") != phase:
            await world.settle()
            kubelet(world, port)
            world.now += 0.1
            await asyncio.sleep(0.02)


def conditions(world: World) -> set[tuple[str, str]]:
    found = [each for body in pods(world) for each in body["status"]["conditions"]]
    return {(each["status"], each["reason"]) for each in found if each["type"] == WARM}


async def test_pods_of_a_first_version_get_ready_when_the_model_answers_fast() -> None:
    world, model = World(), Model(cold=4)
    runner, port = await serve(model)
    try:
        world.apply(replicas=2, smoke=smoke())
        await until(world, port, "Stable")
    finally:
        await runner.cleanup()
    assert conditions(world) == {("True", "Warm")}
    assert model.asked >= model.cold + 2 * 3
    patches = [each for each in world.server.calls if each[:2] == ("patch", "Pod")]
    assert len(patches) == 2
    assert [each["reason"] for each in world.server.events].count("PodsWarm") == 1
    await world.settle()
    world.server.calls.clear()
    assert await world.settle() is None
    assert world.server.calls == []


async def test_a_model_that_stays_slow_fails_and_its_own_words_say_so() -> None:
    world, model = World(), Model(cold=1_000_000)
    runner, port = await serve(model)
    try:
        world.apply(replicas=1, smoke=smoke(timeout="3s"))
        await until(world, port, "Failing")
    finally:
        await runner.cleanup()
    assert conditions(world) == {("False", "WarmUpFailed")}
    message = world.server.status("fraud")["message"]
    assert "not warm within 3s: POST /predict on pod" in message
    assert "longer than the 200 ms allowed" in message
    world.reconciler.forget(FRAUD)


async def test_a_pod_that_changes_between_the_look_and_the_write_is_looked_at_again() -> None:
    world, model = World(), Model(cold=0)
    runner, port = await serve(model)
    changed: list[str] = []

    def touch(name: str) -> None:
        changed.append(name)
        world.server.put(world.server.objects["Pod", "risk", name])

    try:
        revision = world.apply(replicas=1, smoke=smoke())
        name = f"fraud-{revision}-0"
        world.server.before["patch", "Pod", name] = lambda: touch(name)
        await until(world, port, "Stable")
    finally:
        await runner.cleanup()
    assert changed
    assert conditions(world) == {("True", "Warm")}
    assert len(pods(world)[0]["status"]["conditions"]) == 3


@pytest.mark.parametrize("gone", ["Pod", "ModelDeployment"])
async def test_no_warm_up_outlives_what_it_is_for(gone: str) -> None:
    world = World()
    begun, ended = asyncio.Event(), asyncio.Event()

    async def ask(*_: object) -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    world.start(WarmUps(lambda *_: None, ask))
    world.apply(replicas=1, smoke=smoke())
    await world.settle()
    kubelet(world, 8080)
    await world.settle()
    await asyncio.wait_for(begun.wait(), PATIENCE)
    name = "fraud" if gone == "ModelDeployment" else pods(world)[0]["metadata"]["name"]
    world.cache.drop(world.server.remove(gone, name))
    await world.reconciler.reconcile(FRAUD)
    await asyncio.wait_for(ended.wait(), PATIENCE)

"""Of many releases that turn bad at once, all traffic is pinned before anything else is done."""

import asyncio
from typing import Any

import pytest

from headgate.judge import PodCounters, Sample
from headgate.runtime.cache import Key
from headgate.runtime.traffic import TrafficFirst
from tests.runtime.world import World

NAMES = tuple(f"model-{number}" for number in range(5))
STRATEGY = {"type": "Canary", "canary": {"steps": [{"weight": 30, "hold": "60s"}]}}
SPEC: dict[str, Any] = {
    "strategy": STRATEGY,
    "analysis": {"interval": "30s", "rules": {"errorRate": {"max": 0.05}}},
}


def bad_sample(world: World, name: str, requests: float) -> Sample:
    """Half of what the candidate answers is an error."""
    candidate = world.server.status(name)["release"]["revision"]
    pods = {}
    for each in world.server.of_kind("Pod"):
        labels = each["metadata"]["labels"]
        if labels["headgate.dev/model-deployment"] == name:
            fails = labels["headgate.dev/revision"] == candidate and requests
            pods[each["metadata"]["name"]] = PodCounters(requests, requests / 2 if fails else 0.0)
    return Sample(world.now, pods)


async def test_all_that_turn_bad_in_one_poll_are_pinned_before_any_pod_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    for name in NAMES:
        world.apply("1", name, **SPEC)
        await world.until("Stable", name)
        world.apply("2", name, **SPEC)
        await world.until("Progressing", name)
    for requests in (0.0, 1000.0):
        world.now += 5.0
        for name in NAMES:
            world.reconciler.deliver(("risk", name), bad_sample(world, name, requests))
            if not requests:
                await world.settle(("risk", name))
    listed = world.server.list

    async def slowly(*arguments: Any) -> Any:
        await asyncio.sleep(0.01)
        return await listed(*arguments)

    monkeypatch.setattr(world.server, "list", slowly)
    world.server.calls.clear()

    async def passes(key: Key) -> None:
        task = asyncio.create_task(world.reconciler.reconcile(key))
        while world.server.status(key[1])["phase"] != "Reverting":
            world.play_controllers()
            await asyncio.sleep(0.005)
        await task

    await asyncio.gather(*(passes(("risk", name)) for name in NAMES))
    writes = [each[1:] for each in world.server.writes() if each[1] in ("Service", "Deployment")]
    assert writes[: len(NAMES)] == [("Service", name) for name in NAMES]


async def test_nobody_waits_longer_than_a_moment() -> None:
    first = TrafficFirst(longest=0.05)
    with first.about_to_move(True), first.about_to_move(True) as moved:
        async with asyncio.timeout(1.0):
            await moved()


async def test_a_pass_that_fails_holds_up_nobody() -> None:
    first = TrafficFirst(longest=10.0)
    try:
        with first.about_to_move(True):
            raise ValueError
    except ValueError:
        pass
    with first.about_to_move(True) as moved:
        async with asyncio.timeout(1.0):
            await moved()

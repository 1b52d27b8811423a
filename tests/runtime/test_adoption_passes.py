"""A Service and a Deployment that were there before, adopted pass by pass and write by write."""

from typing import Any

import pytest

from headgate.kube.client import Object
from tests.runtime.world import FRAUD, World

OLD = {"app": "fraud"}
READS = ("get", "list", "event")


def before(world: World) -> None:
    """What serves before there is a ModelDeployment."""
    for api_version, kind, spec in (
        ("v1", "Service", {"selector": OLD, "ports": [{"port": 80, "protocol": "TCP"}]}),
        ("apps/v1", "Deployment", {"replicas": 2, "selector": {"matchLabels": OLD}}),
    ):
        metadata = {"name": "fraud", "namespace": "risk", "uid": f"old-{kind.lower()}"}
        world.server.put(
            {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
        )


def service(world: World) -> Object:
    return world.server.objects["Service", "risk", "fraud"]


def old_deployment(world: World) -> bool:
    return ("Deployment", "risk", "fraud") in world.server.objects


def something_serves(world: World) -> bool:
    """Whether the Service selects pods that are there and ready."""
    selector = service(world)["spec"]["selector"]
    if selector == OLD:
        return old_deployment(world)
    return any(
        selector.items() <= each["metadata"]["labels"].items()
        for each in world.server.of_kind("Pod")
    )


async def adopted(world: World, rounds: int = 60) -> None:
    """Passes, pods and time until the version is released and the old Deployment is gone."""
    for _ in range(rounds):
        await world.settle()
        world.play_controllers()
        if not old_deployment(world):
            return
        world.now += 5.0
    raise AssertionError(f"{world.server.status('fraud')}")


async def test_what_is_there_serves_until_the_new_version_does_and_is_then_deleted() -> None:
    world = World()
    before(world)
    revision = world.apply("1", adopt=True)
    await world.settle()
    assert service(world)["spec"]["selector"] == OLD
    assert service(world)["metadata"]["ownerReferences"][0]["name"] == "fraud"
    assert "The adopted Deployment fraud serves." in world.server.status("fraud")["message"]
    await world.until("Stable")
    assert service(world)["spec"]["selector"]["headgate.dev/revision"] == revision
    assert old_deployment(world), "deleted before every node has heard of the pin"
    await adopted(world)
    told = " ".join(each["message"] for each in world.server.events)
    assert "Taking over Service fraud and Deployment fraud, left as found until 1 serves." in told
    assert "Deleting the adopted Deployment fraud: 1 serves with 2 of 2 pods ready." in told


async def test_afterwards_a_pass_at_rest_makes_no_request() -> None:
    world = World()
    before(world)
    world.apply("1", adopt=True)
    await adopted(world)
    await world.settle()
    world.server.calls.clear()
    world.now += 3600
    assert await world.reconciler.reconcile(FRAUD) is None
    world.start()
    assert await world.settle() is None
    assert world.server.calls == []


async def test_a_deployment_that_is_made_later_is_nobodys_to_delete() -> None:
    world = World()
    before(world)
    world.apply("1", adopt=True)
    await adopted(world)
    before(world)
    world.start()
    await world.settle()
    assert service(world)["spec"]["selector"] != OLD, "not pinned again"
    world.now += 60.0
    await world.settle()
    assert old_deployment(world)


async def test_asked_for_while_it_is_a_conflict_it_is_adopted_at_the_next_pass() -> None:
    world = World()
    before(world)
    world.apply("1")
    await world.settle()
    assert world.server.status("fraud")["phase"] == "Conflict"
    assert "set spec.adopt to true" in world.server.status("fraud")["message"]
    assert "ownerReferences" not in service(world)["metadata"]
    world.apply("1", adopt=True)
    await adopted(world)


class KilledError(BaseException):
    """The process has ended."""


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
async def test_killed_at_any_write_it_serves_and_goes_on(answered: bool) -> None:
    killed_at = 0
    while True:
        world = World()
        before(world)
        world.apply("1", adopt=True)
        done = await _with_a_kill(world, killed_at, answered)
        live = service(world)["metadata"]["annotations"]
        assert live["headgate.dev/adopted"] == "none"
        assert "headgate.dev/revision" in service(world)["spec"]["selector"]
        if done:
            break
        killed_at += 1
    assert killed_at > 8, "hardly anything was written"


async def _with_a_kill(world: World, killed_at: int, answered: bool) -> bool:
    """One adoption, killed before or after a write; whether it had fewer writes than that."""
    written = 0
    call, put = world.server._call, world.server.put

    def counted(*request: str) -> None:
        nonlocal written
        call(*request)
        if request[0] in READS:
            return
        assert something_serves(world), f"nothing serves before {request}"
        written += 1
        if written == killed_at + 1 and not answered:
            raise KilledError

    def stored(body: Object) -> Object:
        before_it = written
        found = put(body)
        if answered and before_it == killed_at + 1 and not dead:
            dead.append(before_it)
            raise KilledError
        return found

    dead: list[int] = []
    calls: Any = counted
    puts: Any = stored
    world.server._call = calls  # type: ignore[method-assign]
    world.server.put = puts  # type: ignore[method-assign]
    killed = False
    for _ in range(3):
        try:
            await adopted(world)
            await world.settle()
            break
        except KilledError:
            killed = True
            world.start()
    assert something_serves(world)
    return not killed

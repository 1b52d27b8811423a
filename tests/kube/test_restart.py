"""A restart on a real API server: new pods of the same revision, and it is not taken back."""

import pytest

from headgate.core.intents import KeepRevision, RestartWorkload, SetWorkload
from headgate.core.observation import Pace, Workload
from headgate.kube.apply import carry_out
from headgate.kube.client import DEPLOYMENT, Conflict, Object
from headgate.kube.observe import build
from tests.kube.conftest import World
from tests.kube.test_control_plane import until

pytestmark = pytest.mark.control_plane

AT = "2026-11-26T10:00:00Z"
PACE = Pace(1, 0)


async def running(world: World) -> str:
    snapshot = await world.read()
    revision = build(snapshot).revision
    await carry_out(
        world.client, snapshot, [KeepRevision(revision, "1", 1), SetWorkload(revision, 2)]
    )
    return revision


async def restarted(world: World, revision: str, pace: Pace = PACE) -> Object | None:
    """None when the controllers wrote in between."""
    try:
        await carry_out(world.client, await world.read(), [RestartWorkload(revision, AT, pace)])
    except Conflict:
        return None
    return await world.client.get(DEPLOYMENT, world.namespace, f"fraud-{revision}")


async def scaled(world: World, revision: str, replicas: int) -> bool | None:
    """None when the controllers wrote in between."""
    try:
        await carry_out(world.client, await world.read(), [SetWorkload(revision, replicas)])
    except Conflict:
        return None
    return True


async def test_the_deployment_rolls_and_is_seen_intact(world: World) -> None:
    revision = await running(world)
    before = await world.client.get(DEPLOYMENT, world.namespace, f"fraud-{revision}")
    after = await until(lambda: restarted(world, revision))
    annotations = after["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"headgate.dev/restarted-at": AT}
    assert after["spec"]["replicas"] == before["spec"]["replicas"]
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    assert after["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}
    assert build(await world.read()).workloads == (
        Workload(revision, 2, restarted=AT, pace=PACE, rolling=True),
    )


async def test_a_later_write_does_not_take_it_back(world: World) -> None:
    revision = await running(world)
    await until(lambda: restarted(world, revision))
    await until(lambda: scaled(world, revision, 3))
    assert build(await world.read()).workloads == (
        Workload(revision, 3, restarted=AT, pace=PACE, rolling=True),
    )
    # Edited by hand, it is restored with it.
    world.kubectl("set", "image", f"deployment/fraud-{revision}", "server=evil:1")
    assert not build(await world.read()).workloads[0].intact
    await until(lambda: scaled(world, revision, 3))
    assert build(await world.read()).workloads == (
        Workload(revision, 3, restarted=AT, pace=PACE, rolling=True),
    )


async def test_it_goes_on_at_another_pace(world: World) -> None:
    revision = await running(world)
    await until(lambda: restarted(world, revision))
    after = await until(lambda: restarted(world, revision, Pace(0, 1)))
    before = await world.client.get(DEPLOYMENT, world.namespace, f"fraud-{revision}")
    assert after["spec"]["template"] == before["spec"]["template"]
    assert build(await world.read()).workloads == (
        Workload(revision, 2, restarted=AT, pace=Pace(0, 1), rolling=True),
    )


async def test_a_deployment_made_afterwards_needs_no_restart(world: World) -> None:
    await world.put(restartAt=AT)
    revision = await running(world)
    assert [each.restarted for each in build(await world.read()).workloads] == [AT]
    await world.put(restartAt="2026-11-27T10:00:00Z")
    found = build(await world.read())
    assert (found.revision, found.workloads[0].restarted) == (revision, AT)


async def test_it_is_not_written_on_an_old_view(world: World) -> None:
    revision = await running(world)
    old = await world.read()
    world.kubectl("annotate", "deployment", f"fraud-{revision}", "somebody=else")
    with pytest.raises(Conflict):
        await carry_out(world.client, old, [RestartWorkload(revision, AT, PACE)])
    world.kubectl("delete", "deployment", f"fraud-{revision}")
    with pytest.raises(Conflict):
        await carry_out(world.client, old, [RestartWorkload(revision, AT, PACE)])

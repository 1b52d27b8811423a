"""Replicas through the scale subresource of a real API server, beside authors and autoscalers."""

import json
from typing import Any

import pytest

from hack.cluster import ClusterError
from headgate.api.base import GROUP, PLURAL, VERSION
from headgate.core.intents import SetReplicas
from headgate.kube.apply import carry_out, write_status
from headgate.kube.client import Conflict
from headgate.kube.observe import build
from tests.kube.conftest import World
from tests.kube.objects import model_deployment

pytestmark = pytest.mark.control_plane


def scale_of(world: World) -> dict[str, Any]:
    path = f"/apis/{GROUP}/{VERSION}/namespaces/{world.namespace}/{PLURAL}/fraud/scale"
    found: dict[str, Any] = json.loads(world.kubectl("get", "--raw", path))
    return found


def author_applies(world: World, version: str) -> None:
    body = model_deployment(version)
    body["metadata"] = {"name": "fraud", "namespace": world.namespace}
    world.kubectl(
        "apply", "--server-side", "--force-conflicts", "--field-manager=author", "-f", "-",
        input=json.dumps(body),
    )  # fmt: skip


async def test_replicas_left_out_are_written_for_autoscalers_to_read(world: World) -> None:
    snapshot = await world.read()
    assert build(snapshot).replicas_left_out
    with pytest.raises(ClusterError, match="does not exist"):
        scale_of(world)
    [written] = await carry_out(world.client, snapshot, [SetReplicas(3)])
    assert scale_of(world)["spec"]["replicas"] == 3
    after = await world.read()
    assert not build(after).replicas_left_out
    for key in ("resourceVersion", "generation", "uid"):
        assert written["metadata"][key] == after.metadata[key]
    assert written["spec"] == after.model_deployment["spec"]


async def test_an_autoscaler_that_was_faster_is_not_overruled(world: World) -> None:
    old = await world.read()
    world.kubectl("scale", "mdep", "fraud", "--replicas=7")
    with pytest.raises(Conflict):
        await carry_out(world.client, old, [SetReplicas(3)])
    assert (await world.read()).spec.replicas == 7


async def test_an_author_who_leaves_them_out_does_not_take_them_back(world: World) -> None:
    author_applies(world, "1")
    await carry_out(world.client, await world.read(), [SetReplicas(3)])
    author_applies(world, "2")
    found = build(await world.read())
    assert (found.spec.replicas, found.spec.model.version) == (3, "2")
    assert not found.replicas_left_out
    world.kubectl("scale", "mdep", "fraud", "--replicas=6")
    author_applies(world, "3")
    assert (await world.read()).spec.replicas == 6


async def test_the_selector_of_scale_is_the_live_services(world: World) -> None:
    await carry_out(world.client, await world.read(), [SetReplicas(3)])
    snapshot = await world.read()
    selector = "headgate.dev/model-deployment=fraud,headgate.dev/revision=aaaa"
    await write_status(world.client, snapshot, {"selector": selector, "replicas": 4})
    assert scale_of(world)["status"] == {"selector": selector, "replicas": 4}

"""What others do to our children on a real API server: edit them, delete them, hold their names."""

import json
from dataclasses import replace
from typing import Any

import pytest

from headgate.core.intents import SetRole, SetTraffic, SetWorkload
from headgate.kube.apply import carry_out
from headgate.kube.client import MODEL_DEPLOYMENT, SERVICE, Conflict
from headgate.kube.observe import build, read
from tests.kube.conftest import World
from tests.kube.releasing import released

pytestmark = pytest.mark.control_plane


@pytest.mark.parametrize(
    ("target", "patch"),
    [
        ("service/fraud", {"spec": {"selector": {"headgate.dev/revision": "evil"}}}),
        ("service/fraud", {"spec": {"selector": {"app": "evil"}}}),
        ("service/fraud", {"spec": {"ports": [{"port": 80, "targetPort": 9999}]}}),
        ("service/fraud", {"metadata": {"labels": None, "ownerReferences": None}}),
    ],
)
async def test_a_live_service_edited_by_hand_is_restored(
    world: World, target: str, patch: dict[str, Any]
) -> None:
    before = await released(world)
    # With an owner or without, it keeps the label by which it is found, or is found by name.
    if patch.get("metadata"):
        patch = {"metadata": {"ownerReferences": None}}
    world.kubectl("patch", target, "--type=merge", f"--patch={json.dumps(patch)}")
    damaged = build(await world.read())
    assert damaged.live is not None
    assert not damaged.live.intact or damaged.live.revision != before.revision
    revision = before.revision
    await carry_out(
        world.client, await world.read(), [SetTraffic(revision, stable=revision, reason="Restored")]
    )
    restored = build(await world.read())
    assert restored.live is not None
    assert restored.live.intact
    assert restored.live.revision == revision


@pytest.mark.parametrize(
    "patch",
    [
        {"spec": {"template": {"spec": {"containers": [{"name": "server", "image": "evil:1"}]}}}},
        {"spec": {"template": {"spec": {"containers": [{"name": "server", "env": None}]}}}},
        {"spec": {"template": {"metadata": {"labels": {"headgate.dev/model-version": "evil"}}}}},
        {"metadata": {"labels": {"app.kubernetes.io/managed-by": "evil"}}},
        {"metadata": {"ownerReferences": None}},
    ],
)
async def test_a_deployment_edited_by_hand_is_restored(world: World, patch: dict[str, Any]) -> None:
    before = await released(world)
    name = f"fraud-{before.revision}"
    world.kubectl("patch", "deployment", name, f"--patch={json.dumps(patch)}")
    damaged = build(await world.read())
    assert [each.intact for each in damaged.workloads] == [False]
    await carry_out(world.client, await world.read(), [SetWorkload(before.revision, 2)])
    assert build(await world.read()).workloads == before.workloads


async def test_a_child_deleted_by_hand_comes_back(world: World) -> None:
    before = await released(world)
    world.kubectl("delete", "deployment", f"fraud-{before.revision}")
    world.kubectl("delete", "service", "fraud-stable")
    await carry_out(
        world.client,
        await world.read(),
        [SetWorkload(before.revision, 2), SetRole("stable", before.revision)],
    )
    found = build(await world.read())
    assert found.workloads == before.workloads
    assert found.roles == before.roles


async def test_names_held_by_others_are_reported_and_left_alone(world: World) -> None:
    world.kubectl("create", "service", "clusterip", "fraud", "--tcp=80:8080")
    held = await world.client.get(SERVICE, world.namespace, "fraud")
    observation = build(await world.read())
    assert observation.conflict is not None
    assert observation.conflict.startswith("Service fraud exists and belongs to nobody")
    cached = await world.read()
    with pytest.raises(Conflict):
        await carry_out(world.client, cached, [SetTraffic("aaaa", stable="aaaa")])
    assert await world.client.get(SERVICE, world.namespace, "fraud") == held


async def test_two_that_claim_the_same_name_do_not_share_it(world: World) -> None:
    # "fraud" wants a Service fraud-stable; so does a ModelDeployment of that name.
    await released(world)
    mine = await world.client.get(SERVICE, world.namespace, "fraud-stable")
    other = await world.put(name="fraud-stable")
    assert mine["metadata"]["ownerReferences"][0]["uid"] != other["metadata"]["uid"]
    snapshot = await read(world.client, world.namespace, "fraud-stable")
    assert snapshot is not None
    observation = build(snapshot)
    assert observation.live is None
    assert observation.conflict is not None
    assert "belongs to ModelDeployment fraud (uid" in observation.conflict
    # Even if nobody looked: a cache knows nothing of the other's Service.
    cached = replace(snapshot, foreign=())
    with pytest.raises(Conflict):
        await carry_out(world.client, cached, [SetTraffic("aaaa", stable="aaaa")])
    assert await world.client.get(SERVICE, world.namespace, "fraud-stable") == mine
    await world.client.delete(MODEL_DEPLOYMENT, world.namespace, "fraud-stable")

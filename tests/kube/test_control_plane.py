"""Plans carried out on a real API server, and what it then holds."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from headgate.api.status import Status
from headgate.core.intents import (
    DropRevision,
    KeepRevision,
    MarkRevision,
    Note,
    RemoveWorkload,
    SetTraffic,
    ShrinkWorkload,
)
from headgate.core.observation import Observation
from headgate.kube.apply import carry_out, write_status
from headgate.kube.client import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    EVENT,
    MODEL_DEPLOYMENT,
    POD,
    SERVICE,
    Conflict,
    Invalid,
    NotFound,
    Object,
)
from headgate.kube.events import Events
from headgate.kube.observe import build
from headgate.kube.records import contents_of, read_entries, store
from tests.kube.conftest import World
from tests.kube.releasing import released

pytestmark = pytest.mark.control_plane

T = TypeVar("T")
SERVER = {"name": "server", "image": "registry.example/f:1"}


async def until(look: Callable[[], Awaitable[T | None]], seconds: float = 30) -> T:
    """What `look` finds at last; it is asked until it finds something."""
    async with asyncio.timeout(seconds):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.05)


async def test_a_plan_is_carried_out_and_seen_intact(world: World) -> None:
    found = await released(world)
    assert [(each.replicas, each.intact) for each in found.workloads] == [(2, True)]
    assert found.live is not None
    assert found.live.intact
    assert found.live.revision == found.live.stable == found.revision
    assert found.live.reason == "FirstVersion"
    assert found.roles == {"stable": found.revision, "candidate": "none"}
    assert [(each.version, each.number) for each in found.revisions] == [("1", 1)]
    assert found.conflict is None


async def test_every_field_that_a_template_can_have_is_seen_intact(world: World) -> None:
    server = {
        **SERVER,
        "command": ["serve"],
        "args": ["--fast"],
        "env": [
            {"name": "A", "value": "1"},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "resources": {"limits": {"cpu": "1500m", "memory": "1024Mi", "nvidia.com/gpu": 1}},
        "ports": [{"containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
        "securityContext": {"capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
    }
    pod = {
        "containers": [server],
        "initContainers": [{"name": "fetch", "image": "registry.example/fetch:1"}],
        "volumes": [{"name": "cache", "emptyDir": {"sizeLimit": "2048Mi"}}],
        "nodeSelector": {"gpu": "yes"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "serviceAccountName": "model",
        "terminationGracePeriodSeconds": 40,
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
    }
    world.kubectl("create", "configmap", "settings", "--from-literal=A=1")
    await world.put(template={"metadata": {"annotations": {"a": "b"}}, "spec": pod})
    found = await released(world, replicas=0)
    assert [each.intact for each in found.workloads] == [True]
    assert found.live is not None
    assert found.live.intact


async def test_traffic_is_moved_whole_and_old_decisions_are_gone(world: World) -> None:
    found = await released(world)
    revision = found.revision
    await carry_out(
        world.client, await world.read(), [SetTraffic(None, stable=revision, rejected="bbbb")]
    )
    widened = await world.client.get(SERVICE, world.namespace, "fraud")
    assert widened["spec"]["selector"] == {"headgate.dev/model-deployment": "fraud"}
    assert widened["metadata"]["annotations"] == {
        "headgate.dev/stable": revision,
        "headgate.dev/rejected": "bbbb",
    }
    await carry_out(world.client, await world.read(), [SetTraffic("cccc", stable="cccc")])
    pinned = await world.client.get(SERVICE, world.namespace, "fraud")
    assert pinned["spec"]["selector"]["headgate.dev/revision"] == "cccc"
    assert pinned["metadata"]["annotations"] == {"headgate.dev/stable": "cccc"}


async def test_traffic_is_not_moved_on_an_old_view(world: World) -> None:
    await released(world)
    old = await world.read()
    world.kubectl("annotate", "service/fraud", "somebody=else")
    with pytest.raises(Conflict):
        await carry_out(world.client, old, [SetTraffic("bbbb", stable="bbbb")])
    live = build(await world.read()).live
    assert live is not None
    assert live.revision == build(old).revision


async def test_traffic_is_not_moved_on_a_service_that_was_deleted_since(world: World) -> None:
    await released(world)
    old = await world.read()
    world.kubectl("delete", "service/fraud")
    with pytest.raises(Conflict):
        await carry_out(world.client, old, [SetTraffic("bbbb", stable="bbbb")])


async def test_pods_are_not_taken_away_on_an_old_view(world: World) -> None:
    found = await released(world)
    old = await world.read()
    world.kubectl("annotate", "deployment", f"fraud-{found.revision}", "somebody=else")
    with pytest.raises(Conflict):
        await carry_out(world.client, old, [ShrinkWorkload(found.revision, 0)])
    fresh = await until(lambda: shrunk(world, found.revision, 1))
    assert [each.replicas for each in fresh.workloads] == [1]


async def shrunk(world: World, revision: str, replicas: int) -> Observation | None:
    """The observation after shrinking; None when the controllers wrote in between."""
    try:
        await carry_out(world.client, await world.read(), [ShrinkWorkload(revision, replicas)])
    except Conflict:
        return None
    return build(await world.read())


async def test_revisions_are_marked_kept_unchanged_and_dropped(world: World) -> None:
    revision = (await released(world)).revision
    name = f"fraud-{revision}"
    await carry_out(
        world.client, await world.read(), [MarkRevision(revision, once_stable=True, rejected=True)]
    )
    kept = await world.client.get(CONTROLLER_REVISION, world.namespace, name)
    await carry_out(
        world.client,
        await world.read(),
        [KeepRevision(revision, "1", 4), MarkRevision(revision, rejected=False)],
    )
    found = build(await world.read()).revisions[0]
    assert (found.number, found.once_stable, found.rejected) == (4, True, False)
    again = await world.client.get(CONTROLLER_REVISION, world.namespace, name)
    assert again["data"] == kept["data"]
    await carry_out(world.client, await world.read(), [DropRevision(revision)])
    assert build(await world.read()).revisions == ()


async def test_status_is_written_whole_once_and_only_on_the_latest_view(world: World) -> None:
    def written(phase: str, **more: Any) -> dict[str, object]:
        status = Status(phase=phase, observed_generation=1, **more)
        found: dict[str, object] = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        return found

    old = await world.read()
    first = written("Releasing", desired_weight=5.0, message="at five percent")
    answer = await write_status(world.client, old, first)
    assert answer is not None
    assert answer["status"] == first
    assert answer["spec"] == old.model_deployment["spec"]
    snapshot = await world.read()
    assert snapshot.status.desired_weight == 5.0
    assert await write_status(world.client, snapshot, first) is None

    second = written("Ready")
    with pytest.raises(Conflict):
        await write_status(world.client, old, second)
    await write_status(world.client, snapshot, second)
    after = await world.read()
    assert after.status.desired_weight is None
    assert after.model_deployment["status"] == second
    assert after.metadata["generation"] == old.metadata["generation"]
    assert "finalizers" not in after.metadata
    assert "annotations" not in after.metadata


async def test_a_status_for_a_namesake_made_since_is_refused(world: World) -> None:
    old = await world.read()
    await world.client.delete(MODEL_DEPLOYMENT, world.namespace, "fraud")
    await world.put()
    with pytest.raises(Conflict):
        await write_status(world.client, old, {"phase": "Ready"})


async def pods_of(world: World, count: int) -> list[Object] | None:
    pods = await world.client.list(POD, world.namespace)
    return pods if len(pods) == count else None


async def test_pods_of_a_rejected_version_end_at_once_and_none_comes_back(world: World) -> None:
    world.cluster.kubectl(
        "apply", "--filename=-",
        input=json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "nowhere"}}),
    )  # fmt: skip
    await world.put(template={"spec": {"containers": [SERVER], "nodeName": "nowhere"}})
    revision = (await released(world, replicas=3)).revision
    pods = await until(lambda: pods_of(world, 3))
    # A pod that is already on its way out, with all of its grace, is hurried too.
    first = pods[0]["metadata"]["name"]
    await world.client.delete(POD, world.namespace, first)
    await until(lambda: pods_of(world, 4))
    began = asyncio.get_running_loop().time()
    await carry_out(world.client, await world.read(), [RemoveWorkload(revision, at_once=True)])
    took = asyncio.get_running_loop().time() - began
    found = await world.client.list(POD, world.namespace)
    # There is no kubelet that could confirm the end of a pod: all four are still listed.
    assert len(found) == 4
    assert {each["metadata"]["deletionGracePeriodSeconds"] for each in found} == {1}
    assert took < 5
    assert await world.client.list(DEPLOYMENT, world.namespace) == []
    for each in found:
        await world.client.delete(
            POD, world.namespace, each["metadata"]["name"], grace_period_seconds=0
        )
    assert await world.client.list(POD, world.namespace) == []


async def test_pods_of_an_ordinary_removal_keep_their_grace(world: World) -> None:
    world.cluster.kubectl(
        "apply", "--filename=-",
        input=json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "nowhere"}}),
    )  # fmt: skip
    await world.put(template={"spec": {"containers": [SERVER], "nodeName": "nowhere"}})
    revision = (await released(world, replicas=1)).revision
    await until(lambda: pods_of(world, 1))
    await carry_out(world.client, await world.read(), [RemoveWorkload(revision)])

    async def terminating() -> Object | None:
        pod = (await world.client.list(POD, world.namespace))[0]
        return pod if pod["metadata"].get("deletionTimestamp") else None

    pod = await until(terminating)
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 30
    await world.client.delete(POD, world.namespace, pod["metadata"]["name"], grace_period_seconds=0)
    await carry_out(world.client, await world.read(), [RemoveWorkload(revision)])


async def test_records_grow_in_one_config_map(world: World) -> None:
    snapshot = await world.read()
    await store(world.client, snapshot, "20261123T100000Z-aaaa", [{"at": 1}, {"at": 2}])
    await store(world.client, snapshot, "20261123T100000Z-aaaa", [{"at": 3}])
    await store(world.client, snapshot, "20261123T110000Z-bbbb", [{"at": 4}])
    kept = contents_of(await world.client.get(CONFIG_MAP, world.namespace, "fraud-release-records"))
    assert [each["at"] for each in read_entries(kept, "20261123T100000Z-aaaa")] == [1, 2, 3]
    assert [each["at"] for each in read_entries(kept, "20261123T110000Z-bbbb")] == [4]


async def test_events_are_seen_by_describe(world: World) -> None:
    notes = [Note("Promoted", "Version 2 is live."), Note("Reverted", "Too bad.", warning=True)]
    await Events(world.client).record(await world.read(), notes, 1_795_428_000.0)
    assert len(await world.client.list(EVENT, world.namespace)) == 2
    described = world.kubectl("describe", "modeldeployment", "fraud")
    assert "Version 2 is live." in described
    assert "Warning" in described


async def test_the_api_servers_refusals_have_names(world: World) -> None:
    client, namespace = world.client, world.namespace
    with pytest.raises(NotFound):
        await client.get(SERVICE, namespace, "nothing")
    await client.delete(SERVICE, namespace, "nothing")
    bad: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "bad", "namespace": namespace},
        "spec": {"ports": [{"port": 0}]},
    }
    with pytest.raises(Invalid):
        await client.apply(bad)
    settings: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": namespace},
    }
    made = await client.create(settings)
    with pytest.raises(Conflict):
        await client.create(settings)
    await client.replace({**made, "data": {"a": "1"}})
    with pytest.raises(Conflict):
        await client.replace({**made, "data": {"a": "2"}})
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAP, namespace, "settings", uid="another")
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAP, namespace, "settings", resource_version="1")


async def test_replicas_are_written_through_scale(world: World) -> None:
    answer = await world.client.patch(
        MODEL_DEPLOYMENT,
        world.namespace,
        "fraud",
        {"spec": {"replicas": 4}},
        subresource="scale",
    )
    assert answer["kind"] == "Scale"
    assert (await world.read()).spec.replicas == 4

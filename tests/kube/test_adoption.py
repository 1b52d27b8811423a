"""Services and Deployments that were there before, adopted on a real API server."""

import json
from typing import Any

import pytest

from headgate.core.intents import KeepRevision, RemoveAdopted, SetTraffic, SetWorkload
from headgate.core.observation import INHERITED, NO_DEPLOYMENT, LiveService, Observation
from headgate.kube.apply import carry_out
from headgate.kube.client import DEPLOYMENT, SERVICE, Conflict, NotFound, Object
from headgate.kube.observe import build
from tests.kube.conftest import World

pytestmark = pytest.mark.control_plane

SELECTOR = {"app": "fraud", "tier": "models"}
PORTS = [
    {"name": "web", "port": 80, "targetPort": 5000},
    {"name": "admin", "port": 9000, "targetPort": 9000},
]


def service(**spec: Any) -> str:
    """A Service as its author wrote it."""
    metadata = {"name": "fraud", "labels": {"app.kubernetes.io/managed-by": "hand"}}
    whole = {"selector": SELECTOR, "ports": PORTS, "sessionAffinity": "ClientIP", **spec}
    return json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": whole})


def make_deployment(world: World) -> str:
    """The Deployment that serves; gives its uid."""
    world.kubectl("create", "deployment", "fraud", "--image=registry.example/old:1")
    return world.kubectl("get", "deployment", "fraud", "--output=jsonpath={.metadata.uid}")


async def look(world: World) -> Observation:
    return build(await world.read())


async def stored_service(world: World) -> Object:
    return await world.client.get(SERVICE, world.namespace, "fraud")


async def take_over(world: World) -> Observation:
    """The first write of an adoption, as the planner orders it."""
    snapshot = await world.read()
    seen = build(snapshot)
    assert (seen.conflict, seen.adoptable, seen.live) == (None, True, None)
    adopted = seen.inherited or NO_DEPLOYMENT
    await carry_out(world.client, snapshot, [SetTraffic(INHERITED, adopted=adopted)])
    return await look(world)


async def pin(world: World) -> Observation:
    """The version of the spec gets all traffic."""
    snapshot = await world.read()
    seen = build(snapshot)
    assert seen.live is not None
    revision = seen.revision
    await carry_out(
        world.client,
        snapshot,
        [
            KeepRevision(revision, "1", 1),
            SetWorkload(revision, 1),
            SetTraffic(revision, stable=revision, adopted=seen.live.adopted),
        ],
    )
    return await look(world)


WRITERS = {
    "apply": ("apply", "-f", "-"),
    "create": ("create", "-f", "-"),
    "server-side apply": ("apply", "--server-side", "--field-manager=argo", "-f", "-"),
}


@pytest.mark.parametrize("writer", WRITERS)
async def test_a_service_keeps_its_pods_until_it_is_pinned_and_then_has_only_ours(
    world: World, writer: str
) -> None:
    await world.put(adopt=True)
    world.kubectl(*WRITERS[writer], input=service())
    before = await stored_service(world)
    seen = await take_over(world)
    assert seen.live == LiveService(INHERITED, adopted=NO_DEPLOYMENT)
    taken = await stored_service(world)
    assert taken["spec"] == before["spec"]
    assert taken["metadata"]["uid"] == before["metadata"]["uid"]
    assert [each["uid"] for each in taken["metadata"]["ownerReferences"]] == [
        (await world.read()).uid
    ]

    seen = await pin(world)
    revision = seen.revision
    assert seen.live == LiveService(revision, stable=revision, adopted=NO_DEPLOYMENT)
    pinned = (await stored_service(world))["spec"]
    assert set(pinned["selector"]) == {
        "headgate.dev/model-deployment",
        "headgate.dev/revision",
    }
    assert [(each["name"], each["port"], each["targetPort"]) for each in pinned["ports"]] == [
        ("web", 80, "http")
    ]
    assert pinned["sessionAffinity"] == "None"
    assert pinned["clusterIP"] == before["spec"]["clusterIP"]


async def test_a_pinned_service_is_as_any_other_of_ours(world: World) -> None:
    await world.put(adopt=True)
    world.kubectl("apply", "-f", "-", input=service())
    await take_over(world)
    revision = (await pin(world)).revision
    await world.put(service={"port": 8080})
    snapshot = await world.read()
    intent = SetTraffic(None, stable=revision, adopted=NO_DEPLOYMENT)
    await carry_out(world.client, snapshot, [intent])
    found = (await stored_service(world))["spec"]
    assert [(each["name"], each["port"]) for each in found["ports"]] == [("http", 8080)]
    assert set(found["selector"]) == {"headgate.dev/model-deployment"}
    live = (await look(world)).live
    assert live is not None
    assert live.intact


async def test_a_port_without_a_name_keeps_none(world: World) -> None:
    await world.put(adopt=True)
    world.kubectl("create", "deployment", "fraud", "--image=registry.example/old:1")
    world.kubectl("expose", "deployment", "fraud", "--port=80", "--target-port=5000")
    await take_over(world)
    seen = await pin(world)
    assert seen.live is not None
    assert seen.live.intact
    [port] = (await stored_service(world))["spec"]["ports"]
    assert ("name" in port, port["targetPort"]) == (False, "http")


async def test_a_kill_between_the_two_requests_of_a_pin_is_made_good(world: World) -> None:
    await world.put(adopt=True)
    world.kubectl("apply", "--server-side", "-f", "-", input=service())
    await take_over(world)

    class Killed(Exception):  # noqa: N818
        pass

    snapshot = await world.read()
    revision = build(snapshot).revision
    apply = world.client.apply

    async def killed(*_: object, **__: object) -> Object:
        raise Killed

    world.client.apply = killed  # type: ignore[method-assign]
    intent = SetTraffic(revision, stable=revision, adopted=NO_DEPLOYMENT)
    with pytest.raises(Killed):
        await carry_out(world.client, snapshot, [intent])
    world.client.apply = apply  # type: ignore[method-assign]
    assert (await look(world)).live == LiveService(INHERITED, adopted=NO_DEPLOYMENT)
    assert (await stored_service(world))["spec"]["selector"] == SELECTOR
    live = (await pin(world)).live
    assert live == LiveService(revision, stable=revision, adopted=NO_DEPLOYMENT)
    assert len((await stored_service(world))["spec"]["ports"]) == 1


async def test_a_service_that_has_changed_is_neither_taken_over_nor_pinned(world: World) -> None:
    await world.put(adopt=True)
    world.kubectl("apply", "-f", "-", input=service())
    old = await world.read()
    world.kubectl("annotate", "service", "fraud", "touched=1")
    with pytest.raises(Conflict):
        await carry_out(world.client, old, [SetTraffic(INHERITED, adopted=NO_DEPLOYMENT)])
    await take_over(world)
    old = await world.read()
    world.kubectl("annotate", "service", "fraud", "touched=2", "--overwrite")
    with pytest.raises(Conflict):
        await carry_out(world.client, old, [SetTraffic("aaaa", stable="aaaa")])
    assert (await stored_service(world))["spec"]["selector"] == SELECTOR


async def test_the_adopted_deployment_is_deleted_by_its_uid_and_only_by_that(world: World) -> None:
    await world.put(adopt=True)
    world.kubectl("apply", "-f", "-", input=service())
    uid = make_deployment(world)
    taken = await take_over(world)
    assert taken.live == LiveService(INHERITED, adopted=uid)
    await pin(world)
    await carry_out(world.client, await world.read(), [RemoveAdopted("another")])
    assert (await world.client.get(DEPLOYMENT, world.namespace, "fraud"))["metadata"]["uid"] == uid
    old = await world.read()
    world.kubectl("annotate", "service", "fraud", "touched=1")
    with pytest.raises(Conflict):
        await carry_out(world.client, old, [RemoveAdopted(uid)])
    for _ in range(2):
        await carry_out(world.client, await world.read(), [RemoveAdopted(uid)])
    with pytest.raises(NotFound):
        await world.client.get(DEPLOYMENT, world.namespace, "fraud")


async def test_a_deployment_that_got_a_controller_is_left_alone(world: World) -> None:
    await world.put(adopt=True)
    uid = make_deployment(world)
    snapshot = await world.read()
    assert build(snapshot).inherited == uid
    await carry_out(world.client, snapshot, [SetTraffic("none", adopted=uid)])
    control(world, "deployment")
    await carry_out(world.client, await world.read(), [RemoveAdopted(uid)])
    await world.client.get(DEPLOYMENT, world.namespace, "fraud")


def control(world: World, kind: str) -> None:
    """Make somebody else the controller of what is named fraud."""
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "controller": True}
    world.kubectl("create", "configmap", "owner")
    owner["uid"] = world.kubectl("get", "configmap", "owner", "--output=jsonpath={.metadata.uid}")
    patch = json.dumps({"metadata": {"ownerReferences": [owner]}})
    world.kubectl("patch", kind, "fraud", "--type=merge", "--patch", patch)


async def test_without_adopt_it_is_a_conflict_that_names_the_way_out(world: World) -> None:
    world.kubectl("apply", "-f", "-", input=service())
    make_deployment(world)
    seen = await look(world)
    assert seen.conflict is not None
    assert seen.conflict.startswith(
        "Service fraud exists and belongs to nobody: set spec.adopt to true to take it over,"
    )
    assert (seen.adoptable, seen.inherited) == (False, None)


@pytest.mark.parametrize("kind", ["service", "deployment"])
async def test_what_another_one_controls_is_always_a_conflict(world: World, kind: str) -> None:
    await world.put(adopt=True)
    world.kubectl("apply", "-f", "-", input=service())
    make_deployment(world)
    control(world, kind)
    seen = await look(world)
    assert seen.conflict is not None
    assert "to ConfigMap owner (uid" in seen.conflict


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"type": "NodePort"}, "it is of type NodePort"),
        ({"clusterIP": "None"}, "it is headless"),
        ({"selector": None}, "it has no selector"),
        ({"selector": {"app.kubernetes.io/name": "fraud"}}, "so they would get traffic before"),
    ],
)
async def test_a_service_that_cannot_be_taken_over_safely_is_a_conflict(
    world: World, spec: dict[str, Any], why: str
) -> None:
    await world.put(adopt=True)
    world.kubectl("apply", "-f", "-", input=service(**spec))
    seen = await look(world)
    assert seen.conflict is not None
    assert seen.conflict.startswith("Service fraud cannot be taken over: ")
    assert why in seen.conflict


async def test_a_service_with_decisions_of_another_model_deployment_is_a_conflict(
    world: World,
) -> None:
    await world.put(adopt=True)
    world.kubectl("apply", "-f", "-", input=service())
    world.kubectl("annotate", "service", "fraud", "headgate.dev/stable=aaaa")
    seen = await look(world)
    assert "of another ModelDeployment" in (seen.conflict or "")

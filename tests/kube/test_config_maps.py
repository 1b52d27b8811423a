"""Copies of ConfigMaps on a real API server."""

import pytest

from headgate.core.intents import DropRevision, KeepRevision, SetWorkload
from headgate.kube.apply import carry_out
from headgate.kube.client import CONFIG_MAP, DEPLOYMENT, Conflict, Invalid, Object
from headgate.kube.observe import build
from headgate.render.names import OWNED_BY
from tests.kube.conftest import World

pytestmark = pytest.mark.control_plane

TEMPLATE = {
    "spec": {
        "containers": [
            {
                "name": "server",
                "image": "registry.example/f:1",
                "env": [
                    {
                        "name": "THRESHOLD",
                        "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "threshold"}},
                    }
                ],
            }
        ],
        "volumes": [{"name": "v", "configMap": {"name": "more", "optional": True}}],
    }
}


async def configured(world: World, content: str = "low") -> None:
    body: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": world.namespace},
        "data": {"threshold": content},
        "binaryData": {"model": "AAEC"},
    }
    await world.client.apply(body)


async def kept(world: World) -> str:
    """Keep the revision that is asked for and make its Deployment."""
    snapshot = await world.read()
    revision = build(snapshot).revision
    await carry_out(
        world.client, snapshot, [KeepRevision(revision, "1", 1), SetWorkload(revision, 1)]
    )
    return revision


async def copies(world: World) -> dict[str, Object]:
    found = await world.client.list(CONFIG_MAP, world.namespace, OWNED_BY)
    return {each["metadata"]["name"]: each for each in found}


async def test_a_revision_has_copies_of_its_own_and_takes_them_along(world: World) -> None:
    await configured(world)
    await world.put(template=TEMPLATE)
    first = await kept(world)
    await configured(world, "high")
    second = await kept(world)
    assert second != first
    found = await copies(world)
    assert {name: each["data"] for name, each in found.items()} == {
        f"fraud-{first}-settings": {"threshold": "low"},
        f"fraud-{second}-settings": {"threshold": "high"},
    }
    owner = found[f"fraud-{first}-settings"]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["controller"]) == ("ModelDeployment", True)
    assert found[f"fraud-{first}-settings"]["binaryData"] == {"model": "AAEC"}
    observation = build(await world.read())
    assert [each.intact for each in observation.workloads] == [True, True]
    stored = await world.client.get(DEPLOYMENT, world.namespace, f"fraud-{first}")
    pod = stored["spec"]["template"]["spec"]
    reference = pod["containers"][0]["env"]
    assert {
        "name": "THRESHOLD",
        "valueFrom": {"configMapKeyRef": {"name": f"fraud-{first}-settings", "key": "threshold"}},
    } in reference
    assert pod["volumes"][0]["configMap"]["name"] == f"fraud-{first}-more"

    await carry_out(world.client, await world.read(), [DropRevision(first)])
    assert list(await copies(world)) == [f"fraud-{second}-settings"]


async def test_a_copy_cannot_be_changed(world: World) -> None:
    await configured(world)
    await world.put(template=TEMPLATE)
    revision = await kept(world)
    with pytest.raises(Invalid, match="immutable"):
        await world.client.patch(
            CONFIG_MAP,
            world.namespace,
            f"fraud-{revision}-settings",
            {"data": {"threshold": "evil"}},
        )


async def test_a_pass_that_was_killed_between_copies_and_revision_is_finished(
    world: World,
) -> None:
    await configured(world)
    await world.put(template=TEMPLATE)
    revision = await kept(world)
    world.kubectl("delete", "controllerrevision", f"fraud-{revision}")
    assert await kept(world) == revision
    assert [each.revision for each in build(await world.read()).revisions] == [revision]


async def test_what_changed_since_it_was_hashed_is_not_kept_under_that_name(world: World) -> None:
    await configured(world)
    await world.put(template=TEMPLATE)
    old = await world.read()
    await configured(world, "high")
    with pytest.raises(Conflict, match="ConfigMap settings has changed"):
        await carry_out(world.client, old, [KeepRevision(build(old).revision, "1", 1)])
    assert await copies(world) == {}
    world.kubectl("delete", "configmap", "settings")
    with pytest.raises(Conflict, match="ConfigMap settings was deleted"):
        await carry_out(world.client, old, [KeepRevision(build(old).revision, "1", 1)])


async def test_somebody_elses_under_a_copys_name_is_left_alone(world: World) -> None:
    await configured(world)
    await world.put(template=TEMPLATE)
    snapshot = await world.read()
    revision = build(snapshot).revision
    name = f"fraud-{revision}-settings"
    world.kubectl("create", "configmap", name, "--from-literal=theirs=1")
    with pytest.raises(Conflict):
        await carry_out(world.client, snapshot, [KeepRevision(revision, "1", 1)])
    stored = await world.client.get(CONFIG_MAP, world.namespace, name)
    assert stored["data"] == {"theirs": "1"}


async def test_a_missing_one_is_named_and_what_is_kept_stands(world: World) -> None:
    await configured(world)
    await world.put(template=TEMPLATE)
    revision = await kept(world)
    world.kubectl("delete", "configmap", "settings")
    found = build(await world.read())
    assert found.missing == "ConfigMap settings, which its template uses, does not exist"
    assert found.revision == revision
    await world.put("2", template=TEMPLATE)
    assert build(await world.read()).revision != revision

"""Several ports, annotations and anti-affinity on a real API server."""

from typing import Any

import pytest

from headgate.core.intents import KeepRevision, SetRole, SetTraffic, SetWorkload
from headgate.core.observation import Observation
from headgate.kube.apply import carry_out
from headgate.kube.client import SERVICE
from headgate.kube.observe import build
from tests.kube.conftest import World

pytestmark = pytest.mark.control_plane

PORTS = [
    {"name": "predict", "port": 80, "targetPort": 8080},
    {"name": "metrics", "port": 9090, "appProtocol": "http"},
    {"name": "udp", "port": 80, "protocol": "UDP"},
]


async def live(world: World) -> Observation:
    snapshot = await world.read()
    revision = build(snapshot).revision
    await carry_out(
        world.client,
        snapshot,
        [
            KeepRevision(revision, "1", 1),
            SetWorkload(revision, 1),
            SetRole("stable", revision),
            SetTraffic(revision, stable=revision),
        ],
    )
    return build(await world.read())


async def test_ports_and_annotations_are_written_and_seen_intact(world: World) -> None:
    await world.put(
        service={"ports": PORTS, "annotations": {"example.com/a": "1"}}, separateSides=True
    )
    found = await live(world)
    assert found.live is not None
    assert found.live.intact
    assert found.roles == {"stable": found.revision}
    assert [each.intact for each in found.workloads] == [True]
    stored = await world.client.get(SERVICE, world.namespace, "fraud")
    assert [each["name"] for each in stored["spec"]["ports"]] == ["predict", "metrics", "udp"]
    assert stored["metadata"]["annotations"]["example.com/a"] == "1"


@pytest.mark.parametrize("changed", [{"port": 80}, {"annotations": {"other": "2"}}])
async def test_an_annotation_that_the_manifest_has_no_more_goes(
    world: World, changed: dict[str, Any]
) -> None:
    await world.put(service={"annotations": {"example.com/a": "1"}})
    revision = (await live(world)).revision
    world.kubectl("annotate", "service", "fraud", "theirs=stays")
    await world.put(service=changed)
    stale = build(await world.read()).live
    assert stale is not None
    assert not stale.intact
    await carry_out(world.client, await world.read(), [SetTraffic(revision, stable=revision)])
    found = build(await world.read()).live
    assert found is not None
    assert found.intact
    stored = await world.client.get(SERVICE, world.namespace, "fraud")
    left = stored["metadata"]["annotations"]
    assert "example.com/a" not in left
    assert left["theirs"] == "stays"

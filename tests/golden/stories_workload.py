"""Stories about what stands around a version: ConfigMaps, autoscalers, budgets, restarts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.golden.story import Story, apply
from tests.golden.world import Behaviour, Event, World

TEMPLATE: Mapping[str, Any] = {
    "spec": {
        "containers": [
            {
                "name": "server",
                "image": "fraud:1.0.0",
                "envFrom": [{"configMapRef": {"name": "thresholds"}}],
            }
        ]
    }
}


def _configure(content: str) -> Event:
    """Write the ConfigMap that the template uses."""

    def event(world: World) -> None:
        world.config_maps["thresholds"] = content

    return event


def _delete_config_map(world: World) -> None:
    del world.config_maps["thresholds"]


def _first(world: World) -> None:
    apply("1.0.0", template=TEMPLATE)(world)


def _configured(world: World) -> None:
    _configure("low")(world)
    _first(world)


def _autoscale(replicas: int) -> Event:
    return lambda world: world.scale(replicas)


def _own_budget(exists: bool) -> Event:
    def event(world: World) -> None:
        world.own_budget = exists

    return event


def _edit_budgets(world: World) -> None:
    world.budgets = dict.fromkeys(world.budgets, False)


def _restart(at: str, version: str = "1.0.0") -> Event:
    return apply(version, restartAt=at)


STORIES = {
    "restarted": Story(
        "A person restarts the pods twice; an older time again changes nothing",
        {
            0: apply("1.0.0"),
            50: _restart("2026-11-26T10:00:00Z"),
            60: _restart("2026-11-26T12:00:00+01:00"),
            70: _restart("2026-11-26T10:30:00Z"),
        },
        seconds=80,
    ),
    "restarted-in-a-release": Story(
        "A restart asked for during a release waits until no traffic is moved",
        {
            0: apply("1.0.0"),
            60: apply("2.0.0"),
            70: _restart("2026-11-26T10:00:00Z", "2.0.0"),
        },
        seconds=240,
    ),
    "restarted-while-suspended": Story(
        "A restart waits for the end of a suspension",
        {
            0: apply("1.0.0"),
            50: apply("1.0.0", suspend=True, restartAt="2026-11-26T10:00:00Z"),
            60: _restart("2026-11-26T10:00:00Z"),
        },
        seconds=70,
    ),
    "disruption-budgets": Story(
        "Each version has a disruption budget of its own, edited by hand and restored",
        {0: apply("1.0.0"), 50: _edit_budgets, 60: apply("2.0.0")},
        seconds=240,
        tells_budgets=True,
    ),
    "disruption-budget-of-the-author": Story(
        "An author's own disruption budget takes the place of ours, until it goes",
        {
            0: apply("1.0.0"),
            40: _own_budget(True),
            60: apply("2.0.0"),
            90: _own_budget(False),
        },
        {"2.0.0": Behaviour(errors=0.3)},
        seconds=130,
        tells_budgets=True,
    ),
    "autoscaler-in-the-middle": Story(
        "Replicas are left out and written once; the ratio follows an autoscaler's changes",
        {
            0: apply("1.0.0", replicas=None, environment="production"),
            50: _autoscale(4),
            60: apply("2.0.0", replicas=None, environment="production"),
            75: _autoscale(8),
            120: _autoscale(6),
        },
        seconds=260,
        capacity_checked=False,
    ),
    "config-map-changes": Story(
        "Changing a ConfigMap that the template uses is a release",
        {0: _configured, 60: _configure("high")},
        seconds=240,
    ),
    "config-map-put-back": Story(
        "The old content of a ConfigMap is put back in the middle of the release",
        {0: _configured, 60: _configure("high"), 85: _configure("low")},
        seconds=130,
    ),
    "config-map-missing": Story(
        "A ConfigMap that the template needs does not exist until later",
        {0: _first, 20: _configure("low")},
        seconds=70,
    ),
    "config-map-deleted": Story(
        "A ConfigMap is deleted in the middle of a release: it goes on with its copy",
        {0: _configured, 60: _configure("high"), 75: _delete_config_map},
        seconds=240,
    ),
    "config-map-deleted-at-rest": Story(
        "A ConfigMap is deleted at rest, and another version is asked for before it is back",
        {
            0: _configured,
            60: _delete_config_map,
            70: apply("2.0.0", template=TEMPLATE),
            90: _configure("low"),
        },
        seconds=240,
    ),
}

"""Stories about a Service and a Deployment that were there before the ModelDeployment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.golden.story import Story, apply
from tests.golden.world import Behaviour, Event, World

UID = "uid-of-old"
AT = "2026-11-26T10:00:00Z"


def _before(version: str, **changes: Any) -> Event:
    """kubectl apply of a version, where a Service and a Deployment serve already."""

    def event(world: World) -> None:
        world.old_service, world.old_deployment = True, UID
        apply(version, **changes)(world)

    return event


def _deployment_alone(world: World) -> None:
    world.old_deployment = UID
    apply("2.0.0", adopt=True)(world)


def _abort(world: World) -> None:
    action = {"type": "Abort", "revision": world.revision, "by": "jane", "at": AT}
    apply("2.0.0", adopt=True, action=action)(world)


def _delete_service(world: World) -> None:
    world.live, world.old_service = None, False


def _take_mark_off(world: World) -> None:
    # As it is then seen: as if it selected both sides.
    assert world.live is not None
    world.live = replace(world.live, revision=None, adopted=None)


STORIES = {
    "adopted": Story(
        "A Service and a Deployment are adopted: the old pods serve until the new ones do",
        {0: _before("2.0.0", adopt=True)},
        seconds=70,
    ),
    "adopted-after-a-conflict": Story(
        "Adoption is asked for once the conflict was told, and the next release is as ever",
        {0: _before("2.0.0"), 10: apply("2.0.0", adopt=True), 70: apply("3.0.0")},
        seconds=300,
    ),
    "adopted-and-never-ready": Story(
        "The first version never gets ready, so what was adopted serves on until there is another",
        {0: _before("2.0.0", adopt=True), 100: apply("3.0.0", adopt=True)},
        {"2.0.0": Behaviour(waiting="ErrImagePull")},
        seconds=180,
    ),
    "adopted-and-failed-its-checks": Story(
        "The first version fails its checks and somebody gives it up: the old pods serve",
        {0: _before("2.0.0", adopt=True), 30: _abort, 40: apply("2.0.0")},
        {"2.0.0": Behaviour(smoke_passes=False)},
        seconds=60,
    ),
    "adopted-without-replicas": Story(
        "No replicas are asked for: the Service is not pinned to nothing",
        {0: _before("2.0.0", adopt=True, replicas=0), 30: apply("2.0.0", adopt=True)},
        seconds=100,
        capacity_checked=False,
    ),
    "adopted-and-released-at-once": Story(
        "Another version is asked for in the watch: the old Deployment goes after its release",
        {0: _before("2.0.0", adopt=True), 15: apply("3.0.0", adopt=True)},
        seconds=240,
    ),
    "adopted-and-edited": Story(
        "Somebody takes the mark off the Service, later deletes it: the old Deployment goes anyway",
        {0: _before("2.0.0", adopt=True), 2: _take_mark_off, 20: _delete_service},
        seconds=70,
        capacity_checked=False,
    ),
    "adopted-deployment-alone": Story(
        "Only a Deployment was there, whose pods another Service may select",
        {0: _deployment_alone},
        seconds=70,
    ),
}

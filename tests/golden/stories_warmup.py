"""Stories of pods that are warmed up before they get traffic: new versions, pods that join later,
warm-ups that fail, and none of their requests in a verdict."""

from __future__ import annotations

from typing import Any

from tests.golden.events import behave, change, later
from tests.golden.stories import HIGH_ERROR_RATE
from tests.golden.stories_actions import ask
from tests.golden.story import Story, apply
from tests.golden.world import Behaviour, Event, World

WARM_UP: dict[str, Any] = {
    "warmUp": {"requests": [{"body": {"inputs": [1]}}], "fasterThan": "200ms", "timeout": "25s"}
}
NEVER_WARM = Behaviour(warm_after=10_000.0)


def smoke(smoke: dict[str, Any]) -> Event:
    return lambda world: world.give({**world.written, "smoke": smoke})


def suspend(world: World) -> None:
    world.give({**world.written, "suspend": True})


def restart(world: World) -> None:
    world.restart()


def evict(version: str) -> Event:
    """All pods of a version are evicted at once; their Deployment makes others."""

    def event(world: World) -> None:
        for pod in world.pods:
            if world.version_of(pod.revision) == version:
                pod.ends = pod.ends or world.now + 1.0

    return event


STORIES: dict[str, Story] = {
    "warm-up-good": Story(
        "Every pod is warm before it gets traffic; slow and failing warm-up requests never count",
        {0: apply("1.0.0", smoke=WARM_UP), 60: later("2.0.0")},
        seconds=240,
    ),
    "warm-up-fails": Story(
        "A version that never gets fast is taken back before any live traffic",
        {0: apply("1.0.0", smoke=WARM_UP), 60: later("2.0.0")},
        {"2.0.0": NEVER_WARM},
        seconds=120,
    ),
    "warm-up-of-pods-that-join": Story(
        "Pods that join in the middle of a step are warmed up, and the verdict does not see it",
        {0: apply("1.0.0", smoke=WARM_UP), 60: later("2.0.0"), 75: change(replicas=8)},
        {"1.0.0": Behaviour(cold_errors=1.0), "2.0.0": Behaviour(cold_errors=1.0)},
        seconds=260,
        capacity_checked=False,
    ),
    "warm-up-interrupted": Story(
        "The operator starts anew while pods are warmed up: it asks them again",
        {0: apply("1.0.0", smoke=WARM_UP), 60: later("2.0.0"), 66: restart, 68: restart},
        {"2.0.0": Behaviour(warm_after=6.0)},
        seconds=240,
    ),
    "warm-up-of-a-first-version": Story(
        "A first version does not get warm: it is tried again, as nothing else could serve",
        {
            0: apply("1.0.0", smoke=WARM_UP),
            70: behave("1.0.0", Behaviour()),
        },
        {"1.0.0": NEVER_WARM},
        seconds=150,
    ),
    "warm-up-in-a-revert": Story(
        "While a revert waits for stable pods they are warmed up, but not for long",
        {
            0: apply(
                "1.0.0",
                smoke=WARM_UP,
                watch={"duration": "60s", "keepPrevious": 1},
                rollback={"conditions": [HIGH_ERROR_RATE]},
            ),
            60: later("2.0.0"),
            130: behave("1.0.0", NEVER_WARM),
            140: behave("2.0.0", Behaviour(errors=0.3)),
        },
        seconds=200,
        capacity_checked=False,
    ),
    "warm-up-going-back": Story(
        "A version that once was stable comes back, cold if it has to be",
        {
            0: apply("1.0.0", smoke=WARM_UP),
            60: later("2.0.0"),
            190: behave("1.0.0", NEVER_WARM),
            195: ask("Undo", "2.0.0"),
        },
        seconds=320,
    ),
    "warm-up-of-all-pods-of-stable": Story(
        "All pods of stable are evicted and cannot get warm: cold is better than nothing",
        {
            0: apply("1.0.0", smoke=WARM_UP),
            60: behave("1.0.0", NEVER_WARM),
            61: evict("1.0.0"),
        },
        seconds=110,
        capacity_checked=False,
    ),
    "warm-up-while-suspended": Story(
        "Pods that join while the ModelDeployment is suspended are warmed up all the same",
        {0: apply("1.0.0", smoke=WARM_UP), 60: suspend, 62: change(replicas=6)},
        seconds=90,
        capacity_checked=False,
    ),
    "warm-up-added-and-removed": Story(
        "Added later it holds from the next release on; removed, no pod needs a request",
        {
            0: apply("1.0.0"),
            50: smoke(WARM_UP),
            55: change(replicas=5),
            70: later("2.0.0"),
            220: smoke({}),
            225: change(replicas=6),
        },
        seconds=250,
        capacity_checked=False,
    ),
}

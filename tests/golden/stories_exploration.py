"""Stories of what the exploration of small worlds has found: the spec changes in the middle of a
release, and at the same moment something is lost."""

from __future__ import annotations

from headgate.api.status import Status
from tests.golden.events import change
from tests.golden.story import Story, apply
from tests.golden.world import World


def _taken_back_and_lost(world: World) -> None:
    apply("1.0.0")(world)
    world.status = Status()


def _scaled_up_and_deleted(world: World) -> None:
    apply("2.0.0", replicas=8)(world)
    world.live = None


STORIES = {
    "taken-back-and-status-lost": Story(
        "The spec returns to stable at 50 % and the status is lost: shared until stable is whole",
        {0: apply("1.0.0"), 60: apply("2.0.0"), 100: _taken_back_and_lost},
        seconds=140,
    ),
    "service-deleted-while-scaled": Story(
        "The live Service is deleted at 20 % while stable grows: pinned until the shares are right",
        {0: apply("1.0.0"), 60: apply("2.0.0"), 75: _scaled_up_and_deleted},
        seconds=180,
        capacity_checked=False,
    ),
    "scaled-to-zero-in-a-step": Story(
        "Scaled to 0 in the middle of a step: nothing goes live unjudged, it goes on with replicas",
        {
            0: apply("1.0.0"),
            60: apply("2.0.0"),
            75: apply("2.0.0", replicas=0),
            100: apply("2.0.0", replicas=4),
        },
        seconds=240,
        capacity_checked=False,
    ),
    "strategy-changed-in-a-step": Story(
        "The strategy becomes blue/green at 50 %: stable takes all traffic first, then the rest",
        {
            0: apply("1.0.0"),
            60: apply("2.0.0"),
            100: change(strategy={"type": "BlueGreen", "blueGreen": {"hold": "5s"}}),
        },
        seconds=200,
    ),
}

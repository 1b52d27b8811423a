"""Stories of what the exploration of small worlds has found: the spec changes its size or its
strategy in the middle of a release."""

from __future__ import annotations

from tests.golden.events import change
from tests.golden.story import Story, apply

STORIES = {
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

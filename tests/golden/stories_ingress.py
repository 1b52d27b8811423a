"""Stories that ingress-nginx tells: it counts what it sends to the live Service, for all versions
together, so that only the watch after the switch is judged."""

from __future__ import annotations

from typing import Any

from tests.golden.events import behave, later
from tests.golden.story import Story, apply
from tests.golden.world import Behaviour, Event

ANALYSIS = {"interval": "5s", "runtime": "ingress-nginx", "comparison": {"minSamples": 20}}
ERRORS = {"name": "high_error_rate", "metric": "errorRate", "above": 0.1, "for": "10s"}
NO_REQUESTS = {"name": "zero_throughput", "metric": "throughput", "below": 10.0, "for": "10s"}


def _first(**changes: Any) -> Event:
    return apply(
        "1.0.0",
        analysis=ANALYSIS,
        strategy={"type": "BlueGreen", "blueGreen": {"hold": "20s"}},
        rollback={"conditions": [ERRORS, NO_REQUESTS]},
        watch={"duration": "40s"},
        **changes,
    )


STORIES = {
    "ingress-good": Story(
        "ingress-nginx: the version before failed until the switch; nothing of it is charged to"
        " the new one",
        {0: _first(), 70: later("2.0.0")},
        behaviours={"1.0.0": Behaviour(errors=0.5)},
        seconds=180,
    ),
    "ingress-taken-back": Story(
        "ingress-nginx: fails after the switch and is taken back; the next release starts clean",
        {0: _first(), 70: later("2.0.0"), 150: later("3.0.0")},
        behaviours={"2.0.0": Behaviour(errors=0.5)},
        seconds=270,
    ),
    "ingress-swapped": Story(
        "ingress-nginx: pods are swapped, and what both versions answered together is nobody's",
        {
            0: _first(),
            70: later(
                "2.0.0",
                strategy={"type": "BlueGreen", "capacity": "Swap", "maxUnavailable": 1},
            ),
            78: behave("1.0.0", Behaviour(errors=0.9)),
        },
        seconds=200,
    ),
}

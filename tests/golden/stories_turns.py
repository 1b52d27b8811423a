"""Stories in which only so many releases may be under way at the same time."""

from __future__ import annotations

from headgate.core.timing import to_text
from headgate.core.turns import Caps, Entrant
from tests.golden.events import behave, later
from tests.golden.story import Story, apply
from tests.golden.world import EPOCH, Behaviour, Event, World

SPAM = Entrant(("risk", "spam"), under_way=True)
SCORE = Entrant(("risk", "score"), since=to_text(EPOCH + 50))


def under_way(*others: Entrant, cap: int = 1) -> Event:
    """From now on these others release, or wait to do so."""

    def event(world: World) -> None:
        world.caps, world.others = Caps(per_namespace=cap), others

    return event


STORIES: dict[str, Story] = {
    "turn-comes": Story(
        "A release waits for its turn behind one that waits longer, and says so",
        {
            0: apply("1.0.0"),
            55: under_way(SPAM, SCORE),
            60: later("2.0.0"),
            80: under_way(Entrant(SCORE.key, under_way=True)),
            100: under_way(),
        },
        seconds=260,
    ),
    "turn-not-needed": Story(
        "A first version, going back and a revert wait for nobody",
        {
            0: under_way(SPAM),
            1: apply("1.0.0"),
            60: under_way(),
            61: later("2.0.0"),
            75: under_way(SPAM),
            80: behave("2.0.0", Behaviour(errors=0.3)),
            120: under_way(),
            121: later("3.0.0"),
            240: under_way(SPAM),
            241: later("1.0.0"),
        },
        seconds=280,
    ),
}

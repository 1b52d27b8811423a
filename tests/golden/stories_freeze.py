"""Stories in which a freeze window holds releases back."""

from __future__ import annotations

from headgate.core.timing import to_text
from tests.golden.events import behave, change, later
from tests.golden.stories_actions import ask
from tests.golden.story import Story, apply
from tests.golden.world import EPOCH, Behaviour


def window(begins: float, ends: float) -> list[dict[str, str]]:
    """A window from and until so many seconds after the story's beginning."""
    return [
        {
            "from": to_text(EPOCH + begins),
            "until": to_text(EPOCH + ends),
            "reason": "end of the year",
        }
    ]


STORIES: dict[str, Story] = {
    "freeze-before": Story(
        "In a freeze window no release begins; it does by itself when the window is over",
        {0: apply("1.0.0", freezeWindows=window(50, 90)), 60: later("2.0.0")},
    ),
    "freeze-in-the-middle": Story(
        "A release under way goes no further in a freeze window, and is still judged",
        {0: apply("1.0.0", freezeWindows=window(70, 150)), 60: later("2.0.0")},
        seconds=280,
    ),
    "freeze-and-bad": Story(
        "In a freeze window a bad release is taken back at once",
        {
            0: apply("1.0.0", freezeWindows=window(70, 200)),
            60: later("2.0.0"),
            100: behave("2.0.0", Behaviour(errors=0.3)),
        },
        seconds=140,
    ),
    "freeze-and-not-ready": Story(
        "A freeze window does not keep a release that makes no progress",
        {0: apply("1.0.0", freezeWindows=window(62, 400)), 60: later("2.0.0")},
        behaviours={"2.0.0": Behaviour(startup=10_000.0)},
        seconds=160,
    ),
    "freeze-and-going-back": Story(
        "In a freeze window a version that was stable before comes back all the same",
        {
            0: apply("1.0.0", freezeWindows=window(200, 400)),
            60: later("2.0.0"),
            210: later("1.0.0"),
        },
        seconds=260,
    ),
    "freeze-and-promoted-by-hand": Story(
        "Nor does a person's promotion go on in a freeze window; it does afterwards",
        {
            0: apply("1.0.0", freezeWindows=window(70, 120)),
            60: later("2.0.0"),
            80: ask("Promote", "2.0.0"),
        },
    ),
    "suspended-longer-than-the-deadline": Story(
        "A release that was suspended for longer than its deadline goes on when it may",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            61: change(suspend=True),
            180: change(suspend=False),
        },
        behaviours={"2.0.0": Behaviour(startup=20.0)},
        seconds=320,
    ),
}

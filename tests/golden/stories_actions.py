"""Stories in which a person acts: approve, promote, abort, retry, undo."""

from __future__ import annotations

from typing import Any

from headgate.core.timing import to_text
from tests.golden.events import change, later
from tests.golden.story import Story, apply
from tests.golden.world import Behaviour, Event, World

APPROVAL_STEPS = {
    "type": "Canary",
    "canary": {
        "steps": [
            {"weight": 25, "hold": "10s"},
            {"approval": {}},
            {"weight": 50, "hold": "10s"},
        ]
    },
}
LONG = {"type": "Canary", "canary": {"steps": [{"weight": 25, "hold": "10m"}]}}
PERSON = "jane@example.com"


def ask(kind: str, version: str, to: str | None = None, **more: Any) -> Event:
    """What `headgate approve` and its like write, for the revision of a version."""

    def event(world: World) -> None:
        named = {known.version: known.revision for known in world.revisions.values()}
        action = {"type": kind, "revision": named.get(version, version), "by": PERSON, **more}
        if to is not None:
            action["to"] = named.get(to, to)
        world.give({**world.written, "action": {**action, "at": to_text(world.now)}})

    return event


STORIES: dict[str, Story] = {
    "approved": Story(
        "A step is approved, and going on needs nothing else",
        {
            0: apply("1.0.0", strategy=APPROVAL_STEPS),
            60: later("2.0.0"),
            100: ask("Approve", "2.0.0", step=2),
        },
    ),
    "approved-early": Story(
        "An approval given before its step is reached counts when it is; a wrong one is ignored",
        {
            0: apply("1.0.0", strategy=APPROVAL_STEPS),
            60: later("2.0.0"),
            66: ask("Approve", "2.0.0", step=1),
            68: ask("Approve", "2.0.0", step=2),
        },
    ),
    "approval-of-another-release": Story(
        "An approval names its revision, and cannot hit the release that came after",
        {
            0: apply("1.0.0", strategy=APPROVAL_STEPS),
            60: later("2.0.0"),
            66: ask("Approve", "2.0.0", step=2),
            68: later("3.0.0"),
            120: ask("Approve", "2.0.0", step=2),
        },
        seconds=160,
    ),
    "promoted-by-hand": Story(
        "A person promotes: 100 % at once, still watched",
        {
            0: apply("1.0.0", strategy=LONG),
            60: later("2.0.0"),
            75: ask("Promote", "2.0.0"),
        },
    ),
    "promoted-by-hand-but-bad": Story(
        "A person promotes a version that then fails: it is taken back all the same",
        {
            0: apply(
                "1.0.0",
                strategy=LONG,
                rollback={
                    "conditions": [
                        {
                            "name": "high_error_rate",
                            "metric": "errorRate",
                            "above": 0.1,
                            "for": "10s",
                        }
                    ]
                },
            ),
            60: later("2.0.0"),
            62: ask("Promote", "2.0.0"),
        },
        behaviours={"2.0.0": Behaviour(errors=0.3)},
    ),
    "aborted-and-retried": Story(
        "A person aborts without costing capacity; a retry tries the same version again",
        {
            0: apply("1.0.0", strategy=LONG),
            60: later("2.0.0"),
            80: ask("Abort", "2.0.0"),
            110: ask("Retry", "2.0.0"),
            140: ask("Promote", "2.0.0"),
        },
        seconds=220,
    ),
    "aborted-first-version": Story(
        "The first version is aborted: nothing serves until another version is asked for",
        {
            0: apply("1.0.0"),
            2: ask("Abort", "1.0.0"),
            30: later("2.0.0"),
        },
        seconds=80,
        behaviours={"1.0.0": Behaviour(startup=600.0)},
    ),
    "retried-after-revert": Story(
        "A reverted version is tried again when a person says so, and taken back again",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            120: ask("Retry", "2.0.0"),
        },
        behaviours={"2.0.0": Behaviour(errors=0.3)},
        seconds=200,
    ),
    "undone-in-watch": Story(
        "Undone while the version before is still kept: back in one write",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            125: ask("Undo", "2.0.0"),
        },
        seconds=180,
    ),
    "undone-later": Story(
        "Undone long after the watch: the version before comes back without steps",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            200: ask("Undo", "2.0.0"),
            260: ask("Retry", "2.0.0"),
        },
        seconds=380,
    ),
    "undone-and-further-back": Story(
        "Undone, and then undone to a still older version: both come back without steps",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            200: later("3.0.0"),
            360: ask("Undo", "3.0.0"),
            400: ask("Undo", "2.0.0", to="1.0.0"),
        },
        seconds=440,
    ),
    "undone-while-suspended": Story(
        "Suspended, and undone: going back to a version that was stable is a revert",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            200: change(suspend=True),
            210: ask("Undo", "2.0.0"),
        },
        seconds=260,
    ),
    "undone-to-a-reverted-version-while-suspended": Story(
        "Suspended, and undone to a version that was never stable: that would be a release",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            100: later("1.0.0"),
            110: change(suspend=True),
            120: ask("Undo", "1.0.0", to="2.0.0"),
        },
        seconds=140,
    ),
    "undone-to-a-reverted-version": Story(
        "Undone to a version that was never stable: it goes through the steps",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            100: later("1.0.0"),
            120: ask("Undo", "1.0.0", to="2.0.0"),
            125: ask("Undo", "1.0.0", to="nothing"),
        },
        seconds=260,
    ),
}

"""Which action a command means: bound to what the person sees, refused when it makes no sense."""

from __future__ import annotations

import re
from typing import Any

import pytest

from headgate.api.action import Action, ActionType
from headgate.cli.asking import Already, Pending, Wish, ask
from headgate.cli.cluster import Trouble
from headgate.view.shown import Shown
from tests.cli import situations
from tests.cli.situations import (
    APPROVAL,
    ASKED,
    CANDIDATE,
    HOLDING,
    RELEASED,
    REVERTED,
    REVERTING,
    SITUATIONS,
    STABLE,
    STARTING,
    WATCHING,
    ago,
    made,
    manifest,
    release,
)

AT = "2026-11-26T10:00:00.000Z"
JANE = "jane@example.com"


def wish(kind: str, **named: Any) -> Wish:
    return Wish(ActionType(kind), **named)


def handled(kind: str, revision: str, **fields: Any) -> dict[str, Any]:
    """The last action, done."""
    message = f"jane@example.com did it to {revision}."
    return {"type": kind, "revision": revision, "by": JANE, "at": ago(60), **fields} | {
        "outcome": "Done",
        "message": message,
    }


ASKED_FOR: list[tuple[str, Shown, Wish, dict[str, Any]]] = [
    (
        "approve means the step that waits",
        made(APPROVAL),
        wish("Approve"),
        {"revision": CANDIDATE, "step": 2},
    ),
    (
        "a step can be approved beforehand",
        made(STARTING),
        wish("Approve", step=2),
        {"revision": CANDIDATE, "step": 2},
    ),
    ("promote means the candidate", made(HOLDING), wish("Promote"), {"revision": CANDIDATE}),
    ("abort means the candidate", made(HOLDING), wish("Abort"), {"revision": CANDIDATE}),
    ("abort is possible in the watch", made(WATCHING), wish("Abort"), {"revision": CANDIDATE}),
    ("retry means what was taken back", made(REVERTED), wish("Retry"), {"revision": CANDIDATE}),
    (
        "retry means the first version that was given up",
        SITUATIONS["first-version-given-up"],
        wish("Retry"),
        {"revision": ASKED},
    ),
    (
        "retry of another revision is for the operator to judge",
        made(RELEASED),
        wish("Retry", revision=CANDIDATE),
        {"revision": CANDIDATE},
    ),
    ("undo means what serves", made(RELEASED), wish("Undo"), {"revision": ASKED}),
    ("undo means what is being released", made(HOLDING), wish("Undo"), {"revision": CANDIDATE}),
    (
        "undo names where to",
        made(WATCHING),
        wish("Undo", to=STABLE),
        {"revision": CANDIDATE, "to": STABLE},
    ),
]

SAID: list[tuple[str, Shown, Wish, str]] = [
    (
        "a step is approved already",
        made({**APPROVAL, "release": release(step=1, approvals=[2])}),
        wish("Approve"),
        "Step 2 of 2.3.0 is approved already.",
    ),
    (
        "an approved step has been passed",
        made({**HOLDING, "release": release(step=2, approvals=[2])}),
        wish("Approve"),
        "Step 2 of 2.3.0 is approved already.",
    ),
    (
        "it is on its way",
        made({**HOLDING, "release": release(promoting=True)}),
        wish("Promote"),
        "2.3.0 is on its way to 100 % already.",
    ),
    ("it serves", made(RELEASED), wish("Promote"), "2.3.0 gets all live traffic already."),
    ("it is being taken back", made(REVERTING), wish("Abort"), "2.3.0 is being taken back already"),
    (
        "it was aborted",
        made({**REVERTED, "action": handled("Abort", CANDIDATE)}),
        wish("Abort"),
        "That was done before: jane@example.com did it",
    ),
    (
        "the first version was aborted",
        made({**situations.GIVEN_UP_FIRST, "action": handled("Abort", ASKED)}),
        wish("Abort"),
        "That was done before: jane@example.com did it",
    ),
    ("it is tried again", made(HOLDING), wish("Retry"), "2.3.0 is being released already."),
    (
        "it was undone, and a second undo goes no further back",
        made({**REVERTED, "action": handled("Undo", CANDIDATE)}),
        wish("Undo"),
        "To go back further, say where --to.",
    ),
    (
        "it was undone to where is asked for",
        made({**REVERTED, "action": handled("Undo", CANDIDATE)}),
        wish("Undo", to=STABLE),
        "2.2.0 gets all live traffic already.",
    ),
    (
        "it is going to where is asked for",
        made(HOLDING),
        wish("Undo", to=CANDIDATE),
        "2.3.0 is on its way to 100 % already.",
    ),
]

REFUSED: list[tuple[str, Shown, Wish, str]] = [
    ("no release", made(RELEASED), wish("Approve"), "nothing waits for approval: fraud is Stable"),
    (
        "the approval comes later",
        made(STARTING),
        wish("Approve"),
        "2.3.0 is at step 1 of 4; step 2 will; approve beforehand with --step 2",
    ),
    (
        "the step asks for none",
        made(APPROVAL),
        wish("Approve", step=1),
        "step 1 of 2.3.0 waits for no approval; step 2 will",
    ),
    (
        "another release than the one meant",
        made(APPROVAL),
        wish("Approve", revision=STABLE),
        "nothing waits for approval",
    ),
    ("nothing to promote", made(REVERTED), wish("Promote"), "fraud is Reverted with 2.2.0"),
    ("nothing to abort", made(RELEASED), wish("Abort"), "fraud is Stable with 2.3.0"),
    (
        "nothing to go back to",
        made({**WATCHING, "previous": None}),
        wish("Abort"),
        "there is nothing to go back to",
    ),
    ("nothing was taken back", made(RELEASED), wish("Retry"), "nothing was taken back"),
    (
        "the spec asks for another",
        made({**RELEASED, "rejected": situations.REJECTED}),
        wish("Retry"),
        "the spec does not ask for 2.3.0",
    ),
    ("still being taken back", made(REVERTING), wish("Retry"), "retry it when that is over"),
    ("nothing to undo", SITUATIONS["never-seen"], wish("Undo"), "there is nothing to undo"),
    (
        "another's wish has not been handled",
        made(APPROVAL, spec=manifest(action=situations.PENDING_ACTION)),
        wish("Approve"),
        "jane@example.com asked to promote",
    ),
]


@pytest.mark.parametrize("case", ASKED_FOR, ids=lambda case: case[0])
def test_an_action_is_bound(case: tuple[str, Shown, Wish, dict[str, Any]]) -> None:
    _, shown, wanted, expected = case
    asked = ask(wanted, shown, JANE, AT)
    assert isinstance(asked, Action)
    written = asked.model_dump(mode="json", exclude_none=True)
    assert written == {"type": wanted.type.value, "by": JANE, "at": AT, **expected}


@pytest.mark.parametrize("case", SAID, ids=lambda case: case[0])
def test_what_is_done_is_not_asked_again(case: tuple[str, Shown, Wish, str]) -> None:
    _, shown, wanted, sentence = case
    said = ask(wanted, shown, JANE, AT)
    assert isinstance(said, Already)
    assert sentence in said.sentence


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[0])
def test_what_makes_no_sense_is_refused(case: tuple[str, Shown, Wish, str]) -> None:
    _, shown, wanted, sentence = case
    with pytest.raises(Trouble, match=re.escape(sentence)):
        ask(wanted, shown, JANE, AT)


def test_a_wish_that_waits_for_the_operator_is_not_written_twice() -> None:
    asked = ask(wish("Promote"), SITUATIONS["asked"], JANE, AT)
    assert isinstance(asked, Pending)
    assert asked.action.at == ago(3)


@pytest.mark.parametrize("kind", ["Abort", "Undo"])
def test_going_back_takes_the_place_of_a_wish_that_waits(kind: str) -> None:
    assert isinstance(ask(wish(kind), SITUATIONS["asked"], JANE, AT), Action)


def test_after_an_undo_a_person_goes_further_back_by_naming_where_to() -> None:
    shown = made({**REVERTED, "action": handled("Undo", CANDIDATE)})
    asked = ask(wish("Undo", to="0older0000"), shown, JANE, AT)
    assert isinstance(asked, Action)
    assert (asked.revision, asked.to) == (STABLE, "0older0000")


def test_a_new_spec_can_be_undone_after_an_undo() -> None:
    shown = made({**RELEASED, "action": handled("Undo", STABLE)})
    asked = ask(wish("Undo"), shown, JANE, AT)
    assert isinstance(asked, Action)
    assert asked.revision == ASKED

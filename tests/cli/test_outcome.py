"""When a pipeline may go on, and when it has to stop."""

from __future__ import annotations

import pytest

from headgate.view.outcome import Goal, outcome_of
from headgate.view.shown import Shown
from tests.cli.situations import ASKED, RELEASED, REVERTED, SITUATIONS, WATCHING, made, release

LIVE = {**WATCHING, "release": release(stage="Watching", step=3, revision=ASKED)}
FAILED = {
    **WATCHING,
    "release": release(stage="Watching", revision=ASKED, failed=True, message="it was too slow"),
}
RECORD = {"revision": ASKED, "outcome": "Failed", "message": "a rule failed while it was watched"}


@pytest.mark.parametrize(
    ("shown", "promoted", "stable"),
    [
        (made(RELEASED), True, True),
        (made(LIVE), True, None),
        (made(FAILED), False, False),
        (made({**RELEASED, "releases": [RECORD]}), False, False),
        (SITUATIONS["reverted"], False, False),
        (SITUATIONS["first-version-given-up"], False, False),
        (SITUATIONS["holding"], None, None),
        (SITUATIONS["reverting"], None, None),
        (SITUATIONS["first-version"], None, None),
        # The operator has not seen the spec yet: what it says is of the one before.
        (SITUATIONS["not-seen"], None, None),
        (made({**REVERTED, "observedGeneration": 2}), None, None),
        (SITUATIONS["never-seen"], None, None),
        # While it is suspended what serves may be what is asked for, or may not.
        (made({**RELEASED, "phase": "Suspended"}), True, True),
        (made({**RELEASED, "phase": "Suspended", "stable": {"revision": "other"}}), None, None),
        # A person went back from what the spec asks for, which is still on its way.
        (made({**LIVE, "release": release(stage="Watching", insteadOf=ASKED)}), None, None),
    ],
)
def test_the_outcome(shown: Shown, promoted: bool | None, stable: bool | None) -> None:
    assert outcome_of(shown, Goal.PROMOTED).reached is promoted
    assert outcome_of(shown, Goal.STABLE).reached is stable


def test_a_failure_says_why() -> None:
    assert "31 % errors" in outcome_of(SITUATIONS["reverted"], Goal.PROMOTED).sentence
    assert "too slow" in outcome_of(made(FAILED), Goal.PROMOTED).sentence

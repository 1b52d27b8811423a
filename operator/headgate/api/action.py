"""What a person asks of a release: one action, named in the spec, bound to one revision.

The command line writes it, and so may git. `headgate.core.actions` carries it out at most once;
`status.action` says what became of it.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, Strict, StringConstraints

from headgate.api.base import Rule, SpecModel

Revision = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)
]
Moment = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
        r"(Z|[+-][0-9]{2}:[0-9]{2})$",
        max_length=40,
    ),
]


class ActionType(StrEnum):
    """What a person may ask."""

    APPROVE = "Approve"
    PROMOTE = "Promote"
    ABORT = "Abort"
    RETRY = "Retry"
    UNDO = "Undo"


class Action(SpecModel):
    """One thing that a person asks, for one revision; carried out at most once."""

    admission = (
        Rule(
            "has(self.step) == (self.type == 'Approve')",
            "action.step is the step that is approved, counted from 1: an Approve needs it, and"
            " nothing else has it",
            lambda action: (action.step is not None) == (action.type is ActionType.APPROVE),
            field="step",
        ),
        Rule(
            "!has(self.to) || self.type == 'Undo'",
            "action.to is the revision that an Undo goes back to: remove it, or set the type to"
            " Undo",
            lambda action: action.to is None or action.type is ActionType.UNDO,
            field="to",
        ),
    )

    type: Annotated[ActionType, Strict(False)]
    """Approve, Promote, Abort, Retry or Undo."""
    revision: Revision
    """The revision that it is meant for, as status shows it; it cannot hit another one."""
    step: int | None = Field(default=None, ge=1, le=50)
    """Approve only: the step that is approved, counted from 1."""
    to: Revision | None = None
    """Undo only: the revision to go back to. Left out, the one that was stable before."""
    by: Annotated[str, StringConstraints(min_length=1, max_length=253)] | None = None
    """Who asks, in the API server's words for a user. Left out, history names the manifest."""
    at: Moment
    """When it was asked, as in 2026-11-26T10:00:00Z. Two actions that differ only in this are two
    actions."""

"""The status of a ModelDeployment that cannot be planned for: what stands in the way, for people.

What the planner knew stays in it, so that a repaired spec goes on where it stood.
"""

from __future__ import annotations

from typing import Literal

from headgate.api.status import Condition, Status
from headgate.core.timing import to_text

PHASE = "Invalid"
REASON = "InvalidSpec"


def broken_status(status: Status, sentence: str, generation: int, now: float) -> Status:
    """The known status with the reason in its phase, message and conditions (kstatus: Stalled)."""
    wanted: dict[str, Literal["True", "False"]] = {
        "Ready": "False",
        "Reconciling": "False",
        "Stalled": "True",
    }
    before = {each.type: each for each in status.conditions}
    conditions = []
    for kind, value in wanted.items():
        known = before.get(kind)
        unchanged = known is not None and known.status == value
        conditions.append(
            Condition(
                type=kind,
                status=value,
                reason=REASON,
                message=sentence[:1000],
                last_transition_time=known.last_transition_time
                if known is not None and unchanged
                else to_text(now),
                observed_generation=generation,
            )
        )
    return status.model_copy(
        update={
            "observed_generation": generation,
            "phase": PHASE,
            "message": sentence[:1000],
            "conditions": conditions,
        }
    )

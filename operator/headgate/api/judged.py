"""What an author can say of every metric, whatever is measured: how much it decides, and when."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Strict

from headgate.api.base import Rule, SpecModel
from headgate.api.quantities import Duration


class OnInconclusive(StrEnum):
    """What happens when a step has gone on for long without a clear verdict."""

    HOLD = "hold"
    ADVANCE = "advance"
    REVERT = "revert"


class OnUnknown(StrEnum):
    """What happens when one metric has no data while others have."""

    HOLD = "hold"
    IGNORE = "ignore"
    REVERT = "revert"


class Judged(SpecModel):
    """What can be said of every metric."""

    admission: ClassVar[tuple[Rule, ...]] = ()

    critical: bool = True
    """Whether a bad result takes the release back, or after promotion marks it failed. Without, the
    step waits for it to get better, and onInconclusive applies."""
    dry_run: bool = False
    """Judge and record this metric, its comparison with stable included, and decide nothing by
    it."""
    initial_delay: Duration | None = None
    """For how long after each step has begun nothing of this metric is counted, while caches
    fill."""
    on_unknown: Annotated[OnUnknown, Strict(False)] = OnUnknown.HOLD
    """What happens when this metric has had no data for unknownTimeout in a step, while the
    candidate is measured otherwise: hold waits, ignore goes on without it, revert takes the release
    back."""
    on_inconclusive: Annotated[OnInconclusive, Strict(False)] | None = None
    """As analysis.onInconclusive, when it is this metric that is not clear. Of several the most
    careful counts: revert, then hold, then advance."""

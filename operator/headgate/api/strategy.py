"""How a release moves traffic (R4 to R6): canary steps, one switch, or batches."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, Strict

from headgate.api.base import Rule, SpecModel
from headgate.api.quantities import Duration, IntOrPercent, is_zero


class StrategyType(StrEnum):
    """Ways of moving traffic from one version to the next."""

    CANARY = "Canary"
    BLUE_GREEN = "BlueGreen"
    ROLLING = "Rolling"


class OnTimeout(StrEnum):
    """What happens when nobody answers a request for approval in time."""

    PROMOTE = "promote"
    REVERT = "revert"


class Approval(SpecModel):
    """A step that waits until a person approves the release."""

    admission = (
        Rule(
            "!has(self.onTimeout) || has(self.timeout)",
            "approval.onTimeout needs approval.timeout: say how long to wait, such as 4h",
            lambda approval: approval.on_timeout is None or approval.timeout is not None,
        ),
    )

    timeout: Duration | None = None
    """How long to wait for the approval. Left out, it waits for as long as it takes."""
    on_timeout: Annotated[OnTimeout, Strict(False)] | None = None
    """What follows when the time is over: promote goes on to the next step, revert takes the
    release back. Left out, revert."""


class Step(SpecModel):
    """One step of a canary: a weight that is held, or an approval."""

    admission = (
        Rule(
            "has(self.weight) != has(self.approval)",
            "a step is exactly one of weight (with hold) and approval: split it into two steps",
            lambda step: (step.weight is None) != (step.approval is None),
        ),
        Rule(
            "!has(self.hold) || has(self.weight)",
            "hold belongs to a step with weight: for an approval write approval.timeout",
            lambda step: step.hold is None or step.weight is not None,
            field="hold",
        ),
    )

    weight: Annotated[int, Field(ge=1, le=100)] | None = None
    """Percentage of live traffic that the candidate gets, from 1 to 100."""
    hold: Duration | None = None
    """How long the weight is held and judged. Left out, 30m."""
    approval: Approval | None = None
    """Wait for a person's approval before the next step."""


DEFAULT_HOLD = "30m"
"""How long a canary step is held when its author does not say (R5)."""


def default_steps() -> list[Step]:
    """The steps of R5; 100 % follows by itself."""
    return [Step(weight=weight, hold=DEFAULT_HOLD) for weight in (5, 10, 25, 50)]


class Canary(SpecModel):
    """Live traffic moves step by step, by weight."""

    steps: list[Step] = Field(
        default_factory=default_steps,
        min_length=1,
        max_length=50,
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    """Steps in their order; 100 % follows by itself after the last. Left out: 5, 10, 25 and 50 %,
    30m each."""


class BlueGreen(SpecModel):
    """The candidate comes up whole, is checked, and gets all live traffic in one switch."""

    hold: Duration = "0s"
    """How long the candidate is kept ready beside the live version, after its smoke requests
    passed, before the switch."""


class Rolling(SpecModel):
    """Pods are replaced in batches, each of which is watched."""

    hold: Duration = "5m"
    """How long each batch is held and judged before the next."""


def _only_with(kind: StrategyType, block: str, attribute: str) -> Rule:
    def holds(strategy: "Strategy") -> bool:
        return getattr(strategy, attribute) is None or strategy.type in (None, kind)

    return Rule(
        f"!has(self.{block}) || !has(self.type) || self.type == '{kind}'",
        f"strategy.{block} is only read when strategy.type is {kind}:"
        f" remove it, or set the type to {kind}",
        holds,
        field=block,
    )


class Strategy(SpecModel):
    """How a release moves traffic."""

    admission = (
        Rule(
            "!has(self.maxSurge) || !(self.maxSurge == 0 || self.maxSurge == '0%')"
            " || (has(self.maxUnavailable)"
            " && !(self.maxUnavailable == 0 || self.maxUnavailable == '0%'))",
            "maxSurge and maxUnavailable must not both be 0, or no pod could ever be replaced:"
            " set maxSurge to 1, or maxUnavailable to 1 (it is 0 when left out)",
            lambda strategy: (
                not (is_zero(strategy.max_surge) and is_zero(strategy.max_unavailable))
            ),
        ),
        _only_with(StrategyType.CANARY, "canary", "canary"),
        _only_with(StrategyType.BLUE_GREEN, "blueGreen", "blue_green"),
        _only_with(StrategyType.ROLLING, "rolling", "rolling"),
    )

    type: Annotated[StrategyType, Strict(False)] | None = None
    """Canary, BlueGreen or Rolling. The environment decides when it is left out: dev BlueGreen,
    staging Canary, production Rolling; without one it is Canary."""
    max_surge: IntOrPercent = 1
    """Pods above replicas that a release may add, as a number or a percentage (rounded up)."""
    max_unavailable: IntOrPercent = 0
    """Pods below replicas that a release may cost, as a number or a percentage (rounded down)."""
    canary: Canary | None = None
    """Steps of a canary."""
    blue_green: BlueGreen | None = None
    """Settings of a blue/green switch."""
    rolling: Rolling | None = None
    """Settings of a rolling release."""

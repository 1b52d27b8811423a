"""How a release moves traffic (R4 to R6): canary steps, one switch, or batches."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field, Strict

from headgate.api.base import Rule, SpecModel, longer_than_nothing
from headgate.api.quantities import Duration, IntOrPercent, is_zero, parse_duration


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


class StepAnalysis(SpecModel):
    """A step that waits until the measurements have been good for long enough."""

    admission = (
        Rule(
            "self.__for__.matches('[1-9]')",
            "analysis.for must be longer than nothing: write it like 30s or 5m",
            lambda analysis: parse_duration(analysis.duration) > 0,
            field="for",
        ),
    )

    duration: Duration = Field(alias="for")
    """How long the verdict must have been Good. Only observed time counts; an Unknown verdict
    neither counts nor starts it anew."""


class Step(SpecModel):
    """One step of a canary: a weight that is held, a hold, an approval, an analysis, or pods
    without live traffic."""

    admission = (
        Rule(
            "[has(self.weight), has(self.approval), has(self.analysis), has(self.scale)]"
            ".filter(kind, kind).size() == 1 || (has(self.hold) && !(has(self.weight)"
            " || has(self.approval) || has(self.analysis) || has(self.scale)))",
            "a step is exactly one of weight (with hold), hold, approval, analysis and scale:"
            " split it into two steps",
            lambda step: len(step.kinds) == 1 or (step.hold is not None and not step.kinds),
        ),
        Rule(
            "!has(self.hold) || !(has(self.approval) || has(self.analysis) || has(self.scale))",
            "hold belongs to a step with weight, or is a step of its own: for an approval write"
            " approval.timeout, else put {hold: ...} after it",
            lambda step: step.hold is None or step.kinds in ((), ("weight",)),
            field="hold",
        ),
        Rule(
            "!has(self.scale) || !(self.scale == 0 || self.scale == '0%')",
            "scale must be at least 1 pod: leave the step out to have none",
            lambda step: step.scale is None or not is_zero(step.scale),
            field="scale",
        ),
    )

    weight: Annotated[int, Field(ge=1, le=100)] | None = None
    """Percentage of live traffic that the candidate gets, from 1 to 100."""
    hold: Duration | None = None
    """How long the weight is held and judged; without weight, the one before it. Left out of a
    step with weight, 30m."""
    approval: Approval | None = None
    """Wait for a person's approval before the next step."""
    analysis: StepAnalysis | None = None
    """Wait until the verdict has been Good for some time at the current weight."""
    scale: IntOrPercent | None = None
    """So many candidate pods without live traffic, as a number or a share of the replicas
    (rounded up, at most all of them), for warm-up or load tests; only before the first weight."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The fields that say of which kind the step is, as far as they are set; never hold."""
        return tuple(
            name
            for name in ("weight", "approval", "analysis", "scale")
            if getattr(self, name) is not None
        )


DEFAULT_HOLD = "30m"
"""How long a canary step is held when its author does not say (R5)."""


class Preset(StrEnum):
    """Canaries that one word asks for."""

    STANDARD = "Standard"
    CAUTIOUS = "Cautious"
    QUICK = "Quick"


PRESETS: Mapping[Preset, tuple[tuple[int, ...], str]] = {
    Preset.STANDARD: ((5, 10, 25, 50), DEFAULT_HOLD),
    Preset.CAUTIOUS: ((1, 2, 5, 10, 25, 50), "1h"),
    Preset.QUICK: ((10, 50), "5m"),
}
"""The weights of each preset, and how long each of them is held."""


def preset_steps(preset: Preset | None) -> list[Step]:
    """The steps that a word stands for, the canary of R5 without one; 100 % follows by itself."""
    weights, hold = PRESETS[preset or Preset.STANDARD]
    return [Step(weight=weight, hold=hold) for weight in weights]


def _scaled_first(canary: "Canary") -> bool:
    steps = [step for step in canary.steps if step.weight is not None or step.scale is not None]
    weights = [step.weight is not None for step in steps]
    return weights == sorted(weights)


def _weighed_first(canary: "Canary") -> bool:
    steps = [step for step in canary.steps if step.weight is not None or step.analysis is not None]
    return not steps or steps[0].weight is not None


class Canary(SpecModel):
    """Live traffic moves step by step, by weight."""

    admission = (
        Rule(
            "!(has(self.preset) && has(self.steps))",
            "canary.preset and canary.steps exclude each other: remove one of them",
            lambda canary: canary.preset is None or not canary.steps,
        ),
        Rule(
            "!has(self.steps) || self.steps.filter(s, has(s.weight) || has(s.scale))"
            ".map(s, has(s.weight) ? 1 : 0).isSorted()",
            "a scale step takes live traffic away, so it can only stand before the first weight:"
            " move it up, or write a lower weight",
            _scaled_first,
            field="steps",
        ),
        Rule(
            "!has(self.steps) || !self.steps.exists(s, has(s.analysis))"
            " || has(self.steps.filter(s, has(s.weight) || has(s.analysis))[0].weight)",
            "an analysis step judges live traffic: move it behind the first weight",
            _weighed_first,
            field="steps",
        ),
    )

    preset: Annotated[Preset, Strict(False)] | None = None
    """Standard (5, 10, 25 and 50 %, 30m each), Cautious (1, 2, 5, 10, 25 and 50 %, 1h each) or
    Quick (10 and 50 %, 5m each), instead of steps. Left out, Standard."""
    steps: list[Step] = Field(
        default_factory=list,
        min_length=1,
        max_length=50,
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    """Steps in their order; 100 % follows by itself after the last. Left out: those of preset."""


class BlueGreen(SpecModel):
    """The candidate comes up whole, is checked, and gets all live traffic in one switch."""

    admission = (
        Rule(
            "!has(self.previewReplicas)"
            " || !(self.previewReplicas == 0 || self.previewReplicas == '0%')",
            "blueGreen.previewReplicas must be at least 1 pod, or nothing could be checked",
            lambda blue_green: not is_zero(blue_green.preview_replicas),
            field="previewReplicas",
        ),
    )

    preview_replicas: IntOrPercent = "100%"
    """Pods of the candidate while it is a preview, as a number or a share of the replicas (rounded
    up, at most all of them). Before the switch it gets all its pods."""
    hold: Duration = "0s"
    """How long the candidate is kept ready beside the live version, after its smoke requests
    passed, before the switch."""
    approval: Approval | None = None
    """Switch only after a person's approval, which is waited for when the hold is over."""
    check_after_switch: bool = False
    """Send the smoke requests once more right after the switch; a failure reverts at once."""


class Rolling(SpecModel):
    """Pods are replaced in batches, each of which is watched."""

    hold: Duration = "5m"
    """How long each batch is held and judged before the next."""


class Capacity(StrEnum):
    """Where the pods of a candidate find room."""

    SURGE = "Surge"
    SWAP = "Swap"
    AUTO = "Auto"


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


def _only_when_swapping(name: str, attribute: str) -> Rule:
    return Rule(
        f"!has(self.{name}) || (has(self.capacity) && self.capacity != 'Surge')",
        f"strategy.{name} is only read when strategy.capacity is Swap or Auto:"
        " remove it, or set the capacity",
        lambda strategy: (
            getattr(strategy, attribute) is None or strategy.capacity is not Capacity.SURGE
        ),
        field=name,
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
        _only_when_swapping("readyFloor", "ready_floor"),
        _only_when_swapping("schedulingTimeout", "scheduling_timeout"),
        longer_than_nothing("schedulingTimeout", "scheduling_timeout"),
    )

    type: Annotated[StrategyType, Strict(False)] | None = None
    """Canary, BlueGreen or Rolling. The environment decides when it is left out: dev BlueGreen,
    staging Canary, production Rolling; without one it is Canary."""
    max_surge: IntOrPercent = 1
    """Pods above replicas that a release may add, as a number or a percentage (rounded up)."""
    max_unavailable: IntOrPercent = 0
    """Pods below replicas that a release may cost, as a number or a percentage (rounded down)."""
    capacity: Annotated[Capacity, Strict(False)] = Capacity.SURGE
    """Surge adds pods of the candidate first, within maxSurge. Swap takes pods of the stable
    version away first and waits until they are gone, so that there are never more pods than
    replicas, for scarce devices. Auto begins as Surge and turns to Swap when there is no room."""
    ready_floor: IntOrPercent | None = None
    """Ready pods that are never gone below while pods are swapped, as a number or a share of the
    replicas (rounded up), at most all but one. Left out, replicas - maxUnavailable, at most all
    but one: none with 1 replica."""
    scheduling_timeout: Duration | None = None
    """How long a pod of the candidate may be unschedulable before Auto turns to Swap, and before
    Swap gives up and reverts. Left out, 2m."""
    canary: Canary | None = None
    """Steps of a canary."""
    blue_green: BlueGreen | None = None
    """Settings of a blue/green switch."""
    rolling: Rolling | None = None
    """Settings of a rolling release."""

"""The steps of a release: for each the weight, the whole pods that express it, and how long it
holds. All three strategies become such a list; the last step is always 100 %.

While pods are swapped (`headgate.core.capacity`) there are never more pods than replicas, which
the steps already reckon with. With one replica nothing can then be shared or previewed: only
approvals are left before the step to 100 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from headgate.api.quantities import parse_duration, resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.strategy import Approval, Capacity, StrategyType
from headgate.api.strategy import Step as WrittenStep
from headgate.core.settings import ready_floor_of, replicas_of, surge_of, unavailable_of
from headgate.core.weights import Split, split


class StepKind(StrEnum):
    """What a step is there for; the first five as its author writes them."""

    WEIGHT = "weight"
    HOLD = "hold"
    APPROVAL = "approval"
    ANALYSIS = "analysis"
    SCALE = "scale"
    PREVIEW = "preview"
    BATCH = "batch"
    PROMOTION = "promotion"


@dataclass(frozen=True)
class Step:
    """One step. `weight` is in percent of live traffic, `hold` in seconds: of an analysis step,
    the seconds that the verdict must have been Good.

    At weight 0 the pods of `split` are there without live traffic (a preview). `approval` is set
    on a step that waits for a person.
    """

    index: int
    kind: StepKind
    weight: int
    split: Split
    hold: float = 0.0
    approval: Approval | None = None

    @property
    def effective_weight(self) -> float:
        """Percent of traffic that these pods get; a preview gets none."""
        return self.split.effective_weight if self.weight else 0.0

    @property
    def approximated(self) -> bool:
        """Whether whole pods cannot express the weight exactly."""
        return self.shared and self.split.approximates(self.weight)

    @property
    def shared(self) -> bool:
        """Whether both sides get live traffic."""
        return 0 < self.weight < 100


def steps_of(spec: ModelDeploymentSpec, swapping: bool = False) -> tuple[Step, ...]:
    """The steps of a resolved spec, the last one at 100 %. `swapping` says that a release under
    capacity Auto has turned to swapping.

    Raises `headgate.core.weights.NoSplitError` when a canary's weights have no whole pods.
    """
    replicas = replicas_of(spec)
    swapping = swapping or spec.strategy.capacity is Capacity.SWAP
    last = Step(0, StepKind.PROMOTION, 100, Split(0, replicas))
    if replicas == 0:
        return (last,)
    if spec.strategy.type is StrategyType.BLUE_GREEN:
        steps = _previews(spec, replicas, swapping)
    elif spec.strategy.type is StrategyType.ROLLING:
        steps = _batches(spec, replicas, swapping)
    else:
        steps = _canary(spec, replicas, swapping)
    return tuple(replace(step, index=index) for index, step in enumerate((*steps, last)))


def direct(spec: ModelDeploymentSpec) -> tuple[Step, ...]:
    """Going back to a version that once was stable: one step."""
    return (Step(0, StepKind.PROMOTION, 100, Split(0, replicas_of(spec))),)


def previewed(spec: ModelDeploymentSpec, candidates: int, swapping: bool) -> Split:
    """Pods beside a live side that all traffic is pinned to. Swapping takes them from that side,
    down to its ready floor and never all of it."""
    replicas = replicas_of(spec)
    candidates = min(candidates, replicas)
    if not swapping:
        return Split(replicas, candidates)
    candidates = max(0, min(candidates, replicas - max(1, ready_floor_of(spec))))
    return Split(replicas - candidates, candidates)


def _previews(spec: ModelDeploymentSpec, replicas: int, swapping: bool) -> Iterator[Step]:
    settings = spec.strategy.blue_green
    if settings is None:
        return
    pods = previewed(spec, resolve(settings.preview_replicas, replicas, round_up=True), swapping)
    if pods.candidate:
        yield Step(0, StepKind.PREVIEW, 0, pods, parse_duration(settings.hold))
    if settings.approval is not None:
        yield Step(0, StepKind.APPROVAL, 0, pods, approval=settings.approval)


def _batches(spec: ModelDeploymentSpec, replicas: int, swapping: bool) -> Iterator[Step]:
    batch = surge_of(spec) + unavailable_of(spec)
    if swapping:
        batch = replicas - ready_floor_of(spec)
    hold = parse_duration(spec.strategy.rolling.hold) if spec.strategy.rolling else 0.0
    for candidate in range(max(1, batch), replicas, max(1, batch)):
        pods = Split(replicas - candidate, candidate)
        yield Step(0, StepKind.BATCH, round(pods.effective_weight), pods, hold)


def _canary(spec: ModelDeploymentSpec, replicas: int, swapping: bool) -> Iterator[Step]:
    weight, pods = 0, _first_pod(spec, swapping)
    for each in spec.strategy.canary.steps if spec.strategy.canary else ():
        kind = _kind(each)
        if each.weight == 100:
            break
        if swapping and replicas == 1 and kind is not StepKind.APPROVAL:
            continue
        if each.weight is not None:
            weight, pods = each.weight, _split(spec, each.weight, swapping)
        if each.scale is not None:
            wanted = resolve(each.scale, replicas, round_up=True)
            pods = previewed(spec, wanted, swapping)
        hold = each.analysis.duration if each.analysis is not None else each.hold or "0s"
        yield Step(0, kind, weight, pods, parse_duration(hold), each.approval)


def _first_pod(spec: ModelDeploymentSpec, swapping: bool) -> Split:
    """One pod to be checked, before any weight is asked for; without surge it takes a place."""
    if swapping or surge_of(spec):
        return previewed(spec, 1, swapping)
    replicas = replicas_of(spec)
    return Split(replicas - 1, 1) if replicas > 1 else Split(replicas, 0)


def _split(spec: ModelDeploymentSpec, weight: int, swapping: bool) -> Split:
    surge, unavailable = (0, 0) if swapping else (surge_of(spec), unavailable_of(spec))
    return split(replicas_of(spec), weight, surge, unavailable)


def _kind(step: WrittenStep) -> StepKind:
    return StepKind(step.kinds[0]) if step.kinds else StepKind.HOLD

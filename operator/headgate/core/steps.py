"""The steps of a release: for each the weight, the whole pods that express it, and how long it
holds. All three strategies become such a list; the last step is always 100 %."""

from __future__ import annotations

from dataclasses import dataclass

from headgate.api.quantities import parse_duration
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.strategy import Approval, StrategyType
from headgate.core.settings import replicas_of, surge_of, unavailable_of
from headgate.core.weights import Split, split


@dataclass(frozen=True)
class Step:
    """One step. `weight` is in percent of live traffic, `hold` in seconds.

    At weight 0 the pods of `split` are there without live traffic (a preview). `approval` is set
    on a step that waits for a person.
    """

    index: int
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


def steps_of(spec: ModelDeploymentSpec) -> tuple[Step, ...]:
    """The steps of a resolved spec, the last one at 100 %.

    Raises `headgate.core.weights.NoSplitError` when a canary's weights have no whole pods.
    """
    replicas = replicas_of(spec)
    last = Split(0, replicas)
    if replicas == 0:
        return (Step(0, 100, last),)
    if spec.strategy.type is StrategyType.BLUE_GREEN:
        hold = parse_duration(spec.strategy.blue_green.hold) if spec.strategy.blue_green else 0.0
        return (Step(0, 0, Split(replicas, replicas), hold), Step(1, 100, last))
    if spec.strategy.type is StrategyType.ROLLING:
        return _batches(spec, replicas, last)
    return _canary(spec, replicas, last)


def direct(spec: ModelDeploymentSpec) -> tuple[Step, ...]:
    """Going back to a version that once was stable: one step."""
    return (Step(0, 100, Split(0, replicas_of(spec))),)


def _batches(spec: ModelDeploymentSpec, replicas: int, last: Split) -> tuple[Step, ...]:
    batch = max(1, surge_of(spec) + unavailable_of(spec))
    hold = parse_duration(spec.strategy.rolling.hold) if spec.strategy.rolling else 0.0
    steps: list[Step] = []
    for candidate in range(batch, replicas, batch):
        pods = Split(replicas - candidate, candidate)
        steps.append(Step(len(steps), round(pods.effective_weight), pods, hold))
    return (*steps, Step(len(steps), 100, last))


def _canary(spec: ModelDeploymentSpec, replicas: int, last: Split) -> tuple[Step, ...]:
    surge, unavailable = surge_of(spec), unavailable_of(spec)
    steps: list[Step] = []
    weight, pods = 0, Split(replicas, min(1, surge))
    for each in spec.strategy.canary.steps if spec.strategy.canary else ():
        if each.weight == 100:
            break
        if each.weight is not None:
            weight, pods = each.weight, split(replicas, each.weight, surge, unavailable)
        steps.append(
            Step(
                index=len(steps),
                weight=weight,
                split=pods,
                hold=parse_duration(each.hold or "0s"),
                approval=each.approval,
            )
        )
    return (*steps, Step(len(steps), 100, last))

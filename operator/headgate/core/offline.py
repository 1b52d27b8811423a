"""`headgate plan`: what a release of a manifest would do, without a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from headgate.api.quantities import format_duration
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.strategy import Capacity, StrategyType
from headgate.core.settings import ready_floor_of, replicas_of
from headgate.core.steps import steps_of


@dataclass(frozen=True)
class PlannedStep:
    """One step as a person or a script reads it; weights in percent, `hold` as in "30m". `kind`
    is one of `headgate.core.steps.StepKind`."""

    index: int
    kind: str
    weight: int
    stable: int
    candidate: int
    effective_weight: float
    approximated: bool
    hold: str
    timeout: str | None = None


def plan_steps(spec: ModelDeploymentSpec) -> list[PlannedStep]:
    """The steps of a resolved spec.

    Raises `headgate.core.weights.NoSplitError` when whole pods cannot share the traffic.
    """
    return [
        PlannedStep(
            index=step.index,
            kind=step.kind.value,
            weight=step.weight,
            stable=step.split.stable,
            candidate=step.split.candidate,
            effective_weight=round(step.effective_weight, 2),
            approximated=step.approximated,
            hold=format_duration(step.hold),
            timeout=step.approval.timeout if step.approval is not None else None,
        )
        for step in steps_of(spec)
    ]


def remarks(spec: ModelDeploymentSpec) -> list[str]:
    """What the steps of a resolved spec do not say by themselves, a sentence each."""
    said = []
    strategy, replicas = spec.strategy, replicas_of(spec)
    if strategy.capacity is not Capacity.SURGE and replicas:
        when = "When there is no room, pods" if strategy.capacity is Capacity.AUTO else "Pods"
        said.append(
            f"{when} are swapped: never more than {replicas}, never fewer ready than "
            f"{ready_floor_of(spec)}; none of the version before is kept."
        )
        if replicas == 1:
            said.append(
                "With 1 replica swapped nothing serves until the new pod is ready, and no step"
                " but an approval can be taken before 100 %."
            )
    after = strategy.blue_green is not None and strategy.blue_green.check_after_switch
    if strategy.type is StrategyType.BLUE_GREEN and after:
        said.append("The smoke requests run again right after the switch.")
    return said

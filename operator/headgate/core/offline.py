"""`headgate plan`: what a release of a manifest would do, without a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from headgate.api.quantities import format_duration
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.steps import steps_of


@dataclass(frozen=True)
class PlannedStep:
    """One step as a person or a script reads it; weights in percent, `hold` as in "30m"."""

    index: int
    weight: int
    stable: int
    candidate: int
    effective_weight: float
    approximated: bool
    hold: str
    approval: bool = False


def plan_steps(spec: ModelDeploymentSpec) -> list[PlannedStep]:
    """The steps of a resolved spec.

    Raises `headgate.core.weights.NoSplitError` when whole pods cannot share the traffic.
    """
    return [
        PlannedStep(
            index=step.index,
            weight=step.weight,
            stable=step.split.stable,
            candidate=step.split.candidate,
            effective_weight=round(step.effective_weight, 2),
            approximated=step.approximated,
            hold=format_duration(step.hold),
            approval=step.approval is not None,
        )
        for step in steps_of(spec)
    ]

"""The conditions that Kubernetes' tools read (kstatus): Ready, Reconciling, Stalled, and whether
whole pods can only approximate the step's weight."""

from __future__ import annotations

from typing import Literal

from headgate.api.status import Condition
from headgate.core.state import MESSAGE_LENGTH, State
from headgate.core.timing import to_text

AT_REST = frozenset({"Stable", "Reverted", "Suspended", "Frozen", "Conflict", "Pending"})
STALLED = frozenset({"Reverted", "Conflict", "Failing"})
WAITING_FOR_APPROVAL = "WaitingForApproval"
"""The reason of Reconciling by which tools know that it is a person's turn."""


def conditions_of(state: State, phase: str, message: str) -> list[Condition]:
    """Ready: the version that the spec asks for gets all live traffic, with all its pods.
    Reconciling: a release is under way. Stalled: it takes a person to go on."""
    seen = state.seen
    serves = phase in ("Stable", "Watching") and state.stable == seen.revision
    ready = serves and seen.ready(state.stable) >= state.replicas
    stalled = phase in STALLED
    reason = phase or "Pending"
    if phase == "Reverted" and state.rejected is not None:
        reason = "Reverted"
    wanted = [
        _condition(state, "Ready", ready, reason if not ready else "Serving", message),
        _condition(
            state,
            "Reconciling",
            phase not in AT_REST and not stalled,
            WAITING_FOR_APPROVAL if _waits_for_approval(state) else reason,
            message,
        ),
        _condition(state, "Stalled", stalled, reason, message),
    ]
    release = state.release
    if release is not None and release.stage == "Stepping":
        step = state.step
        if step.approximated:
            text = (
                f"{step.weight} % cannot be expressed by whole pods: {step.split.candidate} of "
                f"{step.split.candidate + step.split.stable} pods are "
                f"{step.effective_weight:.1f} %"
            )
            wanted.append(_condition(state, "WeightApproximated", True, "WholePods", text))
    return wanted


def _waits_for_approval(state: State) -> bool:
    release = state.release
    return (
        release is not None
        and release.stage == "Stepping"
        and release.settled
        and state.step.approval is not None
        and state.step.index + 1 not in release.approvals
    )


def _condition(state: State, kind: str, holds: bool, reason: str, message: str) -> Condition:
    status: Literal["True", "False"] = "True" if holds else "False"
    before = next((each for each in state.seen.status.conditions if each.type == kind), None)
    changed = before is None or before.status != status
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message[:MESSAGE_LENGTH],
        last_transition_time=to_text(state.now)
        if changed or before is None
        else before.last_transition_time,
        observed_generation=state.seen.generation,
    )

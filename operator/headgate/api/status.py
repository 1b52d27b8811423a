"""The status of a ModelDeployment: what people and tools read, and the planner's memory.

The planner (`headgate.core`) is its only author. Everything here is bounded, so that no status
comes near 64 KiB. Times are RFC 3339 strings in UTC, as everywhere in Kubernetes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from headgate.api.base import Model

Text = Annotated[str, Field(max_length=1024)]
Name = Annotated[str, Field(max_length=256)]
Time = Annotated[str, Field(max_length=40)]
LONGEST_QUERY = 4096
"""Characters of PromQL that status keeps; the presets need up to 3,000."""


class StatusModel(Model):
    """Reads what older and newer operators wrote: an unknown field is no error."""

    model_config = ConfigDict(extra="ignore")


class VersionStatus(StatusModel):
    """One side of a release."""

    version: Name = Field(default="", description="The model's version.")
    revision: Name = Field(default="", description="Hash of the author's inputs.")
    replicas: int = Field(default=0, description="Pods wanted.")
    ready: int = Field(default=0, description="Pods that can answer requests.")


class RequestCounts(StatusModel):
    """What a check has counted of one side."""

    bad: float = Field(
        default=0, description="Requests that failed, or were slower than the limit."
    )
    total: float = Field(default=0, description="All requests that tell about the metric.")


class CheckStatus(StatusModel):
    """The latest result of one rule, comparison or condition."""

    name: Name = Field(description="Name of the rule, comparison, gauge, drift or condition.")
    kind: Name = Field(default="", description="rule, comparison, gauge, drift or condition.")
    metric: Name = Field(
        default="", description="errorRate, latencyP99, throughput, gauge or drift."
    )
    verdict: Name = Field(description="Good, Bad, Unknown or NotApplicable.")
    reason: Name = Field(default="", description="One word for the result.")
    message: Text = Field(default="", description="The numbers behind it, in a sentence.")
    value: float | None = Field(
        default=None, description="Share of bad requests, or requests per second."
    )
    limit: float | None = Field(
        default=None, description="Limit on the value; of a comparison, times as bad as stable."
    )
    e: float | None = Field(default=None, description="The e-process that the verdict rests on.")
    bad_from: float | None = Field(default=None, description="E from which on it is Bad.")
    candidate: RequestCounts | None = Field(default=None, description="The candidate's requests.")
    stable: RequestCounts | None = Field(default=None, description="The stable version's requests.")


class AnalysisStatus(StatusModel):
    """The current verdict and the numbers behind it."""

    verdict: Name = Field(description="Good, Bad, Unknown or NotApplicable.")
    reason: Name = Field(default="", description="One word for the verdict.")
    message: Text = Field(default="", description="The numbers behind it, in a sentence.")
    checks: list[CheckStatus] = Field(
        default_factory=list,
        max_length=32,
        description="Each rule, comparison and condition.",
    )
    query: str = Field(
        default="",
        max_length=LONGEST_QUERY,
        description="The PromQL that requests, errors and slow requests are read with.",
    )


class Rejection(StatusModel):
    """The version that was taken back last."""

    revision: Name = Field(description="Hash of the rejected version's inputs.")
    version: Name = Field(default="", description="The rejected model version.")
    reason: Name = Field(description="One word, such as high_error_rate.")
    message: Text = Field(default="", description="Why, in one sentence.")
    weight: int = Field(default=0, description="Percent of traffic at which it failed.")
    time: Time = Field(default="", description="When it was decided.")


class ReleaseRecord(StatusModel):
    """One release that has ended."""

    version: Name = Field(default="", description="The model's version.")
    revision: Name = Field(description="Hash of the author's inputs.")
    outcome: Name = Field(description="Promoted, Failed, Reverted, Superseded or Aborted.")
    reason: Name = Field(default="", description="One word for the outcome.")
    message: Text = Field(default="", description="Why, in one sentence.")
    weight: int = Field(default=0, description="Highest percent of traffic reached.")
    verdict: Text = Field(default="", description="The last verdict and the numbers behind it.")
    started: Time = Field(default="", description="When it began.")
    finished: Time = Field(default="", description="When it ended.")


class Decision(StatusModel):
    """One decision of the operator."""

    time: Time = Field(description="When.")
    reason: Name = Field(description="One word.")
    message: Text = Field(description="What was decided and why, in a sentence.")


class ActionStatus(StatusModel):
    """The action of a person that was handled last, and what became of it."""

    type: Name = Field(description="Approve, Promote, Abort, Retry or Undo.")
    revision: Name = Field(description="The revision that it was meant for.")
    step: int | None = Field(default=None, description="The step that was approved, from 1.")
    to: Name | None = Field(default=None, description="The revision to go back to.")
    by: Name | None = Field(default=None, description="Who asked.")
    at: Time = Field(description="When it was asked.")
    outcome: Literal["Done", "Ignored"] = Field(description="Done or Ignored.")
    message: Text = Field(default="", description="What became of it, in a sentence.")


class Release(StatusModel):
    """The release under way: where it stands and what has been counted."""

    revision: Name = Field(description="Hash of the version being released.")
    version: Name = Field(default="", description="The model version being released.")
    stage: Literal["Starting", "Stepping", "Promoting", "Watching", "Reverting"] = Field(
        default="Starting", description="The part of the release."
    )
    step: int = Field(default=0, description="Index of the current step, from 0.")
    steps: int = Field(default=0, description="Number of steps, the last one to 100 %.")
    weight: int = Field(default=0, description="Highest percent of traffic reached.")
    kept: int = Field(default=0, description="Pods of the previous version kept in the watch.")
    direct: bool = Field(default=False, description="Going back: without steps.")
    swapping: Time = Field(
        default="", description="Under capacity Auto: since when pods are swapped."
    )
    settled: bool = Field(default=False, description="The step's pods are ready and counted.")
    smoked: bool = Field(default=False, description="The smoke checks have passed.")
    checked: bool = Field(default=False, description="Those after the switch have passed.")
    good: float = Field(default=0, description="Seconds of Good verdicts in an analysis step.")
    failed: bool = Field(default=False, description="A rule failed after promotion.")
    throughput_before: float | None = Field(
        default=None, description="Requests per second of the live Service before promotion."
    )
    reason: Name = Field(default="", description="While reverting: one word.")
    message: Text = Field(default="", description="While reverting: why.")
    started: Time = Field(default="", description="When the release began.")
    step_started: Time = Field(default="", description="When the current step began.")
    decided: Time = Field(default="", description="While reverting: since when.")
    progressed: Time = Field(default="", description="When anything last moved forward.")
    progress: Name = Field(default="", description="What the last progress was measured by.")
    approvals: list[int] = Field(
        default_factory=list, max_length=50, description="Approved steps, counted from 1."
    )
    promoting: bool = Field(default=False, description="A person asked to go to 100 % at once.")
    instead_of: Name = Field(
        default="", description="The revision in the spec that a person gave up for this one."
    )
    evidence: dict[str, Any] = Field(
        default_factory=dict,
        description="Counters and counts since the step began.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    )


class Condition(StatusModel):
    """A Kubernetes condition."""

    type: Name = Field(description="Ready, Reconciling, Stalled or WeightApproximated.")
    status: Literal["True", "False", "Unknown"] = Field(description="True, False or Unknown.")
    reason: Name = Field(default="", description="One CamelCase word.")
    message: Text = Field(default="", description="A sentence for people.")
    last_transition_time: Time = Field(default="", description="When the status last changed.")
    observed_generation: int = Field(default=0, description="The generation it speaks of.")


class Status(StatusModel):
    """What the operator knows and does, as people read it."""

    observed_generation: int = Field(default=0, description="The generation acted upon last.")
    phase: Name = Field(default="", description="Where it stands, in a word.")
    step: Name = Field(default="", description="The step of the release, as in 2/5.")
    weight: Name = Field(default="", description="The share of traffic wanted, as in 25%.")
    verdict: Name = Field(default="", description="Good, Bad, Unknown or NotApplicable.")
    message: Text = Field(default="", description="What is happening and what it waits for.")
    desired_weight: float | None = Field(
        default=None, description="Percent of traffic that the step asks for."
    )
    effective_weight: float | None = Field(
        default=None, description="Percent of ready pods that are the candidate's."
    )
    observed_weight: float | None = Field(
        default=None, description="Percent of requests that the candidate got in this step."
    )
    replicas: int = Field(default=0, description="Pods that exist.")
    selector: Text = Field(default="", description="The live Service's selector, for autoscalers.")
    stable: VersionStatus | None = Field(default=None, description="The version that serves.")
    candidate: VersionStatus | None = Field(default=None, description="The one being released.")
    previous: VersionStatus | None = Field(
        default=None, description="The version kept to go back to while the new one is watched."
    )
    previous_until: Time = Field(
        default="", description="After the watch: until when the previous version is kept."
    )
    release: Release | None = Field(default=None, description="The release under way.")
    analysis: AnalysisStatus | None = Field(default=None, description="The current verdict.")
    rejected: Rejection | None = Field(default=None, description="The last reverted version.")
    adopted: Name = Field(
        default="",
        description="The uid of the adopted Deployment that is to go, none when none is left.",
    )
    queued: Time = Field(
        default="", description="Since when a release waits for its turn; empty if none does."
    )
    action: ActionStatus | None = Field(
        default=None, description="The action of a person that was handled last."
    )
    conditions: list[Condition] = Field(
        default_factory=list,
        max_length=16,
        description="Conditions as Kubernetes tools expect them.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    )
    decisions: list[Decision] = Field(
        default_factory=list, max_length=10, description="The last ten decisions, newest last."
    )
    releases: list[ReleaseRecord] = Field(
        default_factory=list, max_length=10, description="The last ten releases, newest last."
    )

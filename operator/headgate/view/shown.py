"""The value that is shown: one ModelDeployment, its pods, and what its status means in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from headgate.api.action import Action
from headgate.api.environments import resolve
from headgate.api.quantities import parse_duration
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import ActionStatus, Status
from headgate.core.observation import Pod
from headgate.core.revision import revision_of
from headgate.core.steps import Step, direct, steps_of
from headgate.core.timing import to_seconds
from headgate.core.weights import NoSplitError
from headgate.judge import Evidence


@dataclass(frozen=True)
class Shown:
    """One ModelDeployment. `spec` is None when this version of Headgate cannot read it; all that
    the status says is shown nevertheless."""

    name: str
    namespace: str
    generation: int
    created: str
    spec: ModelDeploymentSpec | None
    status: Status
    pods: tuple[Pod, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the release under way; none when nothing is."""
        release = self.status.release
        if release is None or self.spec is None:
            return ()
        try:
            return direct(self.spec) if release.direct else steps_of(self.spec)
        except NoSplitError:
            return ()

    @property
    def step(self) -> Step | None:
        """The step at which the release is."""
        steps, release = self.steps, self.status.release
        if not steps or release is None:
            return None
        return steps[min(release.step, len(steps) - 1)]

    @property
    def is_seen(self) -> bool:
        """Whether the operator has acted upon the spec as it is now."""
        return self.status.observed_generation >= self.generation

    @property
    def wanted(self) -> str:
        """The revision that the spec asks for, as the operator sees it; empty while that cannot
        be told. The status goes before the hash: more than the manifest may go into that."""
        status, release = self.status, self.status.release
        if not self.is_seen:
            return ""
        if release is not None:
            if release.stage == "Reverting":
                return ""
            return release.instead_of or release.revision
        if status.phase == "Reverted" and status.rejected is not None:
            return status.rejected.revision
        stable = status.stable.revision if status.stable is not None else ""
        if status.phase == "Stable":
            return stable
        # Elsewhere the phase does not tell, as while it is suspended: then only a hash that is
        # known says which it is.
        hashed = revision_of(self.spec) if self.spec is not None else ""
        rejected = status.rejected.revision if status.rejected is not None else ""
        return hashed if hashed in (stable, rejected) else ""

    @property
    def is_refused(self) -> bool:
        """Whether the spec asks for what was taken back, which only a person may try again."""
        status = self.status
        return (
            status.release is None
            and status.rejected is not None
            and status.rejected.revision == self.wanted
            and (status.stable is None or status.stable.revision != self.wanted)
        )

    @property
    def asked(self) -> Action | None:
        """What a person has asked for and the operator has not handled yet."""
        action = self.spec.action if self.spec is not None else None
        return None if action is None or handles(self.status.action, action) else action

    def waits_for_approval(self) -> bool:
        """Whether the current step is one that a person approves."""
        release, step = self.status.release, self.step
        return (
            release is not None
            and release.stage == "Stepping"
            and step is not None
            and step.approval is not None
        )

    def deadline(self, now: float) -> float | None:
        """Seconds until a release whose pods do not get ready is taken back."""
        release = self.status.release
        if release is None or self.spec is None or not release.progressed:
            return None
        limit = parse_duration(self.spec.progress_deadline)
        return max(0.0, limit - (now - to_seconds(release.progressed)))


def handles(status: ActionStatus | None, action: Action) -> bool:
    """Whether the operator has handled exactly this action."""
    return status is not None and (
        (status.type, status.revision, status.step, status.to, status.by, status.at)
        == (action.type.value, action.revision, action.step, action.to, action.by, action.at)
    )


@dataclass(frozen=True)
class Hold:
    """How much of a step or of a watch is over, in seconds. It stands still while there are no
    measurements."""

    done: float
    whole: float
    still: bool = False

    @property
    def left(self) -> float:
        """What is still to come."""
        return max(0.0, self.whole - self.done)


def hold_of(shown: Shown, now: float) -> Hold | None:
    """The hold or the watch that is running; None when something else is waited for.

    Observed seconds are counted by the operator at each poll. Between two polls the time since is
    added, as the next poll will, so that a countdown runs evenly; no poll adds more than two
    intervals.
    """
    release, step, spec = shown.status.release, shown.step, shown.spec
    if release is None or spec is None or step is None:
        return None
    interval = parse_duration(spec.analysis.interval)
    if release.stage == "Watching":
        whole = parse_duration(spec.watch.duration)
        return _observed(release.evidence, whole, interval, now)
    if release.stage != "Stepping" or not release.settled or step.approval is not None:
        return None
    if step.shared:
        return _observed(release.evidence, max(step.hold, interval), interval, now)
    return Hold(min(step.hold, now - to_seconds(release.step_started)), step.hold)


def _observed(stored: Mapping[str, Any], whole: float, interval: float, now: float) -> Hold:
    try:
        evidence = Evidence.from_dict(stored)
    except ValueError:
        return Hold(0.0, whole)
    done = evidence.observed
    if not evidence.unknown and evidence.at is not None:
        done += min(2 * interval, max(0.0, now - evidence.at))
    return Hold(min(done, whole), whole, still=bool(evidence.unknown))


def read(stored: Mapping[str, Any], pods: tuple[Pod, ...] = ()) -> Shown:
    """A ModelDeployment as the API server sent it."""
    metadata = stored.get("metadata") or {}
    try:
        spec = resolve(ModelDeploymentSpec.model_validate(stored.get("spec") or {}))
    except ValidationError:
        spec = None
    try:
        status = Status.model_validate(stored.get("status") or {})
    except ValidationError:
        status = Status(message="The status was written by another version of Headgate.")
    return Shown(
        name=str(metadata.get("name", "")),
        namespace=str(metadata.get("namespace", "")),
        generation=int(metadata.get("generation") or 0),
        created=str(metadata.get("creationTimestamp") or ""),
        spec=spec,
        status=status,
        pods=pods,
    )

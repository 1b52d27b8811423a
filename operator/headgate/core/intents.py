"""What the planner wants done, as values, in the order in which it is safe to do it.

`headgate.kube.apply` carries them out one by one; stopping between any two is safe, as the next
pass plans again from what it then sees. `Plan` is the planner's whole answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headgate.api.status import Status
from headgate.core.observation import Pace


@dataclass(frozen=True)
class Intent:
    """One write. `live_read` says that it may only follow from objects read live, not cached:
    whatever moves traffic or takes pods away."""

    live_read: ClassVar[bool] = False


@dataclass(frozen=True)
class KeepRevision(Intent):
    """Render the current template and keep it in a ControllerRevision."""

    revision: str
    version: str
    number: int


@dataclass(frozen=True)
class MarkRevision(Intent):
    """Write on a ControllerRevision that it once was stable, or that it was rejected."""

    revision: str
    once_stable: bool | None = None
    rejected: bool | None = None


@dataclass(frozen=True)
class DropRevision(Intent):
    """Delete a ControllerRevision beyond the history limit."""

    revision: str


@dataclass(frozen=True)
class SetWorkload(Intent):
    """Create the Deployment of a revision from its kept template, restore it, or scale it up."""

    revision: str
    replicas: int


@dataclass(frozen=True)
class ShrinkWorkload(Intent):
    """Scale the Deployment of a revision down."""

    live_read: ClassVar[bool] = True
    revision: str
    replicas: int


@dataclass(frozen=True)
class RemoveWorkload(Intent):
    """Delete the Deployment of a revision; its pods end in their own time, or at once.

    `at_once` is for a rejected version: each more second of grace is another second in which a
    kept connection gets its answers.
    """

    live_read: ClassVar[bool] = True
    revision: str
    at_once: bool = False


@dataclass(frozen=True)
class SetTraffic(Intent):
    """Point the live Service: pinned to `revision`, or widened to both when it is None.

    The other fields become annotations in the same write, so that the decision survives a kill.
    Creates the Service when there is none. With `INHERITED` the selector and the ports stay as
    they are: the Service is only made ours.
    """

    live_read: ClassVar[bool] = True
    revision: str | None
    stable: str | None = None
    previous: str | None = None
    rejected: str | None = None
    reason: str | None = None
    adopted: str | None = None


@dataclass(frozen=True)
class RemoveAdopted(Intent):
    """Delete the Deployment that was there before, if it still is the one with this uid."""

    live_read: ClassVar[bool] = True
    uid: str


@dataclass(frozen=True)
class SetRole(Intent):
    """Point the Service NAME-stable or NAME-candidate to a revision; creates or restores it."""

    role: str
    revision: str


@dataclass(frozen=True)
class RestartWorkload(Intent):
    """Have the Deployment of a revision replace its pods, as `kubectl rollout restart` does.

    `at` is when a person asked for it. Written once more with another pace, it changes how a
    restart that is under way goes on.
    """

    live_read: ClassVar[bool] = True
    revision: str
    at: str
    pace: Pace


@dataclass(frozen=True)
class SetDisruptionBudget(Intent):
    """Create or restore the PodDisruptionBudget of a revision."""

    revision: str


@dataclass(frozen=True)
class DropDisruptionBudget(Intent):
    """Delete the PodDisruptionBudget of a revision."""

    revision: str


@dataclass(frozen=True)
class SetReplicas(Intent):
    """Write the ModelDeployment's replicas through its scale subresource, because they were left
    out and an autoscaler cannot read an absent field. Only while they still are."""

    replicas: int


@dataclass(frozen=True)
class RunSmoke(Intent):
    """Send the smoke requests (R4) to a ready pod of a revision; the answer comes in a later
    observation. `after_switch` repeats them once the revision is live."""

    revision: str
    after_switch: bool = False


@dataclass(frozen=True)
class WarmUp(Intent):
    """Send warm-up requests to pods until they answer fast; how it goes comes in later
    observations."""

    pods: tuple[str, ...]


@dataclass(frozen=True)
class SetWarm(Intent):
    """Write into a pod's status whether it is warm: once it is, it gets traffic. `time` is now."""

    pod: str
    warm: bool
    reason: str
    message: str
    time: str


@dataclass(frozen=True)
class Note:
    """One English sentence about what was decided; it reaches the golden file, the Event and the
    log. `reason` is a CamelCase word for the Event."""

    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True)
class Plan:
    """The planner's answer: writes in order, the status to store, seconds until the next look
    (None: only when something changes), sentences, and whether pods are to be polled for metrics.
    `hold_left` is in how many seconds a poll could see the end of the hold, None without one."""

    intents: tuple[Intent, ...]
    status: Status
    requeue_after: float | None = None
    notes: tuple[Note, ...] = ()
    polled: bool = False
    hold_left: float | None = None

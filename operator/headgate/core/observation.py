"""What the planner sees: one ModelDeployment and everything that belongs to it, as values.

`headgate.kube.observe` builds these from the API server's objects; the golden world builds them
from its simulation. The planner (`headgate.core.plan`) reads nothing else.

Times are seconds since the epoch. A revision is the hash of an author's inputs
(`headgate.core.revision`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Status
from headgate.core.settings import DEFAULT_SCRAPE_INTERVAL
from headgate.core.steps import Step, steps_of
from headgate.judge import Sample

NOWHERE = "none"
"""The revision that a Service selects while it is to have no endpoints. No pod carries it."""

INHERITED = "inherited"
"""In place of a revision: a Service that was taken over and still selects what it did before."""

NO_DEPLOYMENT = "none"
"""In place of a Deployment's uid: nothing that was taken over is left to be deleted."""


@dataclass(frozen=True)
class Gate:
    """The readiness gate of a pod that gets no traffic before it is warm.

    `running_since` is when its containers got ready, None while they are not. `warm` is what the
    pod's status says of it, None as long as it says nothing; `since` is when that was said.
    """

    running_since: float | None = None
    warm: bool | None = None
    since: float = 0.0


@dataclass(frozen=True)
class Warming:
    """How the warm-up of a pod goes: `warm` is None while it is under way, False when it has
    failed; `sentence` is the last answer, as a person reads it."""

    warm: bool | None = None
    sentence: str = ""


@dataclass(frozen=True)
class Pod:
    """One pod that exists, terminating ones included.

    `crashes` counts how often its containers ended with an error. `waiting` is the reason a
    container gives for not running ("ImagePullBackOff", "CrashLoopBackOff"), "Unschedulable" or
    "WarmUpFailed"; `message` is the sentence that belongs to it (or to the last crash), in the
    cluster's own words. `gate` is None for a pod that is not warmed up.
    """

    name: str
    revision: str
    ready: bool
    terminating: bool = False
    created: float = 0.0
    crashes: int = 0
    waiting: str = ""
    message: str = ""
    gate: Gate | None = None


@dataclass(frozen=True)
class Pace:
    """How a Deployment replaces its pods in a restart: with so many above its replicas, while so
    many of them may be missing."""

    surge: int
    unavailable: int


@dataclass(frozen=True)
class Workload:
    """The Deployment of one revision. `intact` is false when it differs from what was rendered.
    `failure` says why its pods cannot be created, in the cluster's own words (as for a quota).
    `restarted` is the time of the last restart of its pods that a person asked for, `pace` how they
    are replaced since, and `rolling` whether that still goes on."""

    revision: str
    replicas: int
    intact: bool = True
    failure: str = ""
    restarted: str = ""
    pace: Pace | None = None
    rolling: bool = False


@dataclass(frozen=True)
class LiveService:
    """The Service that users call, and the decisions written on it.

    `revision` is the revision its selector is pinned to, None while it is widened to both.
    `stable`, `previous`, `rejected` and `reason` are the annotations of the last traffic write;
    the planner trusts them over an older status. `adopted` is None for a Service that we made;
    otherwise it is the uid of the adopted Deployment that is to go, or `NO_DEPLOYMENT`.
    """

    revision: str | None
    stable: str | None = None
    previous: str | None = None
    rejected: str | None = None
    reason: str | None = None
    intact: bool = True
    adopted: str | None = None


@dataclass(frozen=True)
class KnownRevision:
    """A ControllerRevision: a version whose rendered pod template is kept. `warm_up` is the
    time-out in seconds of the warm-up that is kept with it, None without one."""

    revision: str
    version: str
    number: int
    once_stable: bool = False
    rejected: bool = False
    warm_up: float | None = None


@dataclass(frozen=True)
class SmokeResult:
    """What the smoke checks (R4) of one revision found; `sentence` says it to a person.

    `after_switch` tells the checks that are repeated once the revision is live from those before.
    """

    revision: str
    passed: bool
    sentence: str
    after_switch: bool = False


@dataclass(frozen=True)
class Turn:
    """Whether a new release may begin under the caps; `sentence` says what it waits for."""

    granted: bool
    sentence: str = ""


@dataclass(frozen=True)
class Observation:
    """One ModelDeployment as it stands.

    `spec` is already resolved (`headgate.api.environments.resolve`). `roles` maps the role
    Services ("stable", "candidate") that exist and are intact to the revision they select.
    `conflict` is a sentence when a child's name belongs to somebody else, `missing` when something
    that the template uses is not there: then no release starts, and `revision` is the newest known
    one of the same manifest. `replicas_left_out` says that the stored manifest has none, so that
    `spec` has the environment's. `budgets` says of each revision with a PodDisruptionBudget of ours
    whether it is intact; `guarded` are the revisions whose pods an author's own one selects.
    `adoptable` says that a Service of this name may be taken over, `inherited` is the uid of a
    Deployment that may. `scrape_interval` is the metrics provider's, in seconds. `turn` is None
    when there is no cap on releases. `warming` are the pods that are being warmed up, or were until
    a moment ago, by name.
    """

    namespace: str
    name: str
    generation: int
    spec: ModelDeploymentSpec
    revision: str
    status: Status
    workloads: tuple[Workload, ...] = ()
    pods: tuple[Pod, ...] = ()
    live: LiveService | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    revisions: tuple[KnownRevision, ...] = ()
    sample: Sample | None = None
    smoke: SmokeResult | None = None
    conflict: str | None = None
    adoptable: bool = False
    inherited: str | None = None
    missing: str | None = None
    replicas_left_out: bool = False
    budgets: Mapping[str, bool] = field(default_factory=dict)
    guarded: frozenset[str] = frozenset()
    scrape_interval: float = DEFAULT_SCRAPE_INTERVAL
    turn: Turn | None = None
    warming: Mapping[str, Warming] = field(default_factory=dict)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps of a release of this spec. Raises `headgate.core.weights.NoSplitError`."""
        return steps_of(self.spec)

    @cached_property
    def swapping_steps(self) -> tuple[Step, ...]:
        """The same while pods are swapped."""
        return steps_of(self.spec, swapping=True)

    def workload(self, revision: str | None) -> Workload | None:
        """The Deployment of a revision, or None."""
        return next((each for each in self.workloads if each.revision == revision), None)

    def known(self, revision: str | None) -> KnownRevision | None:
        """The kept ControllerRevision of a revision, or None."""
        return next((each for each in self.revisions if each.revision == revision), None)

    def pods_of(self, revision: str | None) -> tuple[Pod, ...]:
        """The pods of a revision that are not terminating."""
        return tuple(
            each for each in self.pods if each.revision == revision and not each.terminating
        )

    def ready(self, revision: str | None) -> int:
        """How many pods of a revision can answer requests."""
        return sum(1 for each in self.pods_of(revision) if each.ready)

    def strangers(self, revisions: Iterable[str | None]) -> tuple[Pod, ...]:
        """Pods, terminating ones included, of any revision but these."""
        allowed = set(revisions)
        return tuple(each for each in self.pods if each.revision not in allowed)

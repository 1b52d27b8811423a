"""A simulated cluster: pods become ready, serve, fail and end; Prometheus scrapes them.

It knows nothing of how releases are planned. `World.apply` does what `headgate.kube.apply` does in
the real one, `World.tick` lets one second pass, `World.observe` is what the planner sees. Traffic
is spread evenly over the ready pods that the live Service selects, as kube-proxy does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Status
from headgate.core.intents import (
    DropRevision,
    Intent,
    KeepRevision,
    MarkRevision,
    RemoveWorkload,
    RunSmoke,
    SetRole,
    SetTraffic,
    SetWorkload,
    ShrinkWorkload,
)
from headgate.core.observation import (
    KnownRevision,
    LiveService,
    Observation,
    Pod,
    SmokeResult,
    Workload,
)
from headgate.core.revision import revision_of
from headgate.judge import PodCounters, Sample

GRACE_SECONDS = 3.0
AT_ONCE_SECONDS = 1.0
EPOCH = 1_700_000_000.0


@dataclass(frozen=True)
class Behaviour:
    """How one model version behaves. Rates are shares of requests, times are seconds.

    `crash_after` counts from the first request; `waiting` is a reason for never starting.
    """

    errors: float = 0.0
    slow: float = 0.0
    startup: float = 4.0
    crash_after: float | None = None
    waiting: str = ""
    smoke_passes: bool = True


@dataclass
class SimulatedPod:
    """A pod with its raw counters."""

    name: str
    revision: str
    created: float
    ends: float | None = None
    first_request: float | None = None
    crashed: int = 0
    restarted: float | None = None
    requests: float = 0.0
    errors: float = 0.0
    slow: float = 0.0


@dataclass
class World:
    """One namespace with one ModelDeployment."""

    behaviours: dict[str, Behaviour]
    rate: float = 50.0
    now: float = EPOCH
    written: dict[str, Any] = field(default_factory=dict)
    spec: ModelDeploymentSpec | None = None
    generation: int = 0
    status: Status = field(default_factory=Status)
    workloads: dict[str, Workload] = field(default_factory=dict)
    pods: list[SimulatedPod] = field(default_factory=list)
    live: LiveService | None = None
    roles: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, KnownRevision] = field(default_factory=dict)
    smoke: SmokeResult | None = None
    sample: Sample | None = None
    outage: str | None = None
    silent: set[str] = field(default_factory=set)
    failed: int = 0
    sent: int = 0
    served: dict[str, int] = field(default_factory=dict)
    made: int = 0

    def give(self, spec: dict[str, Any]) -> None:
        """kubectl apply."""
        self.written = spec
        self.spec = resolve(ModelDeploymentSpec.model_validate(spec))
        self.generation += 1

    def version_of(self, revision: str | None) -> str:
        """The model version of a revision."""
        if revision in self.revisions:
            return self.revisions[str(revision)].version
        assert self.spec is not None
        if revision == revision_of(self.spec):
            return self.spec.model.version
        return str(revision)

    def behaviour(self, revision: str) -> Behaviour:
        """How the pods of a revision behave."""
        return self.behaviours.get(self.version_of(revision), Behaviour())

    def observe(self) -> Observation:
        """What the planner sees now."""
        assert self.spec is not None
        return Observation(
            namespace="risk",
            name="fraud",
            generation=self.generation,
            spec=self.spec,
            revision=revision_of(self.spec),
            status=self.status,
            workloads=tuple(self.workloads.values()),
            pods=tuple(self._seen(pod) for pod in self.pods),
            live=self.live,
            roles=dict(self.roles),
            revisions=tuple(self.revisions.values()),
            sample=self.sample,
            smoke=self.smoke,
        )

    def _seen(self, pod: SimulatedPod) -> Pod:
        behaviour = self.behaviour(pod.revision)
        waiting = behaviour.waiting
        message = f"cannot start {self.version_of(pod.revision)}" if waiting else ""
        if pod.crashed and not self.is_ready(pod):
            waiting, message = "CrashLoopBackOff", "exit code 1"
        return Pod(
            name=pod.name,
            revision=pod.revision,
            ready=self.is_ready(pod),
            terminating=pod.ends is not None,
            created=pod.created,
            crashes=pod.crashed,
            waiting=waiting,
            message=message,
        )

    def is_ready(self, pod: SimulatedPod) -> bool:
        """Whether a pod answers its readiness probe."""
        behaviour = self.behaviour(pod.revision)
        if pod.ends is not None or behaviour.waiting:
            return False
        began = pod.restarted if pod.restarted is not None else pod.created
        return self.now - began >= behaviour.startup

    def endpoints(self) -> list[SimulatedPod]:
        """The ready pods that the live Service selects."""
        if self.live is None:
            return []
        chosen = self.live.revision
        return [
            pod
            for pod in self.pods
            if self.is_ready(pod) and (chosen is None or pod.revision == chosen)
        ]

    def apply(self, intent: Intent) -> None:
        """Carry out one write."""
        match intent:
            case KeepRevision(revision, version, number):
                self.revisions.setdefault(revision, KnownRevision(revision, version, number))
            case MarkRevision(revision, once_stable, rejected):
                known = self.revisions[revision]
                self.revisions[revision] = replace(
                    known,
                    once_stable=known.once_stable if once_stable is None else once_stable,
                    rejected=known.rejected if rejected is None else rejected,
                )
            case DropRevision(revision):
                del self.revisions[revision]
            case SetWorkload(revision, replicas) | ShrinkWorkload(revision, replicas):
                self.workloads[revision] = Workload(revision, replicas)
                self._scale(revision, replicas, GRACE_SECONDS)
            case RemoveWorkload(revision, at_once):
                self.workloads.pop(revision, None)
                self._scale(revision, 0, AT_ONCE_SECONDS if at_once else GRACE_SECONDS)
            case SetTraffic(revision, stable, previous, rejected, reason):
                self.live = LiveService(revision, stable, previous, rejected, reason)
            case SetRole(role, revision):
                self.roles[role] = revision
            case RunSmoke(revision):
                passed = self.behaviour(revision).smoke_passes
                sentence = (
                    "2 requests answered" if passed else "/predict answered 500 instead of 200"
                )
                self.smoke = SmokeResult(revision, passed, sentence)
            case _:
                raise AssertionError(f"the world cannot carry out {intent}")

    def _scale(self, revision: str, replicas: int, grace: float) -> None:
        pods = [pod for pod in self.pods if pod.revision == revision and pod.ends is None]
        for pod in sorted(pods, key=self.is_ready)[: max(0, len(pods) - replicas)]:
            pod.ends = self.now + grace
        if grace == AT_ONCE_SECONDS:
            for pod in self.pods:
                if pod.revision == revision and pod.ends is not None:
                    pod.ends = min(pod.ends, self.now + grace)
        for _ in range(replicas - len(pods)):
            self.made += 1
            name = f"fraud-{self.version_of(revision)}-{self.made}"
            self.pods.append(SimulatedPod(name, revision, self.now))

    def tick(self, seconds: float = 1.0) -> None:
        """Let time pass: pods end, crash and restart, requests arrive."""
        self.now += seconds
        self.pods = [pod for pod in self.pods if pod.ends is None or pod.ends > self.now]
        for revision, workload in list(self.workloads.items()):
            self._scale(revision, workload.replicas, GRACE_SECONDS)
        for pod in self.pods:
            self._crash(pod)
        if self.live is not None and self.live.stable is not None:
            self._serve(self.rate * seconds)

    def _crash(self, pod: SimulatedPod) -> None:
        after = self.behaviour(pod.revision).crash_after
        if after is None or pod.first_request is None or pod.ends is not None:
            return
        if self.now - pod.first_request >= after:
            pod.crashed += 1
            pod.first_request = None
            pod.requests = pod.errors = pod.slow = 0.0
            # CrashLoopBackOff: 10 s at first, doubling.
            pod.restarted = self.now + 10.0 * 2 ** (pod.crashed - 1)

    def _serve(self, requests: float) -> None:
        pods = self.endpoints()
        self.sent += round(requests)
        if not pods:
            self.failed += round(requests)
            return
        for pod in pods:
            behaviour = self.behaviour(pod.revision)
            share = requests / len(pods)
            pod.first_request = pod.first_request or self.now
            pod.requests += share
            pod.errors += share * behaviour.errors
            pod.slow += share * behaviour.slow
            self.failed += round(share * behaviour.errors)
            version = self.version_of(pod.revision)
            self.served[version] = self.served.get(version, 0) + round(share)

    def scrape(self, limits: Iterable[float]) -> None:
        """Prometheus answers the poll, or fails to."""
        if self.outage is not None:
            self.sample = Sample(at=self.now, pods={}, outage=self.outage)
            return
        pods = {
            pod.name: PodCounters(
                requests=pod.requests,
                errors=pod.errors,
                slower={limit: pod.slow if limit <= 1.0 else 0.0 for limit in limits},
                p99=None,
            )
            for pod in self.pods
            if (pod.first_request is not None or self.is_ready(pod))
            and self.version_of(pod.revision) not in self.silent
        }
        self.sample = Sample(at=self.now, pods=pods, outage=None)


Event = Callable[[World], None]

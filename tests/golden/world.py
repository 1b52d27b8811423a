"""A simulated cluster: pods become ready, serve, fail and end; Prometheus scrapes them.

It knows nothing of how releases are planned. `World.apply` does what `headgate.kube.apply` does in
the real one, `World.tick` lets one second pass, `World.observe` is what the planner sees. Traffic
is spread evenly over the ready pods that the live Service selects, as kube-proxy does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from headgate.api.analysis import BY_SERVICE
from headgate.api.config_maps import config_maps_of
from headgate.api.environments import resolve
from headgate.api.quantities import parse_duration
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Status
from headgate.core.intents import (
    DropDisruptionBudget,
    DropRevision,
    Intent,
    KeepRevision,
    MarkRevision,
    RemoveAdopted,
    RemoveWorkload,
    RestartWorkload,
    RunSmoke,
    SetDisruptionBudget,
    SetReplicas,
    SetRole,
    SetTraffic,
    SetWarm,
    SetWorkload,
    ShrinkWorkload,
    WarmUp,
)
from headgate.core.observation import (
    INHERITED,
    Gate,
    KnownRevision,
    LiveService,
    Observation,
    Pod,
    SmokeResult,
    Warming,
    Workload,
)
from headgate.core.revision import inputs_of, revision_of
from headgate.core.turns import Caps, Entrant, entrant_of, turn_of
from headgate.judge import PodCounters, Sample

GRACE_SECONDS = 3.0
AT_ONCE_SECONDS = 1.0
PROXY = "fraud/ingress-nginx/controller-1"
WARM_UP_RATE = 20.0
"""Requests per second that a pod is warmed up with."""

EPOCH = 1_700_000_000.0


@dataclass(frozen=True)
class Behaviour:
    """How one model version behaves. Rates are shares of requests, times are seconds.

    `crash_after` counts from the first request; `waiting` is a reason for never starting, and
    `forbidden` what admission says of each of its pods. `high` is the share of predictions that are
    above 0.5, of a score between 0 and 1; one that is not `timed` has no histogram of latencies. A
    pod answers slowly, and with `cold_errors`, until it has been warmed up for `warm_after`.
    """

    errors: float = 0.0
    slow: float = 0.0
    high: float = 0.3
    timed: bool = True
    startup: float = 4.0
    crash_after: float | None = None
    waiting: str = ""
    forbidden: str = ""
    smoke_passes: bool = True
    smoke_passes_live: bool = True
    warm_after: float = 3.0
    cold_errors: float = 0.5


@dataclass
class SimulatedPod:
    """A pod with its raw counters."""

    name: str
    revision: str
    created: float
    placed: float | None = None
    ends: float | None = None
    first_request: float | None = None
    crashed: int = 0
    restarted: float | None = None
    requests: float = 0.0
    errors: float = 0.0
    slow: float = 0.0
    warmth: float = 0.0
    warm: bool | None = None
    told: str = ""
    told_at: float = 0.0


@dataclass
class Counters:
    """What the proxy before the live Service has counted, whichever version answered."""

    requests: float = 0.0
    errors: float = 0.0
    slow: float = 0.0


@dataclass
class World:
    """One namespace with one ModelDeployment. Its nodes have `slots` devices, of which each pod
    needs one until it has ended; beyond `quota` pods none can be created. The Deployments of the
    revisions in `surplus` have a pod too many, which is to take another one's place."""

    behaviours: dict[str, Behaviour]
    rate: float = 50.0
    slots: int | None = None
    quota: int | None = None
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
    proxied: Counters = field(default_factory=Counters)
    made: int = 0
    scaled: int | None = None
    budgets: dict[str, bool] = field(default_factory=dict)
    own_budget: bool = False
    config_maps: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    warming: dict[str, Warming] = field(default_factory=dict)
    warming_since: dict[str, float] = field(default_factory=dict)
    others: tuple[Entrant, ...] = ()
    caps: Caps = field(default_factory=Caps)
    old_service: bool = False
    old_deployment: str | None = None
    surplus: set[str] = field(default_factory=set)

    @property
    def served_by_old(self) -> bool:
        """Whether the pods of the Deployment that was there before get all requests."""
        selected = self.old_service if self.live is None else self.live.revision == INHERITED
        return selected and self.old_deployment is not None

    def give(self, spec: dict[str, Any]) -> None:
        """kubectl apply; replicas that it leaves out stay what an autoscaler has made of them."""
        if spec.get("replicas") is None and self.scaled is not None:
            spec = {**spec, "replicas": self.scaled}
        self.written = spec
        self.spec = resolve(ModelDeploymentSpec.model_validate(spec))
        self.generation += 1

    def scale(self, replicas: int) -> None:
        """kubectl scale, an autoscaler, or the operator through the scale subresource."""
        self.scaled = replicas
        self.give({**self.written, "replicas": replicas})

    def version_of(self, revision: str | None) -> str:
        """The model version of a revision."""
        if revision in self.revisions:
            return self.revisions[str(revision)].version
        assert self.spec is not None
        if revision == self.revision:
            return self.spec.model.version
        return str(revision)

    def called(self, revision: str | None) -> str:
        """The model version, with the number of the revision if it is not the only one of it."""
        version = self.version_of(revision)
        alike = [each for each in self.revisions.values() if each.version == version]
        if len(alike) < 2 or revision not in self.revisions:
            return version
        return f"{version} (revision {self.revisions[str(revision)].number})"

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
            revision=self.revision,
            status=self.status,
            workloads=tuple(self.workloads.values()),
            pods=tuple(self._seen(pod) for pod in self.pods),
            live=self.live,
            roles=dict(self.roles),
            revisions=tuple(self.revisions.values()),
            sample=self.sample,
            smoke=self.smoke,
            turn=turn_of(entrant_of(("risk", "fraud"), self.status), self.others, self.caps),
            warming=dict(self.warming),
            missing=self.missing,
            budgets=dict(self.budgets),
            guarded=frozenset(self.revisions if self.own_budget else ()),
            replicas_left_out=self.written.get("replicas") is None,
            conflict=self._conflict,
            adoptable=self._adopts and self.old_service,
            inherited=self.old_deployment if self._adopts else None,
        )

    @property
    def _adopts(self) -> bool:
        assert self.spec is not None
        return self.spec.adopt and self.live is None and self.status.stable is None

    @property
    def _conflict(self) -> str | None:
        if self.live is None and self.old_service and not self._adopts:
            return "Service fraud exists and belongs to nobody: set spec.adopt to true"
        return None

    @property
    def missing(self) -> str | None:
        """The first ConfigMap that the template needs and that does not exist, in a sentence."""
        assert self.spec is not None
        for name, optional in config_maps_of(self.spec.template).items():
            if name not in self.config_maps and not optional:
                return f"ConfigMap {name}, which its template uses, does not exist"
        return None

    @property
    def revision(self) -> str:
        """The revision that the spec asks for; with a ConfigMap missing, the last like it."""
        assert self.spec is not None
        used = config_maps_of(self.spec.template)
        alike = [each for each, known in self.inputs.items() if known == inputs_of(self.spec)]
        if self.missing is not None and alike:
            return alike[-1]
        return revision_of(
            self.spec, {n: self.config_maps[n] for n in used if n in self.config_maps}
        )

    def _seen(self, pod: SimulatedPod) -> Pod:
        behaviour = self.behaviour(pod.revision)
        waiting = behaviour.waiting
        message = f"cannot start {self.version_of(pod.revision)}" if waiting else ""
        if pod.placed is None:
            waiting, message = "Unschedulable", "0/1 nodes are available: 1 Insufficient gpu."
        if pod.crashed and not self.is_ready(pod):
            waiting, message = "CrashLoopBackOff", "exit code 1"
        elif pod.warm is False:
            waiting, message = "WarmUpFailed", pod.told
        return Pod(
            name=pod.name,
            revision=pod.revision,
            ready=self.is_ready(pod),
            terminating=pod.ends is not None,
            created=pod.created,
            crashes=pod.crashed,
            waiting=waiting,
            message=message,
            gate=self._gate(pod) if pod.revision in self.gated else None,
        )

    def _gate(self, pod: SimulatedPod) -> Gate:
        running = self._began(pod) + self.behaviour(pod.revision).startup
        return Gate(running if self.runs(pod) else None, pod.warm, pod.told_at)

    def is_ready(self, pod: SimulatedPod) -> bool:
        """Whether a pod gets requests of a Service that selects it."""
        return self.runs(pod) and (pod.revision not in self.gated or pod.warm is True)

    def runs(self, pod: SimulatedPod) -> bool:
        """Whether a pod answers its readiness probe."""
        behaviour = self.behaviour(pod.revision)
        if pod.ends is not None or pod.placed is None or behaviour.waiting:
            return False
        return self.now - self._began(pod) >= behaviour.startup

    @staticmethod
    def _began(pod: SimulatedPod) -> float:
        """When its containers were started, for the first time or again."""
        if pod.restarted is not None:
            return pod.restarted
        return pod.created if pod.placed is None else pod.placed

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
                assert self.spec is not None
                wanted = self.spec.smoke.warm_up
                timeout = None if wanted is None else parse_duration(wanted.timeout)
                known = KnownRevision(revision, version, number, warm_up=timeout)
                if self.revisions.setdefault(revision, known) is known and wanted is not None:
                    self.gated.add(revision)
                self.inputs[revision] = inputs_of(self.spec)
            case MarkRevision(revision, once_stable, rejected):
                known = self.revisions[revision]
                self.revisions[revision] = replace(
                    known,
                    once_stable=known.once_stable if once_stable is None else once_stable,
                    rejected=known.rejected if rejected is None else rejected,
                )
            case DropRevision(revision):
                del self.revisions[revision]
            case RestartWorkload(revision, at, pace):
                # Replacing the pods is the Deployment's own affair, if there is room to begin with.
                self.surplus.discard(revision)
                if pace.surge and self.slots is not None and len(self.pods) >= self.slots:
                    self.surplus.add(revision)
                self.workloads[revision] = replace(
                    self.workloads[revision], restarted=at, pace=pace
                )
            case SetWorkload(revision, replicas) | ShrinkWorkload(revision, replicas):
                assert self.spec is not None
                made = Workload(revision, replicas, restarted=self.spec.restart_at or "")
                before = self.workloads.get(revision, made)
                self.workloads[revision] = replace(before, replicas=replicas, intact=True)
                self._scale(revision, replicas, GRACE_SECONDS)
            case RemoveWorkload(revision, at_once):
                self.workloads.pop(revision, None)
                self._scale(revision, 0, AT_ONCE_SECONDS if at_once else GRACE_SECONDS)
            case SetTraffic(revision, stable, previous, rejected, reason, adopted):
                self.live = LiveService(
                    revision, stable, previous, rejected, reason, adopted=adopted
                )
            case RemoveAdopted(uid):
                if self.old_deployment == uid:
                    self.old_deployment = None
            case SetRole(role, revision):
                self.roles[role] = revision
            case SetDisruptionBudget(revision):
                self.budgets[revision] = True
            case DropDisruptionBudget(revision):
                del self.budgets[revision]
            case SetReplicas(replicas):
                self.scale(replicas)
            case RunSmoke(revision, after_switch):
                behaviour = self.behaviour(revision)
                passed = behaviour.smoke_passes_live if after_switch else behaviour.smoke_passes
                sentence = (
                    "2 requests answered" if passed else "/predict answered 500 instead of 200"
                )
                self.smoke = SmokeResult(revision, passed, sentence, after_switch)
            case WarmUp(pods):
                for name in pods:
                    self.warming[name] = Warming()
                    self.warming_since[name] = self.now
            case SetWarm(name, warm, _, message):
                for pod in self.pods:
                    if pod.name == name:
                        pod.warm, pod.told, pod.told_at = warm, message, self.now
                if warm:
                    self.warming.pop(name, None)
            case _:
                raise AssertionError(f"the world cannot carry out {intent}")

    def _scale(self, revision: str, replicas: int, grace: float) -> None:
        if not replicas:
            self.surplus.discard(revision)
        replicas += revision in self.surplus
        pods = [pod for pod in self.pods if pod.revision == revision and pod.ends is None]
        for pod in sorted(pods, key=self.is_ready)[: max(0, len(pods) - replicas)]:
            # A pod that no node has yet goes at once.
            pod.ends = self.now + (grace if pod.placed is not None else 0.0)
        if grace == AT_ONCE_SECONDS:
            for pod in self.pods:
                if pod.revision == revision and pod.ends is not None:
                    pod.ends = min(pod.ends, self.now + grace)
        self.pods = [pod for pod in self.pods if pod.ends is None or pod.ends > self.now]
        failure = ""
        for _ in range(replicas - len(pods)):
            if self.behaviour(revision).forbidden:
                failure = self.behaviour(revision).forbidden
                break
            if self.quota is not None and len(self.pods) >= self.quota:
                failure = f"exceeded quota: pods, used: {len(self.pods)}, limited: {self.quota}"
                break
            self.made += 1
            name = f"fraud-{self.version_of(revision)}-{self.made}"
            self.pods.append(SimulatedPod(name, revision, self.now))
        if revision in self.workloads:
            self.workloads[revision] = replace(self.workloads[revision], failure=failure)
        self._place()

    def _place(self) -> None:
        """The scheduler: the oldest pod that waits gets the next free device."""
        for pod in self.pods:
            taken = sum(each.placed is not None for each in self.pods)
            if pod.placed is None and (self.slots is None or taken < self.slots):
                pod.placed = self.now

    def tick(self, seconds: float = 1.0) -> None:
        """Let time pass: pods end, crash and restart, requests arrive."""
        self.now += seconds
        self.pods = [pod for pod in self.pods if pod.ends is None or pod.ends > self.now]
        for revision, workload in list(self.workloads.items()):
            self._scale(revision, workload.replicas, GRACE_SECONDS)
        for pod in self.pods:
            self._crash(pod)
            if pod.name in self.warming and self.warming[pod.name].warm is None:
                self.warming[pod.name] = self._warm_up(pod, seconds)
        stable = self.live is not None and self.live.stable is not None
        if self.old_service or stable:
            self._serve(self.rate * seconds)

    def restart(self) -> None:
        """The operator starts anew: what it knew of its own requests is gone."""
        self.warming.clear()

    def _warm_up(self, pod: SimulatedPod, seconds: float) -> Warming:
        """Warm-up requests of the operator, which count in the pod's raw counters like all."""
        assert self.spec is not None
        behaviour = self.behaviour(pod.revision)
        if not self.runs(pod):
            return Warming()
        requests = WARM_UP_RATE * seconds
        pod.requests += requests
        pod.warmth += seconds
        if pod.warmth > behaviour.warm_after:
            return Warming(True, "POST /predict answered 200 in 20 ms")
        pod.errors += requests * behaviour.cold_errors
        pod.slow += requests
        sentence = "POST /predict answered 200 in 1400 ms, longer than the 200 ms allowed"
        told = self.spec.smoke.warm_up
        timeout = parse_duration(told.timeout) if told is not None else math.inf
        if self.now - self.warming_since[pod.name] < timeout:
            return Warming(None, sentence)
        return Warming(False, f"not warm within {timeout:g}s: {sentence}")

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
        if self.served_by_old:
            self.served["old"] = self.served.get("old", 0) + round(requests)
            return
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
            self.proxied.requests += share
            self.proxied.errors += share * behaviour.errors
            self.proxied.slow += share * behaviour.slow
            self.failed += round(share * behaviour.errors)
            version = self.version_of(pod.revision)
            self.served[version] = self.served.get(version, 0) + round(share)

    def scrape(self, limits: Iterable[float]) -> None:
        """Prometheus answers the poll, or fails to."""
        assert self.spec is not None
        if self.outage is not None:
            self.sample = Sample(at=self.now, pods={}, outage=self.outage)
            return
        if self.spec.analysis.runtime in BY_SERVICE:
            self.sample = self._of_service(limits)
            return
        pods = {
            pod.name: PodCounters(
                requests=pod.requests,
                errors=pod.errors,
                slower={limit: pod.slow if limit <= 1.0 else 0.0 for limit in limits}
                if self.behaviour(pod.revision).timed
                else {},
                p99=None,
            )
            for pod in self.pods
            if (pod.first_request is not None or self.runs(pod))
            and self.version_of(pod.revision) not in self.silent
        }
        self.sample = Sample(
            at=self.now,
            pods=pods,
            histograms={
                each.name: {pod.name: self._scores(pod) for pod in self.pods if pod.name in pods}
                for each in self.spec.analysis.drift
            },
        )

    def _of_service(self, limits: Iterable[float]) -> Sample:
        """What the proxy before the live Service tells; nothing before its first request."""
        counted = self.proxied
        slower = {limit: counted.slow if limit <= 1.0 else 0.0 for limit in limits}
        told = {PROXY: PodCounters(counted.requests, counted.errors, slower)}
        return Sample(at=self.now, pods=told if counted.requests else {}, of_service=True)

    def _scores(self, pod: SimulatedPod) -> dict[float, float]:
        low = 1.0 - self.behaviour(pod.revision).high
        return {0.5: pod.requests * low, 1.0: pod.requests, math.inf: pod.requests}


Event = Callable[[World], None]

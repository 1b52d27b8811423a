"""A proxy counts for the live Service and not for a version: what it has counted is charged to the
version that got all traffic, and only to that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import CheckStatus, Status
from headgate.api.strategy import StrategyType
from headgate.core.attribution import SETTLING
from headgate.core.observation import LiveService, Observation, Pod, Workload
from headgate.core.plan import plan
from headgate.core.revision import revision_of
from headgate.judge import Evidence, PodCounters, Sample, begin
from tests.core.observations import BEFORE, NOW, watched

SCRAPE, AGE = 15.0, 30.0
SPEC = resolve(
    ModelDeploymentSpec.model_validate(
        {
            "model": {"name": "fraud", "version": "2"},
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": "server", "image": "fraud:2"}]}},
            "strategy": {"type": "BlueGreen"},
            "analysis": {
                "runtime": "ingress-nginx",
                "interval": "30s",
                "comparison": {"minSamples": 20},
            },
        }
    )
)
REVISION = revision_of(SPEC)
ONE, TWO = "fraud/ingress-nginx/controller-1", "fraud/ingress-nginx/controller-2"


@dataclass
class Watch:
    """The watch after a switch that has just been made, polled every 15 s. Before it the proxies
    had counted for the other version, in the last poll as `before` says."""

    before: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {ONE: (1_000_000.0, 400_000.0)}
    )
    now: float = NOW
    throughput: float | None = None

    def __post_init__(self) -> None:
        self.counters = dict(self.before)
        preview = replace(
            begin(NOW - 60, None),
            at=NOW - 15,
            stable_at=NOW - 15,
            pods={name: PodCounters(*counted) for name, counted in self.before.items()},
        )
        self.seen: Observation = watched(
            SPEC,
            settled=True,
            evidence=begin(NOW, preview).to_dict(),
            throughput_before=self.throughput,
        )

    def serve(self, proxy: str, requests: float, errors: float = 0.0) -> None:
        """More requests through a proxy."""
        before = self.counters.get(proxy, (0.0, 0.0))
        self.counters[proxy] = (before[0] + requests, before[1] + errors)

    def poll(self, *missing: str, times: int = 1) -> None:
        """Prometheus answers and the planner judges, `times` times."""
        for _ in range(times):
            self.now += SCRAPE
            pods = {
                name: PodCounters(*counted)
                for name, counted in self.counters.items()
                if name not in missing
            }
            sample = Sample(self.now, pods, age=AGE, of_service=True)
            self.seen = replace(self.seen, sample=sample)
            self.seen = replace(self.seen, status=plan(self.seen, self.now).status)

    @property
    def status(self) -> Status:
        """What the last pass came to."""
        return self.seen.status

    @property
    def counted(self) -> tuple[float, float]:
        """The requests and errors that were charged to the new version."""
        assert self.status.release is not None
        evidence = Evidence.from_dict(self.status.release.evidence)
        assert evidence.stable.requests == 0
        return evidence.candidate.requests, evidence.candidate.errors

    def check(self, name: str) -> CheckStatus:
        """One check of the last judgement."""
        assert self.status.analysis is not None
        return next(each for each in self.status.analysis.checks if each.name == name)

    def settle(self) -> None:
        """Until the first poll whose scrape is certainly late enough, which is the baseline."""
        self.poll(times=int((SETTLING + AGE) / SCRAPE))


def test_nothing_is_charged_that_may_have_been_counted_before_the_switch() -> None:
    watch = Watch()
    # Requests between the last poll and the switch, and while the proxy still knew the old pods.
    watch.serve(ONE, 700, 700)
    watch.poll(times=2)
    # A scrape that was slow to arrive: these are old, too.
    watch.serve(ONE, 300, 300)
    watch.poll()
    watch.serve(ONE, 90, 3)
    watch.poll()
    assert watch.counted == (90, 3)
    assert watch.status.phase == "Watching"
    watch.serve(ONE, 10)
    watch.poll()
    assert watch.counted == (100, 3)


def test_a_version_that_fails_after_the_switch_is_found_and_taken_back() -> None:
    watch = Watch()
    watch.settle()
    for _ in range(22):
        watch.serve(ONE, 100, 50)
        watch.poll()
    assert watch.status.rejected is not None
    assert watch.status.rejected.reason == "high_error_rate"


def test_proxies_add_up_and_one_that_was_never_seen_only_tells_where_it_stands() -> None:
    watch = Watch()
    watch.settle()
    watch.serve(ONE, 50, 1)
    # Its scrapes had failed for long: most of this is from before the switch.
    watch.serve(TWO, 500_000, 400_000)
    watch.poll()
    assert watch.counted == (50, 1)
    watch.serve(TWO, 50, 2)
    watch.poll()
    assert watch.counted == (100, 3)


def test_a_proxy_that_was_not_scraped_around_the_switch_is_counted_from_when_it_is_back() -> None:
    watch = Watch({ONE: (1e6, 4e5), TWO: (1e6, 4e5)})
    watch.serve(TWO, 700, 700)
    watch.poll(TWO, times=4)
    watch.poll()
    assert watch.counted == (0, 0)
    watch.serve(TWO, 50, 2)
    watch.poll()
    assert watch.counted == (50, 2)


def test_what_is_gone_with_one_of_several_ingresses_is_no_new_request() -> None:
    watch = Watch()
    watch.settle()
    # The controller drops the series of an Ingress that is deleted; the others keep old errors.
    watch.counters[ONE] = (500_000.0, 390_000.0)
    watch.poll()
    watch.serve(ONE, 40)
    watch.poll()
    assert watch.counted == (40, 0)


def test_a_proxy_that_is_not_scraped_makes_the_throughput_unknown_and_not_zero() -> None:
    watch = Watch({ONE: (1e6, 0.0), TWO: (5.0, 0.0)}, throughput=150.0)
    watch.settle()
    for _ in range(12):
        watch.serve(ONE, 1500)
        watch.poll(ONE)
    assert watch.status.phase == "Watching"
    assert watch.check("zero_throughput").verdict == "Good"
    assert "zero_throughput does not hold: no data" in watch.check("zero_throughput").message
    watch.poll()
    assert watch.counted == (18_000, 0)


def test_a_live_service_without_traffic_is_taken_back_if_it_had_some() -> None:
    watch = Watch(throughput=150.0)
    watch.settle()
    watch.poll(times=10)
    assert watch.status.rejected is not None
    assert watch.status.rejected.reason == "zero_throughput"


def test_nothing_is_counted_while_somebody_else_has_widened_the_service() -> None:
    watch = Watch()
    watch.settle()
    watch.serve(ONE, 50)
    watch.poll()
    pinned = watch.seen.live
    watch.seen = replace(watch.seen, live=LiveService(None, stable=REVISION, previous=BEFORE))
    watch.serve(ONE, 50, 50)
    watch.poll()
    watch.seen = replace(watch.seen, live=pinned)
    watch.poll(times=2)
    # Prometheus may have scraped these before the Service was pinned again.
    watch.serve(ONE, 50, 50)
    watch.poll()
    assert watch.counted == (50, 0)
    watch.serve(ONE, 50)
    watch.poll()
    assert watch.counted == (100, 0)


def test_a_service_that_nobody_counts_is_a_provider_without_data() -> None:
    watch = Watch({})
    watch.settle()
    assert watch.status.analysis is not None
    assert watch.status.analysis.reason == "ProviderDown"
    assert watch.status.analysis.message.startswith(
        "the provider has no request total for the live Service"
    )


def test_a_canary_that_was_stored_before_it_was_refused_is_held_and_says_why() -> None:
    spec = SPEC.model_copy(
        update={
            "replicas": 2,
            "strategy": SPEC.strategy.model_copy(update={"type": StrategyType.CANARY}),
        }
    )
    seen = watched(spec, settled=True)
    assert seen.status.release is not None
    stable = seen.status.previous
    release = seen.status.release.model_copy(update={"stage": "Stepping", "step": 3})
    status = seen.status.model_copy(update={"stable": stable, "previous": None, "release": release})
    pods = (Pod("old", BEFORE, ready=True), Pod("new", seen.revision, ready=True))
    seen = replace(
        seen,
        status=status,
        pods=pods,
        workloads=(Workload(BEFORE, 1), Workload(seen.revision, 1)),
        live=LiveService(None, stable=BEFORE),
    )
    for poll in range(40):
        now = NOW + 3600 * (poll + 1)
        counters = {ONE: PodCounters(1000.0 * poll)}
        sample = Sample(now, counters, age=AGE, of_service=True)
        seen = replace(seen, sample=sample, status=plan(replace(seen, sample=sample), now).status)
    assert (seen.status.phase, seen.status.weight) == ("Progressing", "50%")
    assert seen.status.analysis is not None
    assert seen.status.analysis.message == "ingress-nginx counts both versions together"

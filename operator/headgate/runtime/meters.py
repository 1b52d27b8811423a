"""What the operator measures of itself, for /metrics; docs/metrics.md lists the names.

Nothing here decides. Series of a ModelDeployment exist while a release of it is under way only, so
that their number stays bounded by the releases and not by the objects.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from headgate.api.status import Status
from headgate.core.intents import Note
from headgate.judge import Sample, Verdict
from headgate.kube.snapshot import Snapshot
from headgate.runtime.cache import Key

PASS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
POLL_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
ALERTED = ("Reverting", "RevertFailed", "RuleFailed")
"""Reasons that the chart's rules alert about."""

VERDICTS = {Verdict.GOOD.value: 1.0, Verdict.BAD.value: -1.0}
"""How a verdict reads as a number; every other one is 0."""


class Meters(Collector):
    """The operator's own metrics. `leads` says whether this process makes passes."""

    def __init__(self) -> None:
        self.leads: Callable[[], bool] = lambda: True
        self._statuses: dict[Key, str] = {}
        self._releases: dict[Key, tuple[float, float]] = {}
        self._registry = CollectorRegistry()
        self._ended = Counter(
            "headgate_releases",
            "Releases that have ended, by outcome: Promoted, Failed, Reverted, Aborted, …",
            ["outcome"],
            registry=self._registry,
        )
        self._told = Counter(
            "headgate_alerts",
            "Warnings about releases, by the reason of their Event, such as RevertFailed",
            ["reason"],
            registry=self._registry,
        )
        self._pass_seconds = Histogram(
            "headgate_pass_seconds",
            "Duration of one look at one ModelDeployment",
            buckets=PASS_SECONDS,
            registry=self._registry,
        )
        self._failed = Counter(
            "headgate_pass_failures",
            "Passes that ended in an error and are tried again",
            registry=self._registry,
        )
        self._poll_seconds = Histogram(
            "headgate_poll_seconds",
            "Duration of one poll of a metrics provider for all releases",
            ["provider"],
            buckets=POLL_SECONDS,
            registry=self._registry,
        )
        self._outages = Counter(
            "headgate_poll_outages",
            "Samples that a metrics provider did not give",
            ["provider"],
            registry=self._registry,
        )
        # Prometheus sees no increase in a series that begins above 0.
        for reason in ALERTED:
            self._told.labels(reason)
        for outcome in ("Promoted", "Failed", "Reverted"):
            self._ended.labels(outcome)
        self._registry.register(self)

    def passed(self, seconds: float, failed: bool) -> None:
        """One pass has ended."""
        self._pass_seconds.observe(seconds)
        if failed:
            self._failed.inc()

    def planned(self, key: Key, before: Status, status: Status) -> None:
        """A pass came to a new status."""
        self._statuses[key] = status.phase
        release = status.release
        if release is None:
            self._releases.pop(key, None)
        else:
            self._releases[key] = (status.desired_weight or 0.0, VERDICTS.get(status.verdict, 0.0))
        if before.releases != status.releases and status.releases:
            self._ended.labels(status.releases[-1].outcome).inc()

    def told(self, snapshot: Snapshot, note: Note) -> None:
        """Something became an Event."""
        if note.warning:
            self._told.labels(note.reason).inc()

    def polled(self, provider: str, seconds: float, samples: list[Sample]) -> None:
        """A provider was asked about all releases."""
        self._poll_seconds.labels(provider).observe(seconds)
        outages = sum(1 for sample in samples if sample.outage is not None)
        self._outages.labels(provider).inc(outages)

    def forget(self, key: Key) -> None:
        """A ModelDeployment is gone."""
        self._statuses.pop(key, None)
        self._releases.pop(key, None)

    def text(self) -> bytes:
        """Everything, as Prometheus scrapes it."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What is true at the moment of a scrape."""
        leads = self.leads()
        yield GaugeMetricFamily("headgate_leader", "1 in the process that leads", value=leads)
        phases = GaugeMetricFamily(
            "headgate_model_deployments", "ModelDeployments by phase", labels=["phase"]
        )
        for phase, number in sorted(Tally(self._statuses.values()).items()):
            phases.add_metric([phase], number)
        yield phases
        names = ["namespace", "name"]
        weights = GaugeMetricFamily(
            "headgate_release_weight_percent",
            "Traffic that the candidate of a release under way is to get",
            labels=names,
        )
        verdicts = GaugeMetricFamily(
            "headgate_release_verdict",
            "Verdict on a release under way: 1 Good, -1 Bad, 0 neither yet",
            labels=names,
        )
        for key, (weight, verdict) in sorted(self._releases.items()):
            weights.add_metric(key, weight)
            verdicts.add_metric(key, verdict)
        yield weights
        yield verdicts

"""The words of a verdict: what goes into judging and what comes out of it.

Values only, all frozen. `headgate.metrics` fills `Sample`, `headgate.core` fills `Stage` and
`JudgeSettings` from the spec, `headgate.judge.verdicts` fills `Check` and `Judgement`. Times are
seconds, moments are seconds since the epoch, shares are between 0 and 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from headgate.api.drift import DriftMethod
from headgate.api.judged import OnInconclusive, OnUnknown
from headgate.judge.tally import Requests


class Verdict(StrEnum):
    """The four answers of a check and of a release; `NOT_APPLICABLE` is only a check's."""

    GOOD = "Good"
    BAD = "Bad"
    UNKNOWN = "Unknown"
    NOT_APPLICABLE = "NotApplicable"


class Side(StrEnum):
    """Which version a pod belongs to."""

    STABLE = "stable"
    CANDIDATE = "candidate"


class Metric(StrEnum):
    """What a rule or a condition looks at, in the spelling of the manifest."""

    ERROR_RATE = "errorRate"
    LATENCY_P99 = "latencyP99"
    THROUGHPUT = "throughput"
    GAUGE = "gauge"
    DRIFT = "drift"


class CheckKind(StrEnum):
    """In the watch a Bad rule alerts, a Bad condition reverts; before it each of them reverts."""

    RULE = "rule"
    COMPARISON = "comparison"
    GAUGE = "gauge"
    DRIFT = "drift"
    CONDITION = "condition"


@dataclass(frozen=True)
class PodCounters:
    """One pod's raw counters, since its process started, as Prometheus last scraped them.

    `requests` is None for a pod without a fresh request total: nothing else of it is then used.
    `slower` maps a limit in seconds to the requests slower than it; a limit that is not a key
    could not be read. `p99` is in seconds, for display only.
    """

    requests: float | None
    errors: float = 0.0
    slower: Mapping[float, float] = field(default_factory=dict)
    p99: float | None = None


@dataclass(frozen=True)
class Sample:
    """One poll's answer for one ModelDeployment.

    `at` is the evaluation time of the query. `outage` is one sentence saying why the provider
    could not answer, or None; with an outage `pods` is empty. `boundaries` names, for each limit
    in seconds that is no bucket boundary of the pods' histogram, the boundary that was read
    instead. `age` is how many seconds before `at` a counter in it may have been scraped at most.
    `gauges` maps the name of each gauge to the values of the pods that have one, `histograms` the
    name of each histogram of predictions to its raw cumulative counters of each pod by upper
    boundary, +Inf among them; `unread` says of one of these why it was not read at all. `query` is
    the question, for people. `of_service` says that `pods` are not those of the release, but each
    of them a proxy's pod with what it has counted for the live Service: that is older than the
    release, and is less when one of several ways to the Service is gone.
    """

    at: float
    pods: Mapping[str, PodCounters] = field(default_factory=dict)
    outage: str | None = None
    boundaries: Mapping[float, float] = field(default_factory=dict)
    age: float = 0.0
    gauges: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    histograms: Mapping[str, Mapping[str, Mapping[float, float]]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    of_service: bool = False


@dataclass(frozen=True)
class Stage:
    """Where the release stands when it is judged.

    `compared`: 0 < weight < 100 and both sides have pods. `watching`: after promotion, when the
    candidate side is the live version and a stable side may be missing. `throughput_applies`:
    the live Service met the throughput before the release; `throughput_before`, if it is known,
    is that throughput in requests per second and decides for each limit by itself.
    `hold_over`: the step has been observed for its whole hold; without it no judgement is Good.
    """

    compared: bool = False
    watching: bool = False
    throughput_applies: bool = False
    hold_over: bool = False
    throughput_before: float | None = None


@dataclass(frozen=True)
class Condition:
    """One reason to revert (R9): `metric` beyond `above` or `below` for `duration` seconds.

    The limit is a share of requests for errorRate, seconds for latencyP99 and requests per
    second for throughput. Exactly one of `above` and `below` is set.
    """

    name: str
    metric: Metric
    above: float | None = None
    below: float | None = None
    duration: float = 0.0

    @property
    def limit(self) -> float:
        """The one limit that is set."""
        limit = self.above if self.above is not None else self.below
        return 0.0 if limit is None else limit


MIN_DIFFERENCE = 0.001
"""Shares of bad requests that differ by less are the same to everybody."""


@dataclass(frozen=True)
class Comparison:
    """How the candidate is compared with the concurrent stable version.

    It may be `tolerance` times as bad (1 or more); `alpha` is the probability of a wrong Bad
    (between 0 and 1); Good needs `min_samples` requests of each side. Raises ValueError otherwise.
    """

    tolerance: float = 1.25
    alpha: float = 0.01
    min_samples: float = 300
    min_difference: float = MIN_DIFFERENCE

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tolerance) and self.tolerance >= 1):
            raise ValueError("tolerance must be 1 or more")
        if not 0 < self.alpha < 1:
            raise ValueError("alpha must be between 0 and 1")
        if not self.min_samples >= 0:
            raise ValueError("minSamples must not be negative")


@dataclass(frozen=True)
class Policy:
    """What a result on one metric decides (`headgate.judge.policies`). One that is not `critical`
    takes nothing back, a `dry_run` decides nothing at all. `initial_delay` is in seconds of the
    step."""

    critical: bool = True
    dry_run: bool = False
    initial_delay: float = 0.0
    on_unknown: OnUnknown = OnUnknown.HOLD
    on_inconclusive: OnInconclusive = OnInconclusive.HOLD


@dataclass(frozen=True)
class Gauge:
    """A gauge that is compared with that of stable (`headgate.judge.gauges`). Each side needs
    `min_samples` values; the candidate's median may be `tolerance` times as bad."""

    name: str
    higher_is_worse: bool = True
    tolerance: float = 1.25
    alpha: float = 0.01
    min_samples: int = 20
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True)
class Drift:
    """A histogram of predictions that is compared with that of stable (`headgate.judge.drift`). Bad
    when the effect reaches `threshold` (between 0 and 1) and the corrected p-value is below
    `alpha`; each side needs `min_samples` predictions."""

    name: str
    method: DriftMethod = DriftMethod.KOLMOGOROV_SMIRNOV
    threshold: float = 0.1
    alpha: float = 0.01
    min_samples: int = 300
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True)
class JudgeSettings:
    """The spec's analysis and rollback in seconds and shares; None means the rule is not set.
    `policies` are those of rules and comparisons by metric, `policy` that of all others."""

    interval: float = 60.0
    scrape_interval: float = 15.0
    unknown_timeout: float = 600.0
    error_rate_max: float | None = None
    latency_max: float | None = None
    throughput_min: float | None = None
    conditions: tuple[Condition, ...] = ()
    comparison: Comparison = field(default_factory=Comparison)
    gauges: tuple[Gauge, ...] = ()
    drift: tuple[Drift, ...] = ()
    policies: Mapping[Metric, Policy] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)

    def policy_of(self, metric: Metric) -> Policy:
        """What the author says of a metric."""
        return self.policies.get(metric, self.policy)

    @property
    def latency_limits(self) -> frozenset[float]:
        """Every limit in seconds that the poller has to read a bucket for."""
        limits = {c.limit for c in self.conditions if c.metric is Metric.LATENCY_P99}
        if self.latency_max is not None:
            limits.add(self.latency_max)
        return frozenset(limits)


@dataclass(frozen=True)
class Check:
    """One rule's, comparison's or condition's own result, with the numbers behind it.

    `value` and `limit` are shares of requests (errorRate and latencyP99, whose limit is 0.01) or
    requests per second (throughput); of a comparison the limit is the tolerance. `e` is what the
    verdict rests on, where it is an e-process, Bad from `bad_from` on. `p99` is in seconds, for
    display only. `reason` is what a revert is called (`high_error_rate`, `high_latency`,
    `low_throughput`, `WorseThanStable`, the condition's name) when Bad, else a CamelCase reason.
    """

    name: str
    kind: CheckKind
    metric: Metric
    verdict: Verdict
    reason: str
    sentence: str
    value: float | None
    limit: float
    candidate: Requests
    stable: Requests
    p99: float | None = None
    e: float | None = None
    bad_from: float | None = None
    policy: Policy = field(default_factory=Policy)

    @property
    def takes_back(self) -> bool:
        """Whether it is Bad and that counts."""
        return self.verdict is Verdict.BAD and self.policy.critical and not self.policy.dry_run


@dataclass(frozen=True)
class Judgement:
    """The verdict on the release now; `checks` has every rule's, comparison's and condition's own
    result.

    Good needs every applicable check Good and the hold over. `reason` and `sentence` are those
    of the check that decided, or say what is being waited for.
    """

    verdict: Verdict
    reason: str
    sentence: str
    checks: tuple[Check, ...] = ()

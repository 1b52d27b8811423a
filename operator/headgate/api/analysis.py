"""What of a release is measured, when it counts as bad, and what then takes it back (R8, R9)."""

import math
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, PlainValidator, Strict, StringConstraints, WithJsonSchema

from headgate.api.base import (
    BY_NAME,
    Rule,
    SpecModel,
    different_names,
    is_share,
    longer_than_nothing,
)
from headgate.api.drift import Drift
from headgate.api.gauge import Gauge
from headgate.api.judged import Judged, OnInconclusive
from headgate.api.quantities import (
    DURATION_PATTERN,
    LONGEST_DURATION,
    DnsLabel,
    Duration,
    IntOrPercent,
    parse_duration,
)


class Metric(StrEnum):
    """What Headgate measures of a version."""

    ERROR_RATE = "errorRate"
    LATENCY_P99 = "latencyP99"
    THROUGHPUT = "throughput"


class Level(StrEnum):
    """How closely a release is watched: each level adds rules to the one before (R1)."""

    BASIC = "basic"
    DETAILED = "detailed"
    COMPREHENSIVE = "comprehensive"


class OnProviderDown(StrEnum):
    """What happens when the metrics provider has not answered for long."""

    HOLD = "hold"
    REVERT = "revert"


WITHOUT_LATENCY = frozenset({"triton", "torchserve"})
"""Runtimes without a histogram of latencies: there a latency rule or condition does not apply."""

BY_SERVICE = frozenset({"ingress-nginx"})
"""Runtimes that count by Service and not by pod: they tell two versions apart only by which of them
all traffic goes to."""


class ErrorRateRule(Judged):
    """Limit on the share of requests that fail."""

    admission = (
        Rule(
            "!has(self.max) || (self.max > 0.0 && self.max < 1.0)",
            "errorRate.max is a share between 0 and 1: write 0.05 for 5 %",
            lambda rule: is_share(rule.max),
            field="max",
        ),
    )

    max: float = 0.05
    """Largest share of failed requests, between 0 and 1: 0.05 means 5 %."""


class LatencyRule(Judged):
    """Limit on the time within which 99 of 100 requests are answered."""

    admission = (longer_than_nothing("max", "max"),)

    max: Duration = "1s"
    """Longest time for 99 of 100 requests, such as 500ms or 1s. Best a bucket boundary of the
    model server's histogram; another limit is moved to the nearest boundary, and status says so."""


class ThroughputRule(Judged):
    """Limit below which the live Service answers too few requests."""

    min: float = Field(default=100.0, ge=0)
    """Fewest requests per second of the whole live Service, judged only after promotion, and only
    if they were met before the release."""


class Rules(SpecModel):
    """The limits of a healthy release. A rule that is left out is watched if the level says so."""

    error_rate: ErrorRateRule | None = None
    """Share of failed requests; watched at every level."""
    latency_p99: LatencyRule | None = None
    """Time for 99 of 100 requests; watched from level detailed on."""
    throughput: ThroughputRule | None = None
    """Requests per second; watched at level comprehensive."""


class Comparison(SpecModel):
    """How the candidate is compared with the stable version that serves beside it."""

    admission = (
        Rule(
            "!has(self.tolerance) || self.tolerance >= 1.0",
            "comparison.tolerance is at least 1: 1.25 lets the candidate be a quarter worse",
            lambda comparison: comparison.tolerance >= 1.0,
            field="tolerance",
        ),
        Rule(
            "!has(self.alpha) || (self.alpha > 0.0 && self.alpha < 1.0)",
            "comparison.alpha is a probability between 0 and 1: write 0.01 for 1 %",
            lambda comparison: is_share(comparison.alpha),
            field="alpha",
        ),
    )

    tolerance: float = 1.25
    """How many times worse than stable the candidate may be, at least 1."""
    alpha: float = 0.01
    """Chance of calling a healthy candidate bad that you accept, between 0 and 1."""
    min_samples: int = Field(default=300, ge=1, le=10_000_000)
    """Requests that each side must have answered in a step before the step can be good."""


class Analysis(SpecModel):
    """How a release is measured and judged."""

    admission = (
        longer_than_nothing("interval", "interval"),
        longer_than_nothing("unknownTimeout", "unknown_timeout"),
        longer_than_nothing("maxHold", "max_hold"),
        different_names("analysis", "gauges"),
        different_names("analysis", "drift"),
    )

    provider: DnsLabel = "default"
    """Name of a metrics provider that the administrator configured; never an address."""
    runtime: DnsLabel = "http"
    """Preset of metric names that fits the model server, or the proxy before it: http, triton,
    vllm, torchserve, mlserver, bentoml, ray-serve, istio, envoy or ingress-nginx. Triton and
    TorchServe have no histogram of latencies, so there latencyP99 does not apply. ingress-nginx
    counts both versions together, so it needs strategy.type BlueGreen and judges the watch."""
    level: Annotated[Level, Strict(False)] | None = None
    """How closely to watch: basic judges errorRate, detailed adds latencyP99, comprehensive adds
    throughput. The environment decides when it is left out; without one it is detailed."""
    interval: Duration = "1m"
    """How often the rules are evaluated and recorded."""
    unknown_timeout: Duration = "10m"
    """How long the candidate may have no usable data, while stable has, before it is reverted."""
    max_hold: Duration | None = None
    """How long a step may go on, its hold included, while requests are too few or too ambiguous for
    a verdict, before onInconclusive applies. Left out, four times the hold."""
    on_inconclusive: Annotated[OnInconclusive, Strict(False)] = OnInconclusive.HOLD
    """What happens then: hold waits for a person or for more requests, advance goes on to the next
    step, revert takes the release back. A Bad verdict always reverts."""
    on_provider_down: Annotated[OnProviderDown, Strict(False)] = OnProviderDown.HOLD
    """What happens when the provider has not answered for unknownTimeout before the release is
    promoted: hold waits for it, revert takes the release back."""
    rules: Rules = Field(default_factory=Rules)
    """Limits of a healthy release."""
    comparison: Comparison = Field(default_factory=Comparison)
    """Comparison of the candidate with stable while both serve."""
    gauges: list[Gauge] = Field(
        default_factory=list,
        max_length=8,
        json_schema_extra=BY_NAME,
    )
    """Gauges to compare with those of stable, beside errors and latency."""
    drift: list[Drift] = Field(
        default_factory=list,
        max_length=4,
        json_schema_extra=BY_NAME,
    )
    """Histograms of predictions to compare with those of stable."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _limit(value: object) -> float | str:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    if isinstance(value, str):
        parse_duration(value)
        return value
    raise ValueError(f"{value!r} is neither a number nor a duration such as 5s")


# A structural schema has no "number or string", and int-or-string refuses 0.1. An untyped field
# may hold anything, so what is neither number nor string is excluded by value.
_LIMIT_SCHEMA: dict[str, Any] = {
    "x-kubernetes-preserve-unknown-fields": True,
    "minimum": 0,
    "pattern": DURATION_PATTERN,
    "maxLength": LONGEST_DURATION,
    "maxItems": 0,
    "maxProperties": 0,
    "not": {"enum": [True, False, [], {}]},
}
Limit = Annotated[float | str, PlainValidator(_limit), WithJsonSchema(_LIMIT_SCHEMA)]
"""A number, or for a latency a duration."""


def _either(*choices: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"properties": choice} for choice in choices]}


def _metric_is(*metrics: Metric) -> dict[str, Any]:
    return {"metric": {"enum": [metric.value for metric in metrics]}}


def _limits_are(bounds: dict[str, Any]) -> dict[str, Any]:
    return {"above": bounds, "below": bounds}


# CEL cannot see an untyped field, so what the rules of Condition say is said here once more. A
# length of 0 lets only numbers through, and a maximum below 0 only strings. Of the choices that
# fail, the server reports the one with more fields that pass: _REPORTED picks the one to read.
_REPORTED: dict[str, Any] = {"for": {"minLength": 1}}
_CONDITION_SCHEMA: dict[str, Any] = {
    "oneOf": [{"required": ["above"]}, {"required": ["below"]}],
    "allOf": [
        _either(_metric_is(Metric.LATENCY_P99) | _REPORTED, _limits_are({"maxLength": 0})),
        _either(
            _metric_is(Metric.ERROR_RATE, Metric.THROUGHPUT) | _REPORTED,
            _limits_are({"maximum": -1}),
        ),
        _either(
            _metric_is(Metric.LATENCY_P99, Metric.THROUGHPUT),
            _limits_are({"maximum": 1}) | _REPORTED,
        ),
    ],
}


def _fits_metric(condition: "Condition") -> bool:
    for limit in (condition.above, condition.below):
        if limit is None:
            continue
        if _is_number(limit) == (condition.metric is Metric.LATENCY_P99):
            return False
        if condition.metric is Metric.ERROR_RATE and not 0 <= float(limit) <= 1:
            return False
    return True


class Condition(SpecModel):
    """A state of the candidate that reverts the release once it has held for a whole duration."""

    model_config = ConfigDict(json_schema_extra=_CONDITION_SCHEMA)

    admission = (
        Rule(
            None,
            "a condition needs exactly one of above and below",
            lambda condition: (condition.above is None) != (condition.below is None),
        ),
        Rule(
            None,
            "above and below are a share from 0 to 1 for errorRate, a duration such as 5s for "
            "latencyP99, and a number of requests per second for throughput",
            _fits_metric,
        ),
    )

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z]([a-z0-9_-]*[a-z0-9])?$", min_length=1, max_length=63),
    ]
    """Name under which a revert reports this condition, such as high_error_rate."""
    metric: Annotated[Metric, Strict(False)]
    """What is measured: errorRate, latencyP99 or throughput."""
    above: Limit | None = None
    """The condition holds while the metric is above this limit: a share such as 0.1 for errorRate,
    a duration such as 5s for latencyP99, requests per second for throughput."""
    below: Limit | None = None
    """The condition holds while the metric is below this limit; spelled as in above."""
    duration: Duration = Field(alias="for")
    """How long it must hold without a break before the release is reverted."""

    @property
    def limit(self) -> float:
        """The limit in the metric's own unit: a share, seconds, or requests per second."""
        limit = self.above if self.above is not None else self.below
        if isinstance(limit, str):
            return parse_duration(limit)
        return float(limit or 0)


def default_conditions() -> list[Condition]:
    """The conditions of R9."""
    return [
        Condition(name="high_error_rate", metric=Metric.ERROR_RATE, above=0.1, duration="5m"),
        Condition(name="extreme_latency", metric=Metric.LATENCY_P99, above="5s", duration="3m"),
        Condition(name="zero_throughput", metric=Metric.THROUGHPUT, below=1.0, duration="2m"),
    ]


class Rollback(SpecModel):
    """When a release is taken back by itself, and how carefully."""

    admission = (different_names("rollback", "conditions"),)

    conditions: list[Condition] = Field(
        default_factory=default_conditions,
        max_length=16,
        json_schema_extra=BY_NAME,
    )
    """Conditions that revert the release. Left out: high_error_rate (errorRate above 0.1 for 5m),
    extreme_latency (latencyP99 above 5s for 3m) and zero_throughput (below 1 for 2m); an empty list
    means none."""
    revert_floor: IntOrPercent = "50%"
    """Ready stable pods, as a number or a share of the replicas, from which a revert pins all
    traffic to them at once."""


class Watch(SpecModel):
    """The time after promotion in which a release can still fail."""

    duration: Duration = "60m"
    """How long the promoted version is watched."""
    keep_previous: IntOrPercent | None = None
    """The most pods of the previous version, as a number or a share of the replicas, that are kept
    after promotion, so that going back needs no start. Left out, those of the step before: all of
    them after a blue/green switch. Under strategy.capacity Swap there are none."""
    keep_for: Duration | None = None
    """How long they are kept; it may be longer than the watch. The next release ends it. Left out,
    as long as the watch."""

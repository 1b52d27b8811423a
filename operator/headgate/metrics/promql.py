"""PromQL from structured parts: nothing that an author wrote reaches a query unescaped.

Every selector carries the matchers of `headgate.metrics.subjects`, of namespace and pod as a rule.
`counters`, `quantiles` and `boundaries` are the three questions that are asked;
`headgate.metrics.readings` reads the rows.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headgate.metrics.presets import Preset
    from headgate.metrics.subjects import Where

KIND = "headgate_kind"
"""The label that tells the rows of one answer apart: requests, errors or bucket."""

PART = "headgate_part"

SCRAPED_BY = (
    "job",
    "instance",
    "endpoint",
    "service",
    "prometheus",
    "prometheus_replica",
    "replica",
)
"""Labels that tell only by which way a series was scraped."""

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_ESCAPED = r"\\\g<0>"


@dataclass(frozen=True, order=True)
class Matcher:
    """A label matcher; `operator` is one of `=`, `!=`, `=~`, `!~`, `value` is not yet quoted."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{quote(self.value)}"


def quote(value: str) -> str:
    """A PromQL string literal."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def one_of(label: str, values: Iterable[str]) -> Matcher:
    """A matcher for exactly these values, in the form that Prometheus looks up without scanning."""
    alternatives = (_SPECIAL.sub(_ESCAPED, value) for value in sorted(set(values)))
    return Matcher(label, "=~", "|".join(alternatives))


def beginning_with(label: str, value: str) -> Matcher:
    """A matcher for all values that begin with this one."""
    return Matcher(label, "=~", f"{_SPECIAL.sub(_ESCAPED, value)}.*")


@dataclass(frozen=True, order=True)
class Series:
    """A metric, the labels that its server puts on it, and which of its series are meant."""

    name: str
    labels: tuple[str, ...]
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, order=True)
class Query:
    """PromQL that an author wrote, where the administrator allows it."""

    text: str


def counters(
    preset: "Preset",
    names: Collection[tuple[str, str]],
    limits: Collection[float],
    oldest: float,
) -> str:
    """Raw counters of all pods in one question: requests, errors and the buckets of `limits`.

    `names` are (namespace, name) of the pods or Services that the preset's counters count for,
    limits are in seconds. One question, so that no scrape falls between its parts: a scrape that
    adds errors before it adds requests would read as a fault. A sample older than `oldest` seconds
    is left out. Per pod the highest of duplicate series counts.
    """
    return _counters(preset, preset.subject.where(names), limits, oldest)


def shown(
    preset: "Preset", namespace: str, name: str, limits: Collection[float], oldest: float
) -> str:
    """The same question about one ModelDeployment alone, for people to ask it themselves."""
    return _counters(preset, preset.subject.shown(namespace, name), limits, oldest)


def _counters(preset: "Preset", where: "Where", limits: Collection[float], oldest: float) -> str:
    parts = [
        _kind("requests", _sum(preset, preset.requests, where, oldest)),
        _kind("errors", _sum(preset, preset.failed, where, oldest)),
    ]
    if limits and preset.buckets is not None:
        boundaries = _le([round(limit / preset.unit, 9) for limit in limits])
        bounded = tuple((*matchers, boundaries) for matchers in where)
        found = _fresh(preset.buckets, bounded, oldest)
        parts.append(_kind("bucket", _added_up(preset, found, preset.buckets.labels, "le")))
    return " or ".join(parts)


def native(
    preset: "Preset",
    pods: Collection[tuple[str, str]],
    limits: Collection[float],
    oldest: float,
) -> str:
    """The same rows as the bucket rows of `counters`, of pods with a native histogram: all requests
    as +Inf, and those within each limit, interpolated in the bucket that the limit falls in.
    Raises ValueError when the preset has no histogram."""
    whole = _whole(_histogram(preset))
    found = _fresh(whole, preset.subject.where(pods), oldest)
    counted = f"histogram_count({found})"
    parts = [_within(preset, "+Inf", counted, whole)]
    for limit in sorted(limits):
        boundary = format(round(limit / preset.unit, 9), ".15g")
        share = f"histogram_fraction(-Inf, {boundary}, {found})"
        parts.append(_within(preset, boundary, f"{counted} * {share}", whole))
    return _kind("bucket", f"({' or '.join(parts)})")


def _whole(buckets: Series) -> Series:
    """The native histogram that has the name of these classic buckets."""
    return replace(buckets, name=buckets.name.removesuffix("_bucket"))


def _within(preset: "Preset", boundary: str, count: str, series: Series) -> str:
    counted = _added_up(preset, count, series.labels)
    return f'label_replace({counted}, "le", "{boundary}", "", "")'


def gauge(series: Series, pods: Collection[tuple[str, str]], oldest: float) -> str:
    """Each pod's value of a gauge, the mean of its series; none older than `oldest` seconds."""
    return f"avg by (namespace, pod) ({_fresh(series, of_pods(pods), oldest)})"


def histogram(series: Series, pods: Collection[tuple[str, str]], oldest: float) -> str:
    """Each pod's raw cumulative counters of a histogram by bucket, added up over its series.

    Labels that only say who scraped it are dropped first, so that a pod that is scraped twice
    counts once.
    """
    buckets = Series(f"{series.name}_bucket", (), series.matchers)
    once = f"max without ({', '.join(SCRAPED_BY)}) ({_fresh(buckets, of_pods(pods), oldest)})"
    return f"sum by (namespace, pod, le) ({once})"


def quantiles(preset: "Preset", names: Collection[tuple[str, str]], window: float) -> str:
    """Each pod's p99 over the last `window` seconds in the preset's unit, interpolated inside a
    bucket: for display. Raises ValueError when the preset has no histogram."""
    buckets, where = _histogram(preset), preset.subject.where(names)
    rates = _added_up(preset, _rates(buckets, where, window), buckets.labels, "le")
    # Of native histograms there is no maximum; a pod that is scraped twice has the same quantile.
    by = ", ".join(preset.subject.labels)
    natives = f"sum by ({by}) ({_rates(_whole(buckets), where, window)})"
    return f"histogram_quantile(0.99, {rates}) or histogram_quantile(0.99, {natives})"


def boundaries(preset: "Preset", names: Collection[tuple[str, str]]) -> str:
    """The bucket boundaries of each pod's histogram, one row each. Raises ValueError when the
    preset has none."""
    by = ", ".join((*preset.subject.labels, "le"))
    buckets, where = _histogram(preset), preset.subject.where(names)
    return f"count by ({by}) ({' or '.join(_selector(buckets, each) for each in where)})"


def of_pods(pods: Collection[tuple[str, str]]) -> "Where":
    """Matchers of the series that a scrape gave the namespace and the name of one of the pods."""
    namespaces = one_of("namespace", (namespace for namespace, _ in pods))
    return ((namespaces, one_of("pod", (pod for _, pod in pods))),)


def _histogram(preset: "Preset") -> Series:
    if preset.buckets is None:
        raise ValueError("this runtime has no histogram of latencies")
    return preset.buckets


def _sum(preset: "Preset", several: Sequence[Series], where: "Where", oldest: float) -> str:
    """Of each pod the sum of several metrics."""
    parts = [_added_up(preset, _fresh(each, where, oldest), each.labels) for each in several]
    if len(parts) == 1:
        return parts[0]
    # `or` leaves out what has the labels of what is there already.
    apart = " or ".join(
        f'label_replace({part}, "{PART}", "{number}", "", "")' for number, part in enumerate(parts)
    )
    return f"sum by ({', '.join(preset.subject.labels)}) ({apart})"


def _le(limits: Collection[float]) -> Matcher:
    # Client libraries spell a boundary "1" or "1.0", and very small ones with an exponent.
    spellings = {"+Inf"}
    for limit in limits:
        spellings |= {repr(float(limit)), format(limit, ".15g")}
    return one_of("le", spellings)


def _selector(series: Series, where: Iterable[Matcher]) -> str:
    matchers = ",".join(str(matcher) for matcher in (*where, *series.matchers))
    return f"{series.name}{{{matchers}}}"


def _fresh(series: Series, where: "Where", oldest: float) -> str:
    """The last samples not older than `oldest` seconds.

    Not `last_over_time`: that overlooks staleness markers, so after a restart the error series
    of the old process would still be added to the new one's total.
    """
    selectors = [_selector(series, matchers) for matchers in where]
    return " or ".join(
        f"({selector} and (time() - timestamp({selector}) <= {oldest:g}))" for selector in selectors
    )


def _rates(series: Series, where: "Where", window: float) -> str:
    over = f"[{_duration(window)}]"
    return " or ".join(f"rate({_selector(series, matchers)}{over})" for matchers in where)


def _added_up(preset: "Preset", series: str, labels: tuple[str, ...], *kept: str) -> str:
    """Of each pod the sum over the labels that its server puts on a series."""
    apart = preset.subject.labels
    by = ", ".join((*apart, *kept))
    deduplicated = ", ".join((*apart, *labels, *kept))
    return f"sum by ({by}) (max by ({deduplicated}) ({series}))"


def _kind(kind: str, series: str) -> str:
    return f'label_replace({series}, "{KIND}", "{kind}", "", "")'


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))}s"

"""PromQL from structured parts: nothing that an author wrote reaches a query unescaped.

Every selector carries the matchers of namespace and pod. `counters`, `quantiles` and
`boundaries` are the three questions that are asked; `headgate.metrics.readings` reads the rows.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headgate.metrics.presets import Preset

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
    pods: Collection[tuple[str, str]],
    limits: Collection[float],
    oldest: float,
) -> str:
    """Raw counters of all pods in one question: requests, errors and the buckets of `limits`.

    `pods` are (namespace, name), limits are in seconds. One question, so that no scrape falls
    between its parts: a scrape that adds errors before it adds requests would read as a fault. A
    sample older than `oldest` seconds is left out. Per pod the highest of duplicate series counts.
    """
    return _counters(preset, _where(pods), limits, oldest)


def shown(
    preset: "Preset", namespace: str, name: str, limits: Collection[float], oldest: float
) -> str:
    """The same question about one ModelDeployment alone, for people to ask it themselves: its pods
    are those whose names begin with its own."""
    pods = Matcher("pod", "=~", f"{_SPECIAL.sub(_ESCAPED, name)}-.*")
    return _counters(preset, (Matcher("namespace", "=", namespace), pods), limits, oldest)


def _counters(
    preset: "Preset", where: tuple[Matcher, ...], limits: Collection[float], oldest: float
) -> str:
    parts = [
        _kind("requests", _sum(preset.requests, where, oldest)),
        _kind("errors", _sum(preset.failed, where, oldest)),
    ]
    if limits and preset.buckets is not None:
        boundaries = _le([round(limit / preset.unit, 9) for limit in limits])
        found = _fresh(preset.buckets, (*where, boundaries), oldest)
        parts.append(_kind("bucket", _per_pod(found, preset.buckets.labels, "le")))
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
    found = _fresh(whole, _where(pods), oldest)
    counted = f"histogram_count({found})"
    parts = [_within("+Inf", counted, whole)]
    for limit in sorted(limits):
        boundary = format(round(limit / preset.unit, 9), ".15g")
        share = f"histogram_fraction(-Inf, {boundary}, {found})"
        parts.append(_within(boundary, f"{counted} * {share}", whole))
    return _kind("bucket", f"({' or '.join(parts)})")


def _whole(buckets: Series) -> Series:
    """The native histogram that has the name of these classic buckets."""
    return replace(buckets, name=buckets.name.removesuffix("_bucket"))


def _within(boundary: str, count: str, series: Series) -> str:
    return f'label_replace({_per_pod(count, series.labels)}, "le", "{boundary}", "", "")'


def gauge(series: Series, pods: Collection[tuple[str, str]], oldest: float) -> str:
    """Each pod's value of a gauge, the mean of its series; none older than `oldest` seconds."""
    return f"avg by (namespace, pod) ({_fresh(series, _where(pods), oldest)})"


def histogram(series: Series, pods: Collection[tuple[str, str]], oldest: float) -> str:
    """Each pod's raw cumulative counters of a histogram by bucket, added up over its series.

    Labels that only say who scraped it are dropped first, so that a pod that is scraped twice
    counts once.
    """
    buckets = Series(f"{series.name}_bucket", (), series.matchers)
    once = f"max without ({', '.join(SCRAPED_BY)}) ({_fresh(buckets, _where(pods), oldest)})"
    return f"sum by (namespace, pod, le) ({once})"


def quantiles(preset: "Preset", pods: Collection[tuple[str, str]], window: float) -> str:
    """Each pod's p99 over the last `window` seconds in the preset's unit, interpolated inside a
    bucket: for display. Raises ValueError when the preset has no histogram."""
    buckets = _histogram(preset)
    over = f"[{_duration(window)}]"
    rates = f"rate({_selector(buckets, _where(pods))}{over})"
    # Of native histograms there is no maximum; a pod that is scraped twice has the same quantile.
    natives = f"rate({_selector(_whole(buckets), _where(pods))}{over})"
    return (
        f"histogram_quantile(0.99, {_per_pod(rates, buckets.labels, 'le')})"
        f" or histogram_quantile(0.99, sum by (namespace, pod) ({natives}))"
    )


def boundaries(preset: "Preset", pods: Collection[tuple[str, str]]) -> str:
    """The bucket boundaries of each pod's histogram, one row each. Raises ValueError when the
    preset has none."""
    return f"count by (namespace, pod, le) ({_selector(_histogram(preset), _where(pods))})"


def _histogram(preset: "Preset") -> Series:
    if preset.buckets is None:
        raise ValueError("this runtime has no histogram of latencies")
    return preset.buckets


def _sum(several: Sequence[Series], where: tuple[Matcher, ...], oldest: float) -> str:
    """Of each pod the sum of several metrics."""
    parts = [_per_pod(_fresh(each, where, oldest), each.labels) for each in several]
    if len(parts) == 1:
        return parts[0]
    # `or` leaves out what has the labels of what is there already.
    apart = " or ".join(
        f'label_replace({part}, "{PART}", "{number}", "", "")' for number, part in enumerate(parts)
    )
    return f"sum by (namespace, pod) ({apart})"


def _where(pods: Collection[tuple[str, str]]) -> tuple[Matcher, ...]:
    namespaces = one_of("namespace", (namespace for namespace, _ in pods))
    return namespaces, one_of("pod", (pod for _, pod in pods))


def _le(limits: Collection[float]) -> Matcher:
    # Client libraries spell a boundary "1" or "1.0", and very small ones with an exponent.
    spellings = {"+Inf"}
    for limit in limits:
        spellings |= {repr(float(limit)), format(limit, ".15g")}
    return one_of("le", spellings)


def _selector(series: Series, where: Iterable[Matcher]) -> str:
    matchers = ",".join(str(matcher) for matcher in (*where, *series.matchers))
    return f"{series.name}{{{matchers}}}"


def _fresh(series: Series, where: Iterable[Matcher], oldest: float) -> str:
    """The last samples not older than `oldest` seconds.

    Not `last_over_time`: that overlooks staleness markers, so after a restart the error series
    of the old process would still be added to the new one's total.
    """
    selector = _selector(series, where)
    return f"({selector} and (time() - timestamp({selector}) <= {oldest:g}))"


def _per_pod(series: str, labels: tuple[str, ...], *kept: str) -> str:
    by = ", ".join(("namespace", "pod", *kept))
    deduplicated = ", ".join(("namespace", "pod", *labels, *kept))
    return f"sum by ({by}) (max by ({deduplicated}) ({series}))"


def _kind(kind: str, series: str) -> str:
    return f'label_replace({series}, "{KIND}", "{kind}", "", "")'


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))}s"

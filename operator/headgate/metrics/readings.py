"""From rows to samples: which pod has which counters, and what is missing.

Pure. Whatever is no finite number, or is there twice where one is meant, is missing. A pod
without a request total is missing as a whole; one with a total and no failed series has no
failures, because a labelled counter does not exist before its first event.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from headgate.judge import PodCounters, Sample
from headgate.metrics.client import Row
from headgate.metrics.promql import KIND
from headgate.metrics.subjects import PODS, Pod, Subject, owner


@dataclass
class PodReadings:
    """What one answer says about one pod; None marks a value that cannot be used."""

    requests: float | None = None
    errors: float | None = 0.0
    buckets: dict[float, float | None] = field(default_factory=dict)


def read_counters(
    rows: Iterable[Row], names: frozenset[Pod], unit: float = 1.0, subject: Subject = PODS
) -> dict[Pod, PodReadings]:
    """The readings of all counters for the pods or Services asked for, from the answer to
    `promql.counters`; boundaries come in `unit` seconds."""
    readings: dict[Pod, PodReadings] = {}
    values: dict[tuple[str, ...], float | None] = {}
    for row in rows:
        labels = row.metric
        pod = subject.counter(labels)
        if owner(pod) not in names:
            continue
        kind = labels.get(KIND, "")
        key, value = (*pod, kind, labels.get("le", "")), _count(row)
        again = key in values
        if again:
            value = subject.of_two(values[key], value)
        values[key] = value
        of_pod = readings.setdefault(pod, PodReadings())
        if kind == "requests":
            of_pod.requests = value
        elif kind == "errors":
            of_pod.errors = value
        elif kind == "bucket" and (boundary := _boundary(row, unit)) is not None:
            # The spellings "1" and "1.0" are one boundary, of two exporters.
            of_pod.buckets[boundary] = value if again or boundary not in of_pod.buckets else None
    return readings


def read_gauge(rows: Iterable[Row]) -> dict[Pod, float]:
    """Each pod's value, from the answer to `promql.gauge`; below 0 it may be."""
    return {PODS.counter(row.metric): row.value[1] for row in rows if math.isfinite(row.value[1])}


def read_histogram(rows: Iterable[Row]) -> dict[Pod, dict[float, float]]:
    """Each pod's cumulative counters by boundary, from the answer to `promql.histogram`. What
    cannot be read is not there; of two spellings of a boundary the first is."""
    found: dict[Pod, dict[float, float]] = {}
    for row in rows:
        boundary, value = _boundary(row, 1.0), _count(row)
        if boundary is not None and value is not None:
            found.setdefault(PODS.counter(row.metric), {}).setdefault(boundary, value)
    return found


def read_quantiles(
    rows: Iterable[Row], unit: float = 1.0, subject: Subject = PODS
) -> dict[Pod, float]:
    """Each pod's p99 in seconds, where there is one; the rows are in `unit` seconds."""
    return {
        subject.counter(row.metric): value * unit
        for row in rows
        if (value := _count(row)) is not None
    }


def read_boundaries(
    rows: Iterable[Row], unit: float = 1.0, subject: Subject = PODS
) -> dict[Pod, tuple[float, ...]]:
    """Each pod's finite bucket boundaries in seconds, in order; the rows are in `unit` seconds."""
    found: dict[Pod, set[float]] = {}
    for row in rows:
        boundary = _boundary(row, unit)
        if boundary is not None and math.isfinite(boundary):
            found.setdefault(subject.counter(row.metric), set()).add(boundary)
    return {pod: tuple(sorted(boundaries)) for pod, boundaries in found.items()}


def snap(limit: float, boundaries: tuple[float, ...]) -> float:
    """The boundary to judge `limit` at: the next one above it, else the highest there is.

    Above, because a request slower than that was certainly slower than the limit: a healthy
    version is not blamed for how its histogram was cut. 0.3 in (0.1, 0.25, 0.5) -> 0.5.
    """
    above = [boundary for boundary in boundaries if boundary >= limit]
    return above[0] if above else boundaries[-1]


def lacks_boundary(reading: PodReadings, limits: Iterable[float]) -> bool:
    """Whether the pod has a histogram, but no bucket that ends at one of the limits."""
    return math.inf in reading.buckets and any(n not in reading.buckets for n in limits)


def sample(
    at: float,
    namespace: str,
    names: Collection[str],
    limits: Iterable[float],
    readings: Mapping[Pod, PodReadings],
    layouts: Mapping[Pod, tuple[float, ...]],
    quantiles: Mapping[Pod, float],
    age: float = 0.0,
    gauges: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    histograms: Mapping[str, Mapping[str, Mapping[float, float]]] = MappingProxyType({}),
    unread: Mapping[str, str] = MappingProxyType({}),
    query: str = "",
    of_service: bool = False,
) -> Sample:
    """One ModelDeployment's sample; `names` are those of the counters that it is made of,
    `layouts` the boundaries of those whose limits are none, `age` how many seconds old they are at
    most, `gauges` and `histograms` the values of each by its name, `unread` why one of them was not
    read, `query` what people can ask."""
    counters: dict[str, PodCounters] = {}
    snapped: dict[float, float] = {}
    for name in sorted(names):
        pod = (namespace, name)
        reading = readings.get(pod)
        if reading is None or reading.requests is None or reading.errors is None:
            continue
        slower: dict[float, float] = {}
        for limit in limits:
            exact = limit in reading.buckets or not layouts.get(pod)
            boundary = limit if exact else snap(limit, layouts[pod])
            count = _slower(reading, boundary)
            if count is not None:
                slower[limit] = count
                if boundary != limit:
                    snapped[limit] = max(boundary, snapped.get(limit, 0.0))
        counters[name] = PodCounters(
            requests=reading.requests,
            errors=reading.errors,
            slower=slower,
            p99=quantiles.get(pod),
        )
    return Sample(
        at=at,
        pods=counters,
        boundaries=snapped,
        age=age,
        gauges=dict(gauges),
        histograms=dict(histograms),
        unread=dict(unread),
        query=query,
        of_service=of_service,
    )


def _slower(reading: PodReadings, boundary: float) -> float | None:
    if not reading.buckets and reading.requests == 0:
        return 0.0
    everything, within = reading.buckets.get(math.inf), reading.buckets.get(boundary)
    if everything is None or within is None:
        return None
    return max(0.0, everything - within)


def _count(row: Row) -> float | None:
    value = row.value[1]
    return value if math.isfinite(value) and value >= 0 else None


def _boundary(row: Row, unit: float) -> float | None:
    try:
        # Rounded, for 0.3 is not 300 times 0.001 to a machine.
        boundary = round(float(row.metric.get("le", "")) * unit, 9)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(boundary) else boundary

"""Presets of metric names: what a model server of a known runtime calls its metrics.

`analysis.runtime` of a ModelDeployment names one. The labels listed are those that a server
itself puts on a series, so that whatever else distinguishes two series (the scraping job, the
Service, the Prometheus replica) marks a duplicate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from headgate.metrics.promql import Matcher


@dataclass(frozen=True)
class Preset:
    """Names of one runtime's metrics.

    `requests` is a counter of all requests and `failed` picks its failed ones; `labels` are
    its own labels. `buckets` is the histogram of latencies in seconds, with `bucket_labels`.
    """

    requests: str
    labels: tuple[str, ...]
    failed: tuple[Matcher, ...]
    buckets: str
    bucket_labels: tuple[str, ...]


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "http": Preset(
            requests="http_requests_total",
            labels=("method", "handler", "status"),
            failed=(Matcher("status", "=~", "5.."),),
            buckets="http_request_duration_seconds_bucket",
            bucket_labels=("method", "handler"),
        )
    }
)


def unknown(name: str) -> str:
    """The sentence for a runtime that has no preset."""
    return f'runtime "{name}" has no preset of metric names; there are: {", ".join(PRESETS)}'

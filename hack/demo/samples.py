"""What Prometheus stored of a version: when its first bad sample was taken.

The questions are plain range selectors, whose answer is every stored sample with its own time, so
that nothing is interpolated. `first_bad` is pure; `ask` reaches Prometheus through the API server.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hack.cluster import Cluster
from hack.demo.stories import NAMESPACE

SLOW = "1.0"
"""The limit of the manifests' latency rule in seconds, as Prometheus spells that bucket."""
_PROXY = "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query"


@dataclass(frozen=True)
class Series:
    """The samples of one pod: (epoch seconds, value), in the order of time."""

    pod: str
    samples: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Stored:
    """The series that can show that a version is bad, one for each pod and status; those that were
    not asked for are empty."""

    errors: tuple[Series, ...] = ()
    requests: tuple[Series, ...] = ()
    quick: tuple[Series, ...] = ()
    up: tuple[Series, ...] = ()
    started: tuple[Series, ...] = ()


def questions(story: str, revision: str, seconds: int, *, crashes: bool) -> dict[str, str]:
    """The queries over the last `seconds`, by field of `Stored`: for a version that crashes whether
    its pods are up, for another one its errors and its slow answers."""
    pods = f'namespace="{NAMESPACE}",pod=~"{story}-{revision}-.+"'
    duration = "http_request_duration_seconds"
    if crashes:
        return {
            "up": f"up{{{pods}}}[{seconds}s]",
            "started": f"process_start_time_seconds{{{pods}}}[{seconds}s]",
        }
    return {
        "errors": f'http_requests_total{{{pods},status=~"5.."}}[{seconds}s]',
        "requests": f"{duration}_count{{{pods}}}[{seconds}s]",
        "quick": f'{duration}_bucket{{{pods},le="{SLOW}"}}[{seconds}s]',
    }


def ask(cluster: Cluster, story: str, revision: str, seconds: int, *, crashes: bool) -> Stored:
    """Ask Prometheus; raises ClusterError when it does not answer, ValueError when it refuses."""
    wanted = questions(story, revision, seconds, crashes=crashes)
    return Stored(
        **{
            name: parse(
                json.loads(cluster.kubectl("get", "--raw", f"{_PROXY}?query={quote(text)}"))
            )
            for name, text in wanted.items()
        }
    )


def parse(answer: Mapping[str, Any]) -> tuple[Series, ...]:
    """Prometheus' answer to a range selector; raises ValueError for anything else."""
    if answer.get("status") != "success" or answer["data"]["resultType"] != "matrix":
        raise ValueError(f"Prometheus answered {answer.get('error', 'something else')}")
    return tuple(
        Series(
            series["metric"].get("pod", ""),
            tuple((float(at), float(value)) for at, value in series["values"]),
        )
        for series in answer["data"]["result"]
    )


def first_bad(stored: Stored, since: float, until: float) -> float | None:
    """When the first sample was taken that shows a bad version: an error counted, a request slower
    than the limit counted, or a pod that was up and is down or has started again.

    Only samples from `since` to `until` count (epoch seconds): pods are down before they serve and
    after they were taken away, too.
    """
    found = (*_errors(stored.errors), *_slow(stored), *_down(stored.up), *_restarts(stored.started))
    return min((at for at in found if since <= at <= until), default=None)


def _errors(errors: Iterable[Series]) -> Iterable[float]:
    # A labelled counter does not exist before its first error.
    return [at for series in errors for at, value in series.samples if value > 0]


def _slow(stored: Stored) -> Iterable[float]:
    quick = {series.pod: dict(series.samples) for series in stored.quick}
    return [
        at
        for series in stored.requests
        for at, count in series.samples
        if count > quick.get(series.pod, {}).get(at, count)
    ]


def _down(up: Iterable[Series]) -> Iterable[float]:
    for series in up:
        been_up = False
        for at, value in series.samples:
            if been_up and value == 0:
                yield at
            been_up = been_up or value == 1


def _restarts(started: Iterable[Series]) -> Iterable[float]:
    for series in started:
        for (_, before), (at, after) in zip(series.samples, series.samples[1:], strict=False):
            if after > before:
                yield at

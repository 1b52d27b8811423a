"""What has been counted, as the few classes that verdicts tell apart.

`sample_of` feeds the judge with counters that leave no doubt, each poll 30 seconds after the last;
`counted` forgets the numbers again and keeps the classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from headgate.core.observation import Pod
from headgate.judge import Counts, Evidence, Metric, PodCounters, Sample
from headgate.judge.tally import Requests, Tally
from tests.exploration.scope import CONDITION, NOW

POLL = 30.0
MOST = 60
"""Seconds from which on any hold, time-out and condition of the small worlds is over."""
LIMIT = 0.05
REQUESTS = 1000.0
TOLERANCE = 1.25


class Counted(NamedTuple):
    """The classes of an `Evidence`. `whole` is what the step's requests look like."""

    polled: bool = False
    whole: str = ""
    observed: int = 0
    silent: int = 0
    idle: int = 0
    unknown: str = ""
    held: int = 0


NOTHING = Counted()


def counted(evidence: Mapping[str, Any]) -> Counted:
    """Forget all but the classes."""
    if not evidence:
        return NOTHING
    candidate, stable = evidence["candidate"], evidence["stable"]
    whole = ""
    if candidate["requests"]:
        whole = "bad" if candidate["errors"] > LIMIT * candidate["requests"] else "good"
        if whole == "bad" and stable["errors"] > LIMIT * stable["requests"]:
            whole = "shared"
    return Counted(
        polled=evidence["at"] is not None,
        whole=whole,
        observed=min(MOST, evidence["observed"]),
        silent=min(MOST, evidence["silent"]),
        idle=min(MOST, evidence["idle"]),
        unknown=evidence["unknown"],
        held=min(MOST, evidence["held"].get(CONDITION, 0)),
    )


@cache
def evidence_dict(classes: Counted) -> dict[str, Any]:
    """Numbers of these classes; the last poll was one poll ago."""
    at = NOW - POLL
    errors = {"bad": (0.0, 500.0), "shared": (500.0, 500.0)}.get(classes.whole, (0.0, 0.0))
    requests = REQUESTS if classes.whole else 0.0
    stable, candidate = (Requests(bad, requests) for bad in errors)
    return Evidence(
        since=at,
        at=at if classes.polled else None,
        stable_at=at if classes.polled else None,
        candidate_at=at if classes.polled else None,
        stable=Counts(requests=requests, errors=errors[0]),
        candidate=Counts(requests=requests, errors=errors[1]),
        observed=classes.observed,
        silent=classes.silent,
        idle=classes.idle,
        unknown=classes.unknown,
        unknown_sentence=classes.unknown and "no usable metrics",
        held={CONDITION: classes.held} if classes.held else {},
        tallies={Metric.ERROR_RATE: Tally().after(stable, candidate, TOLERANCE)},
    ).to_dict()


SAMPLES = ("good", "bad", "shared", "silent", "idle", "outage")


@cache
def sample_of(
    kind: str, pods: tuple[Pod, ...], stable: str | None, candidate: str | None
) -> Sample | None:
    """What Prometheus answers; only pods that are ready are scraped."""
    if not kind:
        return None
    if kind == "outage":
        return Sample(at=NOW, pods={}, outage="Prometheus does not answer")
    # A good poll outweighs what was counted before: in the end it always does.
    requests = {"idle": 0.0, "good": 100 * REQUESTS}.get(kind, REQUESTS)
    counters: dict[str, PodCounters] = {}
    for pod in pods:
        of_candidate = pod.revision == candidate
        if not pod.ready or (of_candidate and kind == "silent"):
            continue
        bad = kind == "shared" or (kind == "bad" and of_candidate)
        counters[pod.name] = PodCounters(requests=requests, errors=500.0 if bad else 0.0)
    return Sample(at=NOW, pods=counters, outage=None)

"""From raw counters to counts: what each poll adds to the evidence.

`observe` adds a poll to what `headgate.judge.beginning` starts. A poll's counts are the
differences to each pod's own last counters (`_difference`), so every request is counted in exactly
one poll, whatever polls were missed in between. Seconds are added up poll by poll and bounded, so
neither an outage of the operator nor a jump of its clock ends a hold that nobody watched.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from headgate.judge.adding import next_drift, next_gauges, next_recent, next_tallies
from headgate.judge.beginning import UNREAD
from headgate.judge.conditions import next_held
from headgate.judge.evidence import MOST_PODS, Counts, Evidence, Window
from headgate.judge.values import JudgeSettings, PodCounters, Sample, Side, Stage

STEP_BACK = 0.9
"""A request total that fell to no less than this share of the last one was not reset.

Two Prometheus replicas behind one address scrape at different moments, so an answer may be one
scrape older than the last. Taken for a restart, it would count the pod's whole life again.
"""


_NEW = PodCounters(requests=0.0)


@dataclass(frozen=True)
class _Reading:
    """One side in one sample: its counts, and how many of its pods could be read."""

    counts: Counts
    usable: int
    pods: int


def observe(
    evidence: Evidence,
    sample: Sample,
    sides: Mapping[str, Side],
    settings: JudgeSettings,
    stage: Stage,
    warm_from: Mapping[str, float] = MappingProxyType({}),
) -> Evidence:
    """The evidence after one more poll.

    `sides` maps the name of every pod of the release to its side; pods of the sample that are
    not in it are left out. A sample that is not later than the last one changes nothing; one
    from long before it (the clock was set back) only gives new baselines. `warm_from` maps each
    pod that is warmed up to the moment its warm-up was over (infinity: it is not): the first
    counters that were certainly scraped after that are its baseline.
    """
    most = 2 * settings.interval
    if evidence.at is not None and evidence.at - most < sample.at <= evidence.at:
        return evidence
    set_back = evidence.at is not None and sample.at < evidence.at
    evidence = replace(evidence, since=min(evidence.since, sample.at))
    start = evidence.since if evidence.at is None else max(evidence.since, evidence.at)
    seconds = 0.0 if set_back else min(sample.at - start, most)
    # One answer alone, of a provider that was just started for example, says nothing of before.
    idle = evidence.idle + (seconds if evidence.at is not None else 0.0)

    if sample.outage is not None:
        return _provider_down(evidence, sample.at, seconds, sample.outage)

    first = evidence.stable_at is None and evidence.candidate_at is None
    kept = _kept(evidence, sample, sides)
    cold = {pod for pod, warm in warm_from.items() if sample.at - sample.age < warm}
    evidence = replace(evidence, pods=_unread(evidence.pods, warm_from, cold))
    baseline_only = set_back or first
    stable = _read(Side.STABLE, evidence, sample, sides, kept, settings, baseline_only)
    candidate = _read(Side.CANDIDATE, evidence, sample, sides, kept, settings, baseline_only)
    if not stable.usable and not candidate.usable:
        what = f"any of the {len(sides)} pods" if sides else "the live Service"
        sentence = f"the provider has no request total for {what}"
        down = _provider_down(evidence, sample.at, seconds, sentence)
        return replace(down, idle=idle)

    evidence = replace(
        evidence,
        at=sample.at,
        stable_at=sample.at if stable.usable else evidence.stable_at,
        candidate_at=sample.at if candidate.usable else evidence.candidate_at,
        pods=_unread(
            _next_counters(evidence, sample, sides, kept, stage, first, set_back), (), cold & kept
        ),
        stable=evidence.stable + stable.counts,
        candidate=evidence.candidate + candidate.counts,
        latest_stable=stable.counts,
        latest_candidate=candidate.counts,
        recent=next_recent(
            evidence.recent, Window(stable.counts, candidate.counts), settings.interval
        ),
        missing=candidate.pods - candidate.usable,
        boundaries=sample.boundaries or evidence.boundaries,
        tallies=evidence.tallies
        if baseline_only
        else next_tallies(evidence, Window(stable.counts, candidate.counts), settings, stage),
        gauges=next_gauges(evidence, sample, sides, settings, stage),
        drift=next_drift(
            evidence, sample, sides, cold, settings, stage, stage.compared and not baseline_only
        ),
        unread=sample.unread,
    )
    if not candidate.usable:
        silent = _candidate_silent(evidence, seconds, stable, candidate, settings)
        return replace(silent, idle=idle)
    evidence = replace(
        evidence,
        observed=evidence.observed + seconds,
        silent=0.0,
        outage=0.0,
        unknown="",
        unknown_sentence="",
    )
    return replace(evidence, held=next_held(evidence, seconds, settings, stage))


def _provider_down(evidence: Evidence, at: float, seconds: float, sentence: str) -> Evidence:
    return replace(
        evidence,
        at=at,
        latest_stable=Counts(),
        latest_candidate=Counts(),
        outage=evidence.outage + seconds,
        unknown="ProviderDown",
        unknown_sentence=sentence,
    )


def _candidate_silent(
    evidence: Evidence,
    seconds: float,
    stable: _Reading,
    candidate: _Reading,
    settings: JudgeSettings,
) -> Evidence:
    silent = evidence.silent + seconds
    # A pod that has just started is not scraped yet: that long, the hold goes on.
    waiting = silent <= 2 * settings.scrape_interval
    return replace(
        evidence,
        observed=evidence.observed + (seconds if waiting else 0.0),
        silent=silent,
        outage=0.0,
        unknown="CandidateSilent",
        unknown_sentence=(
            f"no usable metrics for the candidate (0 of {candidate.pods} pods) "
            f"while stable has them ({stable.usable} of {stable.pods} pods)"
        ),
    )


def _unread(
    pods: Mapping[str, PodCounters], warm: Iterable[str], cold: Iterable[str]
) -> dict[str, PodCounters]:
    """The counters without what warm-up requests have added: those of pods that are not warm yet,
    and the nothing that a pod that was warmed up would otherwise start from."""
    return {**dict.fromkeys(warm, UNREAD), **pods, **dict.fromkeys(cold, UNREAD)}


def _kept(evidence: Evidence, sample: Sample, sides: Mapping[str, Side]) -> frozenset[str]:
    """The pods that are counted: all, or the `MOST_PODS` known longest, candidates first."""
    if len(sides) <= MOST_PODS:
        return frozenset(sides)
    ranked = sorted(
        sides,
        key=lambda pod: (pod not in evidence.pods, sides[pod] is not Side.CANDIDATE, pod),
    )
    return frozenset(ranked[:MOST_PODS])


def _read(
    side: Side,
    evidence: Evidence,
    sample: Sample,
    sides: Mapping[str, Side],
    kept: frozenset[str],
    settings: JudgeSettings,
    baseline_only: bool,
) -> _Reading:
    names = [pod for pod, of_side in sides.items() if of_side is side]
    readable = {
        pod: counters
        for pod in names
        if pod in kept and (counters := _readable(sample.pods.get(pod))) is not None
    }
    if not readable:
        return _Reading(Counts(), 0, len(names))
    counts = Counts()
    if not baseline_only:
        # Beyond the bound a pod may be old and only now have found a place.
        newcomers_are_new = len(sides) <= MOST_PODS and not sample.of_service
        for pod, counters in readable.items():
            last = evidence.pods.get(pod, _NEW if newcomers_are_new else UNREAD)
            if not (sample.of_service and _fell(last, counters)):
                counts = counts + _difference(last, counters, settings.latency_limits)
        side_at = evidence.stable_at if side is Side.STABLE else evidence.candidate_at
        start = evidence.since if side_at is None else side_at
        counts = replace(counts, seconds=max(0.0, sample.at - start))
    shown = [p99 for c in readable.values() if (p99 := c.p99) is not None and math.isfinite(p99)]
    return _Reading(replace(counts, p99=max(shown, default=None)), len(readable), len(names))


def _readable(counters: PodCounters | None) -> PodCounters | None:
    """The counters without what is no number; None if the request total or the errors are none."""
    if counters is None or counters.requests is None:
        return None
    if not all(math.isfinite(n) and n >= 0 for n in (counters.requests, counters.errors)):
        return None
    if all(0 <= n < math.inf for n in counters.slower.values()):
        return counters
    slower = {limit: n for limit, n in counters.slower.items() if 0 <= n < math.inf}
    return replace(counters, slower=slower)


def _difference(last: PodCounters, now: PodCounters, limits: Iterable[float]) -> Counts:
    if last.requests is None or now.requests is None or _stepped_back(last, now):
        return Counts()
    since_start = last is _NEW or _fell(last, now)
    requests = now.requests if since_start else now.requests - last.requests
    errors = now.errors if since_start else now.errors - last.errors
    slower: dict[float, float] = {}
    for limit in limits:
        if limit in now.slower and (since_start or limit in last.slower):
            before = 0.0 if since_start else last.slower[limit]
            slower[limit] = min(max(0.0, now.slower[limit] - before), requests)
    return Counts(
        requests=requests,
        errors=min(errors, requests),
        slower=slower,
        timed=dict.fromkeys(slower, requests),
    )


def _fell(last: PodCounters, now: PodCounters) -> bool:
    """Whether any counter is lower than before: they all start at 0 when the process does.

    A count that is no whole number was interpolated in a bucket of a native histogram. Those may
    become wider at any time, so it tells nothing of a restart.
    """
    fell = (now.requests or 0.0) < (last.requests or 0.0) or now.errors < last.errors
    return fell or any(
        now.slower[limit] < count and now.slower[limit] % 1 == count % 1 == 0
        for limit, count in last.slower.items()
        if limit in now.slower
    )


def _stepped_back(last: PodCounters, now: PodCounters) -> bool:
    before, after = last.requests or 0.0, now.requests or 0.0
    return _fell(last, now) and STEP_BACK * before <= after <= before


def _next_counters(
    evidence: Evidence,
    sample: Sample,
    sides: Mapping[str, Side],
    kept: frozenset[str],
    stage: Stage,
    first: bool,
    set_back: bool,
) -> dict[str, PodCounters]:
    """The counters to take the next differences from; pods that are gone stay while there is room.

    A pod that should have been in the first sample and was not may be old: its first total is a
    baseline. A candidate's pods are as young as the release, except in the watch.
    """
    counters: dict[str, PodCounters] = {}
    for pod in sides:
        if pod not in kept:
            continue
        last = evidence.pods.get(pod)
        now = _readable(sample.pods.get(pod))
        if now is None:
            old = sides[pod] is Side.STABLE or stage.watching
            if last is not None:
                counters[pod] = last
            elif first and old:
                counters[pod] = UNREAD
        elif last is not None and not set_back and not first and _stepped_back(last, now):
            counters[pod] = last
        else:
            counters[pod] = now if now.p99 is None else replace(now, p99=None)
    for pod, last in evidence.pods.items():
        if pod not in sides and len(counters) < MOST_PODS:
            counters[pod] = last
    return counters

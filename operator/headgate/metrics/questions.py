"""What one provider is asked in one poll, in the thread that asks it.

Counters first, for everybody at once; an answer that is too large is halved by namespace, so
that one namespace cannot blind the others. Then the bucket boundaries of pods that turned out to
need them, and now and then the p99 for display, for which only the time that is left is used.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from headgate.judge import Sample
from headgate.metrics import promql, readings
from headgate.metrics.client import Client, OversizedError, QueryError
from headgate.metrics.presets import PRESETS, Preset, unknown
from headgate.metrics.promql import Series
from headgate.metrics.providers import Provider
from headgate.metrics.readings import Pod, PodReadings

Key = tuple[str, str]
"""A ModelDeployment's namespace and name."""

Layouts = Mapping[Pod, tuple[float, ...]]

STALE_SCRAPES = 2
"""A sample older than this many scrapes is missing."""

_QUANTILE_SCRAPES = 5

MOST_GAUGES = 32
"""Different gauges that one provider is asked about in one poll, for all releases together."""


@dataclass(frozen=True)
class Target:
    """A release to read: its pods of both sides, the latency limits in seconds, and gauges by the
    names that the release gives them."""

    namespace: str
    name: str
    provider: str
    runtime: str
    pods: frozenset[str]
    limits: frozenset[float] = frozenset()
    gauges: Mapping[str, Series] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> Key:
        """What its sample is filed under."""
        return self.namespace, self.name

    @property
    def all_pods(self) -> frozenset[Pod]:
        """Its pods with their namespace."""
        return frozenset((self.namespace, pod) for pod in self.pods)


@dataclass
class Answers:
    """What came of a poll: the samples, and bucket boundaries and p99 to remember."""

    samples: dict[Key, Sample] = field(default_factory=dict)
    layouts: dict[Pod, tuple[float, ...]] = field(default_factory=dict)
    quantiles: dict[Pod, float] = field(default_factory=dict)


def outage(targets: Iterable[Target], at: float, sentence: str) -> dict[Key, Sample]:
    """The same outage for every target."""
    return {target.key: Sample(at=at, outage=sentence) for target in targets}


def ask(
    name: str,
    provider: Provider,
    targets: Sequence[Target],
    at: float,
    layouts: Layouts,
    quantiles: Mapping[Pod, float] | None = None,
) -> Answers:
    """Reads all targets from one provider; blocks for the provider's time-out at most.

    With `quantiles`, what is known of them, they are shown once more instead of being asked for.
    """
    answers = Answers()
    client = Client(name, provider)
    try:
        for runtime in sorted({target.runtime for target in targets}):
            of_runtime = [target for target in targets if target.runtime == runtime]
            preset = PRESETS.get(runtime)
            if preset is None:
                answers.samples |= outage(of_runtime, at, unknown(runtime))
            else:
                poll = _Poll(client, provider, preset, at, quantiles)
                _ask_runtime(poll, of_runtime, layouts, answers)
    finally:
        client.close()
    return answers


@dataclass(frozen=True)
class _Poll:
    client: Client
    provider: Provider
    preset: Preset
    at: float
    known_quantiles: Mapping[Pod, float] | None


def _ask_runtime(
    poll: _Poll, targets: Sequence[Target], layouts: Layouts, answers: Answers
) -> None:
    found: dict[Pod, PodReadings] = {}
    failed = _counters(poll, targets, layouts, found)
    answers.samples |= {key: Sample(at=poll.at, outage=why) for key, why in failed.items()}
    read = [target for target in targets if target.key not in failed]
    if not read:
        return
    answers.layouts |= _boundaries(poll, read, layouts, found)
    quantiles = _quantiles(poll, found)
    answers.quantiles |= quantiles
    age = STALE_SCRAPES * poll.provider.scrape_interval
    gauges = _gauges(poll, read, age)
    for target in read:
        answers.samples[target.key] = readings.sample(
            poll.at,
            target.namespace,
            target.pods,
            target.limits,
            found,
            layouts,
            quantiles,
            age,
            {name: gauges.get(series, {}) for name, series in target.gauges.items()},
        )


def _counters(
    poll: _Poll,
    targets: Sequence[Target],
    layouts: Layouts,
    found: dict[Pod, PodReadings],
) -> dict[Key, str]:
    """Fills `found`, and says for which targets there is no answer, and why."""
    pods = frozenset[Pod]().union(*(target.all_pods for target in targets))
    if not pods:
        return {}
    limits = {limit for target in targets for limit in target.limits}
    buckets = limits | {readings.snap(n, layouts[p]) for p in pods & layouts.keys() for n in limits}
    oldest = STALE_SCRAPES * poll.provider.scrape_interval
    try:
        rows = poll.client.ask(promql.counters(poll.preset, pods, buckets, oldest), poll.at)
    except OversizedError as error:
        namespaces = sorted({target.namespace for target in targets})
        if len(namespaces) == 1:
            why = f"{error} for namespace {namespaces[0]}"
            return {target.key: why for target in targets}
        first = set(namespaces[: len(namespaces) // 2])
        return {
            **_counters(poll, [t for t in targets if t.namespace in first], layouts, found),
            **_counters(poll, [t for t in targets if t.namespace not in first], layouts, found),
        }
    except QueryError as error:
        return {target.key: str(error) for target in targets}
    found |= readings.read_counters(rows, pods, poll.preset.unit)
    return {}


def _boundaries(
    poll: _Poll,
    targets: Sequence[Target],
    layouts: Layouts,
    found: Mapping[Pod, PodReadings],
) -> dict[Pod, tuple[float, ...]]:
    """The boundaries of pods that have none at a limit and were not asked about before."""
    pods = {
        pod
        for target in targets
        for pod in target.all_pods
        if pod not in layouts
        and pod in found
        and readings.lacks_boundary(found[pod], target.limits)
    }
    if not pods:
        return {}
    try:
        rows = poll.client.ask(promql.boundaries(poll.preset, pods), poll.at)
    except QueryError:
        # The limit stays unjudged for one more poll, and the next poll asks again.
        return {}
    return {
        pod: found
        for pod, found in readings.read_boundaries(rows, poll.preset.unit).items()
        if pod in pods
    }


def _gauges(
    poll: _Poll, targets: Sequence[Target], oldest: float
) -> dict[Series, dict[Pod, float]]:
    """Every gauge that somebody wants, one question each for all releases. One that has no answer
    is missing, and no outage: it is compared only when there are values."""
    found: dict[Series, dict[Pod, float]] = {}
    wanted = sorted({series for target in targets for series in target.gauges.values()})
    for series in wanted[:MOST_GAUGES]:
        of_it = [target for target in targets if series in target.gauges.values()]
        pods = frozenset[Pod]().union(*(target.all_pods for target in of_it))
        if not pods:
            continue
        with contextlib.suppress(QueryError):
            rows = poll.client.ask(promql.gauge(series, pods, oldest), poll.at)
            found[series] = readings.read_gauge(rows)
    return found


def _quantiles(poll: _Poll, found: Mapping[Pod, PodReadings]) -> Mapping[Pod, float]:
    if poll.known_quantiles is not None:
        return {pod: value for pod, value in poll.known_quantiles.items() if pod in found}
    if not found or poll.preset.buckets is None:
        return {}
    window = _QUANTILE_SCRAPES * poll.provider.scrape_interval
    try:
        rows = poll.client.ask(promql.quantiles(poll.preset, found.keys(), window), poll.at)
    except QueryError:
        # Shown to people and never judged, so its absence is no outage.
        return {}
    return readings.read_quantiles(rows, poll.preset.unit)

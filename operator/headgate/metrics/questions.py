"""What one provider is asked in one poll, in the thread that asks it.

Counters first, for everybody at once; an answer that is too large is halved by namespace, so
that one namespace cannot blind the others. Then the bucket boundaries of pods that turned out to
need them, and now and then the p99 for display, for which only the time that is left is used.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from headgate.judge import Sample
from headgate.metrics import promql, readings
from headgate.metrics.client import Client, OversizedError, QueryError, Row
from headgate.metrics.presets import PRESETS, Preset, unknown
from headgate.metrics.promql import Query, Series
from headgate.metrics.providers import Provider
from headgate.metrics.readings import Pod, PodReadings
from headgate.metrics.targets import Key, Target

Layouts = Mapping[Pod, tuple[float, ...]]

STALE_SCRAPES = 2
"""A sample older than this many scrapes is missing."""

_QUANTILE_SCRAPES = 5

MOST_GAUGES = 32
"""Different gauges that one provider is asked about in one poll, for all releases together."""

MOST_HISTOGRAMS = 32
"""Different histograms of predictions, likewise."""


@dataclass
class Answers:
    """What came of a poll: the samples, and bucket boundaries and p99 to remember."""

    samples: dict[Key, Sample] = field(default_factory=dict)
    layouts: dict[Pod, tuple[float, ...]] = field(default_factory=dict)
    quantiles: dict[Pod, float] = field(default_factory=dict)


def outage(targets: Iterable[Target], at: float, sentence: str) -> dict[Key, Sample]:
    """The same outage for every target."""
    return {target.key: Sample(at=at, outage=sentence) for target in targets}


class Asks(Protocol):
    """`headgate.metrics.client.Client`, or what answers as it would have in the past."""

    def ask(self, query: str, at: float) -> Sequence[Row]:
        """The rows of an instant query at the moment `at`; raises QueryError."""
        ...


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
    client = Client(name, provider)
    try:
        return ask_by(client, name, provider, targets, at, layouts, quantiles)
    finally:
        client.close()


def ask_by(
    client: Asks,
    name: str,
    provider: Provider,
    targets: Sequence[Target],
    at: float,
    layouts: Layouts,
    quantiles: Mapping[Pod, float] | None = None,
) -> Answers:
    """The same by a client that is there already."""
    answers = Answers()
    for runtime in sorted({target.runtime for target in targets}):
        of_runtime = [target for target in targets if target.runtime == runtime]
        preset = PRESETS.get(runtime)
        if preset is None:
            answers.samples |= outage(of_runtime, at, unknown(runtime))
        else:
            poll = _Poll(name, client, provider, preset, at, quantiles)
            _ask_runtime(poll, of_runtime, layouts, answers)
    return answers


@dataclass(frozen=True)
class _Poll:
    name: str
    client: Asks
    provider: Provider
    preset: Preset
    at: float
    known_quantiles: Mapping[Pod, float] | None

    @property
    def oldest(self) -> float:
        """Seconds after which a sample is missing."""
        return STALE_SCRAPES * self.provider.scrape_interval


def _ask_runtime(
    poll: _Poll, targets: Sequence[Target], layouts: Layouts, answers: Answers
) -> None:
    found: dict[Pod, PodReadings] = {}
    failed = _counters(poll, targets, layouts, found)
    answers.samples |= {key: Sample(at=poll.at, outage=why) for key, why in failed.items()}
    read = [target for target in targets if target.key not in failed]
    if not read:
        return
    _natives(poll, read, found)
    answers.layouts |= _boundaries(poll, read, layouts, found)
    quantiles = _quantiles(poll, found)
    answers.quantiles |= quantiles
    compared = _compared(poll, read)
    for target in read:
        answers.samples[target.key] = readings.sample(
            poll.at,
            target.namespace,
            target.pods,
            target.limits,
            found,
            layouts,
            quantiles,
            poll.oldest,
            {name: compared.gauges.get(each, {}) for name, each in target.gauges.items()},
            {name: compared.histograms.get(each, {}) for name, each in target.histograms.items()},
            compared.why_not(target),
            promql.shown(
                poll.preset, target.namespace, target.name, sorted(target.limits), poll.oldest
            ),
        )


def _counters(
    poll: _Poll,
    targets: Sequence[Target],
    layouts: Layouts,
    found: dict[Pod, PodReadings],
) -> dict[Key, str]:
    """Fills `found`, and says for which targets there is no answer, and why."""
    pods = _pods(targets)
    if not pods:
        return {}
    limits = {limit for target in targets for limit in target.limits}
    buckets = limits | {readings.snap(n, layouts[p]) for p in pods & layouts.keys() for n in limits}
    try:
        rows = poll.client.ask(promql.counters(poll.preset, pods, buckets, poll.oldest), poll.at)
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


def _natives(poll: _Poll, targets: Sequence[Target], found: dict[Pod, PodReadings]) -> None:
    """Adds the buckets of pods that have answered requests and turned out to have none: their
    histogram may be a native one, for which all others need not be asked."""
    wanted = [target for target in targets if target.limits]
    pods = {
        pod
        for pod in _pods(wanted)
        if pod in found and found[pod].requests and not found[pod].buckets
    }
    if not pods or poll.preset.buckets is None:
        return
    limits = {limit for target in wanted for limit in target.limits}
    # Without an answer the latency of these pods stays unknown until the next poll.
    with contextlib.suppress(QueryError):
        rows = poll.client.ask(promql.native(poll.preset, pods, limits, poll.oldest), poll.at)
        read = readings.read_counters(rows, frozenset(pods), poll.preset.unit)
        for pod, of_pod in read.items():
            found[pod].buckets = of_pod.buckets


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


@dataclass
class _Compared:
    """What is compared between versions: of each that was asked for the pods' values, or why there
    are none. That is no outage; there is nothing to compare."""

    gauges: dict[Series | Query, dict[Pod, float]] = field(default_factory=dict)
    histograms: dict[Series, dict[Pod, dict[float, float]]] = field(default_factory=dict)
    unread: dict[Series | Query, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def told(self, asked: Series | Query) -> Iterator[None]:
        """Whatever goes wrong with one question, as the reason why it is not read."""
        try:
            yield
        except QueryError as error:
            self.unread[asked] = str(error)

    def why_not(self, target: Target) -> dict[str, str]:
        """By the names that a release gives them, why some were not read."""
        return {
            name: f"{name} was not read: {self.unread[asked]}"
            for name, asked in {**target.gauges, **target.histograms}.items()
            if asked in self.unread
        }


def _compared(poll: _Poll, targets: Sequence[Target]) -> _Compared:
    """Every gauge and histogram that somebody wants, one question each for all releases."""
    found = _Compared()
    gauges = {each for target in targets for each in target.gauges.values()}
    queries = sorted(each for each in gauges if isinstance(each, Query))
    if not poll.provider.allow_queries:
        found.unread |= dict.fromkeys(queries, _not_allowed(poll.name))
        queries = []
    series = sorted(each for each in gauges if isinstance(each, Series))
    asked: list[Series | Query] = [*series, *queries]
    for each in asked[:MOST_GAUGES]:
        pods = _pods(target for target in targets if each in target.gauges.values())
        text = each.text if isinstance(each, Query) else promql.gauge(each, pods, poll.oldest)
        with found.told(each):
            found.gauges[each] = readings.read_gauge(poll.client.ask(text, poll.at) if pods else ())
    histograms = sorted({each for target in targets for each in target.histograms.values()})
    for wanted in histograms[:MOST_HISTOGRAMS]:
        pods = _pods(target for target in targets if wanted in target.histograms.values())
        text = promql.histogram(wanted, pods, poll.oldest)
        with found.told(wanted):
            rows = poll.client.ask(text, poll.at) if pods else ()
            found.histograms[wanted] = readings.read_histogram(rows)
    return found


def _not_allowed(provider: str) -> str:
    return (
        f'metrics provider "{provider}" does not answer queries of authors; its administrator '
        "would set allowQueries"
    )


def _pods(targets: Iterable[Target]) -> frozenset[Pod]:
    return frozenset[Pod]().union(*(target.all_pods for target in targets))


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

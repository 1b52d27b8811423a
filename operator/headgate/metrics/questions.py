"""What one provider is asked in one poll, in the thread that asks it.

Counters first, for everybody at once; an answer that is too large is halved by namespace, so
that one namespace cannot blind the others. Then the bucket boundaries of pods that turned out to
need them, and now and then the p99 for display, for which only the time that is left is used.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headgate.judge import Sample
from headgate.metrics import promql, readings
from headgate.metrics.client import Asks, Client, OversizedError, QueryError
from headgate.metrics.compared import compared
from headgate.metrics.presets import PRESETS, Preset, unknown
from headgate.metrics.providers import Provider
from headgate.metrics.readings import PodReadings
from headgate.metrics.subjects import Pod, owner
from headgate.metrics.targets import Key, Target

Layouts = Mapping[Pod, tuple[float, ...]]

STALE_SCRAPES = 2
"""A sample older than this many scrapes is missing."""

_QUANTILE_SCRAPES = 5


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
    owned = _Owned(found)
    _natives(poll, read, found, owned)
    answers.layouts |= _boundaries(poll, read, layouts, found, owned)
    quantiles = _quantiles(poll, found)
    answers.quantiles |= quantiles
    others = compared(poll.client, poll.name, poll.provider, read, poll.at, poll.oldest)
    for target in read:
        answers.samples[target.key] = readings.sample(
            poll.at,
            target.namespace,
            [name for _, name in owned.by(target)],
            target.limits,
            found,
            layouts,
            quantiles,
            poll.oldest,
            others.gauges_of(target),
            others.histograms_of(target),
            others.why_not(target),
            promql.shown(
                poll.preset, target.namespace, target.name, sorted(target.limits), poll.oldest
            ),
            target.by_service,
        )


class _Owned:
    """The counters that were found, by what they count for."""

    def __init__(self, found: Iterable[Pod]) -> None:
        self._by_owner: dict[Pod, list[Pod]] = {}
        for pod in found:
            self._by_owner.setdefault(owner(pod), []).append(pod)

    def by(self, target: Target) -> Iterator[Pod]:
        """Those that count for a target."""
        return (pod for name in target.counted for pod in self._by_owner.get(name, ()))


def _counters(
    poll: _Poll,
    targets: Sequence[Target],
    layouts: Layouts,
    found: dict[Pod, PodReadings],
) -> dict[Key, str]:
    """Fills `found`, and says for which targets there is no answer, and why."""
    names = frozenset[Pod]().union(*(target.counted for target in targets))
    if not names:
        return {}
    limits = {limit for target in targets for limit in target.limits}
    known = [layout for pod, layout in layouts.items() if owner(pod) in names]
    buckets = limits | {readings.snap(n, layout) for layout in known for n in limits}
    try:
        rows = poll.client.ask(promql.counters(poll.preset, names, buckets, poll.oldest), poll.at)
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
    found |= readings.read_counters(rows, names, poll.preset.unit, poll.preset.subject)
    return {}


def _natives(
    poll: _Poll, targets: Sequence[Target], found: dict[Pod, PodReadings], owned: _Owned
) -> None:
    """Adds the buckets of pods that have answered requests and turned out to have none: their
    histogram may be a native one, for which all others need not be asked."""
    wanted = [target for target in targets if target.limits]
    pods = {
        pod
        for target in wanted
        for pod in owned.by(target)
        if found[pod].requests and not found[pod].buckets
    }
    if not pods or poll.preset.buckets is None:
        return
    limits = {limit for target in wanted for limit in target.limits}
    names = frozenset(map(owner, pods))
    # Without an answer the latency of these pods stays unknown until the next poll.
    with contextlib.suppress(QueryError):
        rows = poll.client.ask(promql.native(poll.preset, names, limits, poll.oldest), poll.at)
        read = readings.read_counters(rows, names, poll.preset.unit, poll.preset.subject)
        for pod in pods & read.keys():
            found[pod].buckets = read[pod].buckets


def _boundaries(
    poll: _Poll,
    targets: Sequence[Target],
    layouts: Layouts,
    found: Mapping[Pod, PodReadings],
    owned: _Owned,
) -> dict[Pod, tuple[float, ...]]:
    """The boundaries of pods that have none at a limit and were not asked about before."""
    pods = {
        pod
        for target in targets
        for pod in owned.by(target)
        if pod not in layouts and readings.lacks_boundary(found[pod], target.limits)
    }
    if not pods:
        return {}
    names = frozenset(map(owner, pods))
    try:
        rows = poll.client.ask(promql.boundaries(poll.preset, names), poll.at)
    except QueryError:
        # The limit stays unjudged for one more poll, and the next poll asks again.
        return {}
    read = readings.read_boundaries(rows, poll.preset.unit, poll.preset.subject)
    return {pod: layout for pod, layout in read.items() if pod in pods}


def _quantiles(poll: _Poll, found: Mapping[Pod, PodReadings]) -> Mapping[Pod, float]:
    if poll.known_quantiles is not None:
        return {pod: value for pod, value in poll.known_quantiles.items() if pod in found}
    if not found or poll.preset.buckets is None:
        return {}
    names = frozenset(map(owner, found))
    window = _QUANTILE_SCRAPES * poll.provider.scrape_interval
    try:
        rows = poll.client.ask(promql.quantiles(poll.preset, names, window), poll.at)
    except QueryError:
        # Shown to people and never judged, so its absence is no outage.
        return {}
    return readings.read_quantiles(rows, poll.preset.unit, poll.preset.subject)

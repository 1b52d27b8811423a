"""What is compared between versions beside their counters: gauges, and histograms of predictions.

`headgate.metrics.questions` asks for them after all counters, so that a slow one costs nobody a
verdict. What cannot be read is no outage: there is nothing to compare, and status says why.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from headgate.metrics import promql, readings
from headgate.metrics.client import Asks, QueryError
from headgate.metrics.promql import Query, Series
from headgate.metrics.providers import Provider
from headgate.metrics.subjects import Pod
from headgate.metrics.targets import Target

MOST_GAUGES = 32
"""Different gauges that one provider is asked about in one poll, for all releases together."""

MOST_HISTOGRAMS = 32
"""Different histograms of predictions, likewise."""

_Asked = TypeVar("_Asked", Series, Series | Query)
_Value = TypeVar("_Value")


@dataclass
class Compared:
    """Of each gauge and histogram that was asked for the pods' values, or why there are none."""

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

    def gauges_of(self, target: Target) -> dict[str, dict[str, float]]:
        """By the names that a release gives them, the values of its pods."""
        return _own(target, target.gauges, self.gauges)

    def histograms_of(self, target: Target) -> dict[str, dict[str, dict[float, float]]]:
        """The same of histograms."""
        return _own(target, target.histograms, self.histograms)

    def why_not(self, target: Target) -> dict[str, str]:
        """By the names that a release gives them, why some were not read."""
        return {
            name: f"{name} was not read: {self.unread[asked]}"
            for name, asked in {**target.gauges, **target.histograms}.items()
            if asked in self.unread
        }


def compared(
    client: Asks, name: str, provider: Provider, targets: Sequence[Target], at: float, oldest: float
) -> Compared:
    """Every gauge and histogram that somebody wants, one question each for all releases. Values
    older than `oldest` seconds are left out."""
    found = Compared()
    gauges = {each for target in targets for each in target.gauges.values()}
    queries = sorted(each for each in gauges if isinstance(each, Query))
    if not provider.allow_queries:
        found.unread |= dict.fromkeys(queries, _not_allowed(name))
        queries = []
    series = sorted(each for each in gauges if isinstance(each, Series))
    asked: list[Series | Query] = [*series, *queries]
    for each in asked[:MOST_GAUGES]:
        pods = _pods(target for target in targets if each in target.gauges.values())
        text = each.text if isinstance(each, Query) else promql.gauge(each, pods, oldest)
        with found.told(each):
            found.gauges[each] = readings.read_gauge(client.ask(text, at) if pods else ())
    histograms = sorted({each for target in targets for each in target.histograms.values()})
    for wanted in histograms[:MOST_HISTOGRAMS]:
        pods = _pods(target for target in targets if wanted in target.histograms.values())
        text = promql.histogram(wanted, pods, oldest)
        with found.told(wanted):
            rows = client.ask(text, at) if pods else ()
            found.histograms[wanted] = readings.read_histogram(rows)
    return found


def _own(
    target: Target, wanted: Mapping[str, _Asked], found: Mapping[_Asked, Mapping[Pod, _Value]]
) -> dict[str, dict[str, _Value]]:
    values = {name: found.get(asked, {}) for name, asked in wanted.items()}
    return {
        name: {
            pod: of[target.namespace, pod] for pod in target.pods if (target.namespace, pod) in of
        }
        for name, of in values.items()
    }


def _not_allowed(provider: str) -> str:
    return (
        f'metrics provider "{provider}" does not answer queries of authors; its administrator '
        "would set allowQueries"
    )


def _pods(targets: Iterable[Target]) -> frozenset[Pod]:
    return frozenset[Pod]().union(*(target.all_pods for target in targets))

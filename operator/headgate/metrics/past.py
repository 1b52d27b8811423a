"""What was measured in the past: the samples of one release, from range queries.

`headgate.metrics.questions` asks what it always asks, moment by moment. The client here answers
from range queries, each read into a pandas frame: one for a question and a stretch of time instead
of one for each moment. For `headgate replay`, and only for it: pandas is an extra of the package
and takes half a second to import.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from prometheus_api_client import MetricRangeDataFrame

from headgate.judge import Sample
from headgate.metrics.client import Client, OversizedError, QueryError, Row, Series
from headgate.metrics.presets import PRESETS, unknown
from headgate.metrics.providers import Provider
from headgate.metrics.questions import ask_by
from headgate.metrics.subjects import Pod
from headgate.metrics.targets import Target

CHUNK_MOMENTS = 240
"""Moments in one question, so that its answer stays within the provider's bytes."""

_NAME = "replay"


def samples(provider: Provider, target: Target, start: float, end: float) -> Iterator[Sample]:
    """The samples of a release between two moments, one a scrape, in order. The last is at the end,
    so that a release of less than a scrape has one in its last part, too. One that could not be
    read is an outage, as it is for the operator. Raises ValueError for a runtime without a preset.
    """
    if target.runtime not in PRESETS:
        raise ValueError(unknown(target.runtime))
    step = provider.scrape_interval
    last = math.ceil(end)
    moments = [last - number * step for number in range(int((last - start) / step), -1, -1)]
    layouts: dict[Pod, tuple[float, ...]] = {}
    for first in range(0, len(moments), CHUNK_MOMENTS):
        chunk = moments[first : first + CHUNK_MOMENTS]
        past = _Past(provider, chunk, step)
        for moment in chunk:
            # The p99 that people see is not asked for: nothing is judged by it.
            answers = ask_by(past, _NAME, provider, [target], moment, layouts, {})
            if answers.layouts:
                # Unlike the poller this can ask about the same moment once more.
                layouts |= answers.layouts
                answers = ask_by(past, _NAME, provider, [target], moment, layouts, {})
            yield answers.samples[target.key]


class _Past:
    """Answers instant queries about a few moments; what was once asked is remembered for all."""

    def __init__(self, provider: Provider, moments: Sequence[float], step: float) -> None:
        self._provider = provider
        self._moments = moments
        self._step = step
        self._known: dict[str, dict[float, list[Row]] | QueryError] = {}

    def ask(self, query: str, at: float) -> list[Row]:
        """The rows at one of the moments; raises QueryError."""
        if query not in self._known:
            try:
                self._known[query] = self._read(query, self._moments)
            except QueryError as error:
                self._known[query] = error
        known = self._known[query]
        if isinstance(known, QueryError):
            raise known
        return known.get(at, [])

    def _read(self, query: str, moments: Sequence[float]) -> dict[float, list[Row]]:
        # One client for a question: its deadline is that of one poll.
        client = Client(_NAME, self._provider)
        try:
            start, end = int(moments[0]), math.ceil(moments[-1])
            return by_moment(client.ask_range(query, start, end, self._step))
        except OversizedError:
            half = len(moments) // 2
            if not half:
                raise
            return self._read(query, moments[:half]) | self._read(query, moments[half:])
        finally:
            client.close()


def by_moment(series: Sequence[Series]) -> dict[float, list[Row]]:
    """The series of a range query as the rows of an instant query at each of its moments."""
    if not series:
        return {}
    frame = MetricRangeDataFrame([each.model_dump() for each in series], ts_as_datetime=False)
    labels = [column for column in frame.columns if column != "value"]
    return {
        float(moment): [
            Row(
                # A series without a label has no number there, but NaN.
                metric={label: row[label] for label in labels if isinstance(row[label], str)},
                value=(float(moment), row["value"]),
            )
            for row in at_once.to_dict("records")
        ]
        for moment, at_once in frame.groupby(level=0)
    }

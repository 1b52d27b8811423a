"""What was measured in the past: the samples of one release, from range queries.

The same question that the poller asks, at every moment of a stretch of time, read into a pandas
frame and turned into samples by the same functions. For `headgate replay`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

from headgate.judge import Sample
from headgate.metrics import promql, readings
from headgate.metrics.client import Client, Row, Series
from headgate.metrics.presets import PRESETS, unknown
from headgate.metrics.providers import Provider
from headgate.metrics.questions import STALE_SCRAPES
from headgate.metrics.readings import Pod

CHUNK_POINTS = 240
"""Moments in one question, so that no answer is larger than the poller's would be."""


def samples(
    provider: Provider,
    runtime: str,
    pods: Collection[Pod],
    limits: Collection[float],
    start: float,
    end: float,
) -> Iterator[Sample]:
    """The samples of a release between two moments, one a scrape, in order; `limits` are latencies
    in seconds. Raises ValueError for a runtime without a preset, and
    `headgate.metrics.client.QueryError`."""
    preset = PRESETS.get(runtime)
    if preset is None:
        raise ValueError(unknown(runtime))
    step = provider.scrape_interval
    oldest = STALE_SCRAPES * step
    query = promql.counters(preset, pods, limits, oldest)
    moments = [math.floor(start) + number * step for number in range(int((end - start) / step) + 1)]
    namespace = next((each for each, _ in pods), "")
    names = [name for _, name in pods]
    for first in range(0, len(moments), CHUNK_POINTS):
        chunk = moments[first : first + CHUNK_POINTS]
        rows = _ask(provider, query, chunk, step)
        for moment in chunk:
            found = readings.read_counters(rows.get(moment, []), frozenset(pods), preset.unit)
            yield readings.sample(moment, namespace, names, limits, found, {}, {}, oldest)


def _ask(
    provider: Provider, query: str, moments: Sequence[float], step: float
) -> dict[float, list[Row]]:
    client = Client("replay", provider)
    try:
        series = client.ask_range(query, int(moments[0]), math.ceil(moments[-1]), step)
    finally:
        client.close()
    return by_moment(series)


def by_moment(series: Sequence[Series]) -> dict[float, list[Row]]:
    """The series of a range query as the rows of an instant query at each of its moments."""
    # pandas takes half a second to import, and only this command needs it.
    from prometheus_api_client import MetricRangeDataFrame

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

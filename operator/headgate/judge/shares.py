"""Error rate and p99 as what both of them are: a share of bad requests and a limit on it.

`histogram_quantile` interpolates inside a bucket, so a p99 limit is judged as 1 % of requests that
may be slower than it. `headgate.judge.counting` tallies by these, `headgate.judge.verdicts` judges.
"""

from __future__ import annotations

from dataclasses import dataclass

from headgate.judge.evidence import Counts
from headgate.judge.tally import Requests
from headgate.judge.values import JudgeSettings, Metric

SLOW_SHARE = 0.01
"""p99 is over a limit when more than this share of requests is slower than it."""


@dataclass(frozen=True)
class Share:
    """A metric that is a share of bad requests, and the limit of its rule. `bad_reason` is what a
    revert is called; `slower_than` is in seconds, None for errors."""

    metric: Metric
    bad_reason: str
    limit: float
    slower_than: float | None = None

    def requests(self, counts: Counts) -> Requests:
        """The bad requests among all that tell about this metric."""
        if self.slower_than is None:
            total, bad = counts.requests, counts.errors
        else:
            total = counts.timed.get(self.slower_than, 0.0)
            bad = counts.slower.get(self.slower_than, 0.0)
        # Counters of two scrapes may not fit each other.
        return Requests(min(bad, total), total)


def shares_of(settings: JudgeSettings) -> list[Share]:
    """The shares that have a rule, in the order in which they are reported."""
    found = []
    if settings.error_rate_max is not None:
        found.append(Share(Metric.ERROR_RATE, "high_error_rate", settings.error_rate_max))
    if settings.latency_max is not None:
        found.append(
            Share(Metric.LATENCY_P99, "high_latency", SLOW_SHARE, slower_than=settings.latency_max)
        )
    return found

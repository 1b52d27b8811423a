"""A gauge of the pods that is compared with that of stable, and which series it is."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, Strict, StringConstraints

from headgate.api.base import Rule
from headgate.api.own_series import OwnSeries, SeriesName


class Better(StrEnum):
    """Which values of a gauge are good news."""

    LOWER = "lower"
    HIGHER = "higher"


class Gauge(OwnSeries):
    """A gauge of the pods, such as GPU memory or the depth of a queue, that is compared with that
    of the stable version when the hold of a step is over."""

    admission: ClassVar[tuple[Rule, ...]] = (
        *OwnSeries.admission,
        Rule(
            "has(self.series) != has(self.query)",
            "a gauge needs exactly one of series and query",
            lambda gauge: (gauge.series is None) != (gauge.query is None),
        ),
        Rule(
            "!has(self.matchers) || size(self.matchers) == 0 || has(self.series)",
            "matchers belong to series: write the labels into the query",
            lambda gauge: not gauge.matchers or gauge.series is not None,
            field="matchers",
        ),
        Rule(
            "!has(self.tolerance) || self.tolerance >= 1.0",
            "tolerance is at least 1: 1.25 lets the candidate be a quarter worse",
            lambda gauge: gauge.tolerance >= 1.0,
            field="tolerance",
        ),
    )

    series: SeriesName | None = None
    """Name of the metric in Prometheus. Of several series of a pod the mean counts."""
    query: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = None
    """PromQL in the place of series, which gives a value for each pod by the labels namespace and
    pod. Only providers for which the administrator allows it answer it."""
    better: Annotated[Better, Strict(False)] = Better.LOWER
    """Whether lower or higher values are better."""
    tolerance: float = 1.25
    """How many times worse than stable the candidate's median and mean may be, at least 1."""
    min_samples: int = Field(default=20, ge=5, le=120)
    """Values of each side, one a poll, that a verdict needs."""

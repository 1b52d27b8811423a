"""Predictions whose distribution is compared with that of stable, and how much may differ."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, Strict

from headgate.api.base import Rule, is_share
from headgate.api.own_series import OwnSeries, SeriesName


class DriftMethod(StrEnum):
    """How two distributions are compared."""

    KOLMOGOROV_SMIRNOV = "KolmogorovSmirnov"
    JENSEN_SHANNON = "JensenShannon"


class Drift(OwnSeries):
    """A histogram of what the pods predict, such as scores, that is compared with that of the
    stable version when the hold of a step is over."""

    admission: ClassVar[tuple[Rule, ...]] = (
        *OwnSeries.admission,
        Rule(
            "!has(self.threshold) || (self.threshold > 0.0 && self.threshold < 1.0)",
            "threshold is between 0 and 1: 0.1 accepts differences below a tenth",
            lambda drift: is_share(drift.threshold),
            field="threshold",
        ),
    )

    series: SeriesName
    """Name of the histogram in Prometheus, without _bucket. Of each version a few pods are read."""
    method: Annotated[DriftMethod, Strict(False)] = DriftMethod.KOLMOGOROV_SMIRNOV
    """KolmogorovSmirnov: the largest difference between the two distribution functions, for
    predictions with an order such as scores. JensenShannon: the divergence in bits (base 2), for
    buckets that are classes. Both are between 0 and 1."""
    threshold: float = 0.1
    """The smallest difference that counts as drift, if it is no chance; between 0 and 1."""
    min_samples: int = Field(default=300, ge=30, le=10_000_000)
    """Predictions that each version must have made in a step before they are compared."""

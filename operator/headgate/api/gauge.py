"""A gauge of the pods that is compared with that of stable, and which series it is."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field, Strict, StringConstraints

from headgate.api.base import Rule, SpecModel, is_share
from headgate.api.quantities import DnsLabel


class Better(StrEnum):
    """Which values of a gauge are good news."""

    LOWER = "lower"
    HIGHER = "higher"


LABEL_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]{0,127}$"
LabelValue = Annotated[str, StringConstraints(max_length=256)]


class Gauge(SpecModel):
    """A gauge of the pods, such as GPU memory or the depth of a queue, that is compared with that
    of the stable version when the hold of a step is over."""

    admission = (
        Rule(
            "!has(self.tolerance) || self.tolerance >= 1.0",
            "tolerance is at least 1: 1.25 lets the candidate be a quarter worse",
            lambda gauge: gauge.tolerance >= 1.0,
            field="tolerance",
        ),
        Rule(
            "!has(self.alpha) || (self.alpha > 0.0 && self.alpha < 1.0)",
            "alpha is a probability between 0 and 1: write 0.01 for 1 %",
            lambda gauge: is_share(gauge.alpha),
            field="alpha",
        ),
        Rule(
            "!has(self.matchers) || !('namespace' in self.matchers || 'pod' in self.matchers)",
            "matchers name other labels than namespace and pod: those are set by Headgate",
            lambda gauge: not {"namespace", "pod"} & gauge.matchers.keys(),
            field="matchers",
        ),
        Rule(
            f"!has(self.matchers) || self.matchers.all(name, name.matches('{LABEL_NAME}'))",
            "matchers are names of labels with their values, such as queue: predict",
            lambda gauge: all(re.fullmatch(LABEL_NAME, name) for name in gauge.matchers),
            field="matchers",
        ),
    )

    name: DnsLabel
    """What it is called in status, such as gpu-memory."""
    series: Annotated[
        str,
        StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$", min_length=1, max_length=256),
    ]
    """Name of the metric in Prometheus. Of several series of a pod the mean counts."""
    matchers: dict[str, LabelValue] = Field(
        default_factory=dict, max_length=8, json_schema_extra={"maxProperties": 8}
    )
    """Labels that the series must have, with their exact values."""
    better: Annotated[Better, Strict(False)] = Better.LOWER
    """Whether lower or higher values are better."""
    tolerance: float = 1.25
    """How many times worse than stable the candidate's median and mean may be, at least 1."""
    alpha: float = 0.01
    """Chance of calling a healthy candidate bad that you accept, between 0 and 1."""
    min_samples: int = Field(default=20, ge=5, le=120)
    """Values of each side, one a poll, that a verdict needs."""
    critical: bool = True
    """Whether a bad result takes the release back; without, onInconclusive applies."""
    dry_run: bool = False
    """Judge and record it, and decide nothing by it."""

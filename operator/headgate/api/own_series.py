"""What gauges and histograms of predictions have in common: which series of the pods is meant."""

import re
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from headgate.api.base import Rule, is_share
from headgate.api.judged import Judged
from headgate.api.quantities import DnsLabel

LABEL_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]{0,127}$"
LabelValue = Annotated[str, StringConstraints(max_length=256)]
SeriesName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$", min_length=1, max_length=256),
]

ALPHA_IS_A_PROBABILITY = Rule(
    "!has(self.alpha) || (self.alpha > 0.0 && self.alpha < 1.0)",
    "alpha is a probability between 0 and 1: write 0.01 for 1 %",
    lambda compared: is_share(compared.alpha),
    field="alpha",
)
MATCHERS_ARE_LABELS = (
    Rule(
        "!has(self.matchers) || !('namespace' in self.matchers || 'pod' in self.matchers)",
        "matchers name other labels than namespace and pod: those are set by Headgate",
        lambda compared: not {"namespace", "pod"} & compared.matchers.keys(),
        field="matchers",
    ),
    Rule(
        f"!has(self.matchers) || self.matchers.all(name, name.matches('{LABEL_NAME}'))",
        "matchers are names of labels with their values, such as queue: predict",
        lambda compared: all(re.fullmatch(LABEL_NAME, name) for name in compared.matchers),
        field="matchers",
    ),
)


class OwnSeries(Judged):
    """A series of the pods that is compared with that of the stable version."""

    admission: ClassVar[tuple[Rule, ...]] = (ALPHA_IS_A_PROBABILITY, *MATCHERS_ARE_LABELS)

    name: DnsLabel
    """What it is called in status, such as gpu-memory."""
    matchers: dict[str, LabelValue] = Field(
        default_factory=dict, max_length=8, json_schema_extra={"maxProperties": 8}
    )
    """Labels that the series must have, with their exact values."""
    alpha: float = 0.01
    """Chance of calling a healthy candidate bad that you accept, between 0 and 1."""

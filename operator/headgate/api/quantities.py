"""The small languages inside a manifest: durations, and pods-or-percent.

The types carry the pattern and bounds that the CRD shows; the functions give them their meaning.
"""

import math
import re
from typing import Annotated

from pydantic import PlainValidator, StringConstraints, WithJsonSchema

# Seven digits and 32 characters keep every duration within what a date can hold.
DURATION_PATTERN = r"^([0-9]{1,7}(\.[0-9]{1,7})?(ms|s|m|h))+$"
PERCENT_PATTERN = r"^(0|[1-9][0-9]{0,2})%$"
DNS_LABEL_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"

LONGEST_DURATION = 32
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_WHOLE = re.compile(DURATION_PATTERN)
_PERCENT = re.compile(PERCENT_PATTERN)

Duration = Annotated[str, StringConstraints(pattern=DURATION_PATTERN, max_length=LONGEST_DURATION)]
"""A length of time such as `90s`, `1h30m` or `500ms`; read it with `parse_duration`."""

MOST_PODS = 100_000


def _int_or_percent(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_PODS:
        return value
    if isinstance(value, str) and _PERCENT.fullmatch(value):
        return value
    raise ValueError(f'{value!r} is neither a number of pods nor a percentage such as "25%"')


IntOrPercent = Annotated[
    int | str,
    PlainValidator(_int_or_percent),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "minimum": 0,
            "maximum": MOST_PODS,
            "pattern": PERCENT_PATTERN,
            "maxLength": 4,
        }
    ),
]
"""A number of pods (an int), or a share of the replicas (`"25%"`); read it with `resolve`."""

DnsLabel = Annotated[str, StringConstraints(pattern=DNS_LABEL_PATTERN, min_length=1, max_length=63)]


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `1h30m`. Raises ValueError for anything else."""
    if len(text) > LONGEST_DURATION or _WHOLE.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no duration; write it like 30s, 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def format_duration(seconds: float) -> str:
    """The shortest whole-unit spelling, rounded to milliseconds: 5400 -> `1h30m`, 0 -> `0s`."""
    left = round(max(seconds, 0.0) * 1000)
    written = ""
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            written += f"{count}{unit}"
    return written or "0s"


def resolve(value: int | str, total: int, round_up: bool) -> int:
    """Pods meant by `value` among `total`: 3 -> 3, `"25%"` of 10 -> 3 rounded up, 2 down.

    Raises ValueError when it is neither.
    """
    checked = _int_or_percent(value)
    if isinstance(checked, int):
        return checked
    hundredths = int(checked[:-1]) * total
    return math.ceil(hundredths / 100) if round_up else hundredths // 100


def is_zero(value: int | str) -> bool:
    """Whether the author wrote no pods at all, in either spelling."""
    return value in (0, "0%")

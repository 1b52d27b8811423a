"""Freeze windows: the times in which no release begins or goes on. Reverting is always allowed."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, Strict, StringConstraints

from headgate.api.action import Moment
from headgate.api.base import Rule, SpecModel

TimeOfDay = Annotated[
    str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)
]


class Day(StrEnum):
    """Days of the week, in the order of `datetime.weekday()`."""

    MONDAY = "Mon"
    TUESDAY = "Tue"
    WEDNESDAY = "Wed"
    THURSDAY = "Thu"
    FRIDAY = "Fri"
    SATURDAY = "Sat"
    SUNDAY = "Sun"


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


class FreezeWindow(SpecModel):
    """A time in which no release begins or goes on: once (from, until), or weekly (start, end)."""

    admission = (
        Rule(
            "has(self.from) == has(self.until) && has(self.start) == has(self.end)"
            " && has(self.from) != has(self.start)",
            "a freeze window is either from and until (once), or start and end (every week)",
            lambda window: (
                (window.from_ is None) == (window.until is None)
                and (window.start is None) == (window.end is None)
                and (window.from_ is None) != (window.start is None)
            ),
        ),
        Rule(
            "!has(self.from) || !has(self.until) || timestamp(self.from) < timestamp(self.until)",
            "a freeze window ends after it begins: until must be later than from",
            lambda window: (
                window.from_ is None
                or window.until is None
                or datetime.fromisoformat(window.from_) < datetime.fromisoformat(window.until)
            ),
        ),
        Rule(
            "has(self.start) || !(has(self.days) || has(self.timeZone))",
            "days and timeZone belong to a weekly window: from and until carry their own",
            lambda window: (
                window.start is not None or (window.days is None and window.time_zone is None)
            ),
        ),
        Rule(
            # Asking a time of day in a zone that is unknown is an error, which refuses the object.
            "!has(self.timeZone) || timestamp('2026-01-01T00:00:00Z').getHours(self.timeZone) >= 0",
            "timeZone must be a name of the IANA database, such as Europe/Berlin",
            lambda window: window.time_zone is None or _is_time_zone(window.time_zone),
        ),
    )

    from_: Moment | None = Field(default=None, alias="from")
    """Beginning of a window that comes once, as in 2026-12-23T17:00:00Z."""
    until: Moment | None = None
    """End of a window that comes once."""
    days: (
        Annotated[
            list[Annotated[Day, Strict(False)]],
            Field(
                min_length=1,
                max_length=7,
                json_schema_extra={"x-kubernetes-list-type": "set"},
            ),
        ]
        | None
    ) = None
    """Days on which a weekly window begins: Mon, Tue, Wed, Thu, Fri, Sat, Sun. Left out, all."""
    start: TimeOfDay | None = None
    """Time of day at which a weekly window begins, as in "17:00"."""
    end: TimeOfDay | None = None
    """Time of day at which it ends, on the next day where that is not after start: "00:00" to
    "00:00" is a whole day."""
    time_zone: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$", min_length=1, max_length=64),
        ]
        | None
    ) = None
    """Zone of start and end, as in Europe/Berlin. Left out, UTC."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """Why, for those who wonder, as in "end-of-year freeze"."""

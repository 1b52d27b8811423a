"""When a freeze window holds, and when it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from headgate.api.freeze import FreezeWindow
from headgate.core.freeze import frozen_until

WEEKEND = (
    {"days": ["Fri"], "start": "17:00", "end": "00:00"},
    {
        "days": ["Sat", "Sun"],
        "start": "00:00",
        "end": "00:00",
        "reason": "nobody is here",
    },
)
NIGHT = {"start": "22:00", "end": "06:00", "timeZone": "Europe/Berlin"}
YEAR_END = {"from": "2026-12-23T17:00:00+01:00", "until": "2027-01-04T08:00:00+01:00"}


def until(windows: list[dict[str, Any]], moment: str) -> str | None:
    now = datetime.fromisoformat(moment).timestamp()
    found = frozen_until([FreezeWindow.model_validate(each) for each in windows], now)
    return None if found is None else datetime.fromtimestamp(found[0], tz=UTC).isoformat()


@pytest.mark.parametrize(
    ("windows", "moment", "end"),
    [
        # 2026-11-27 is a Friday. Windows without a gap are one.
        ([*WEEKEND], "2026-11-27T16:59:59Z", None),
        ([*WEEKEND], "2026-11-27T17:00:00Z", "2026-11-30T00:00:00+00:00"),
        ([*WEEKEND], "2026-11-29T23:59:59Z", "2026-11-30T00:00:00+00:00"),
        ([*WEEKEND], "2026-11-30T00:00:00Z", None),
        # A window that began yesterday still holds in the morning, in its own zone.
        ([NIGHT], "2026-11-27T20:59:59Z", None),
        ([NIGHT], "2026-11-27T21:00:00Z", "2026-11-28T05:00:00+00:00"),
        ([NIGHT], "2026-11-28T04:59:59Z", "2026-11-28T05:00:00+00:00"),
        ([NIGHT], "2026-11-28T05:00:00Z", None),
        # Clocks go back in the night to 2026-10-25: it is an hour longer.
        ([NIGHT], "2026-10-24T20:00:00Z", "2026-10-25T05:00:00+00:00"),
        ([YEAR_END], "2026-12-23T15:59:59Z", None),
        ([YEAR_END], "2026-12-23T16:00:00Z", "2027-01-04T07:00:00+00:00"),
        ([YEAR_END], "2027-01-04T07:00:00Z", None),
        ([], "2027-01-04T07:00:00Z", None),
    ],
)
def test_a_window_holds_from_its_beginning_until_its_end(
    windows: list[dict[str, Any]], moment: str, end: str | None
) -> None:
    assert until(windows, moment) == end


def test_a_freeze_without_end_is_looked_at_no_further_than_is_bounded() -> None:
    assert until([{"start": "00:00", "end": "00:00"}], "2026-11-27T12:00:00Z") is not None


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({}, "either from and until"),
        ({"from": "2026-12-23T17:00:00Z"}, "either from and until"),
        ({**YEAR_END, "start": "17:00", "end": "18:00"}, "either from and until"),
        ({"from": YEAR_END["until"], "until": YEAR_END["from"]}, "until must be later than from"),
        ({**YEAR_END, "timeZone": "UTC"}, "days and timeZone belong to a weekly window"),
        ({"start": "17:00", "end": "18:00", "timeZone": "Europe/Nowhere"}, "IANA database"),
    ],
)
def test_a_window_that_cannot_be_is_refused(window: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FreezeWindow.model_validate(window)

"""Whether a moment lies in a freeze window, and when that ends.

Windows that follow one another without a gap count as one: Friday 17:00 to midnight, Saturday and
Sunday end on Monday.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from headgate.api.freeze import Day, FreezeWindow
from headgate.core.state import State
from headgate.core.timing import to_seconds

_DAYS = tuple(Day)
_LONGEST_CHAIN = 64


def frozen_until(windows: Iterable[FreezeWindow], now: float) -> tuple[float, str] | None:
    """When the freeze around `now` ends, in epoch seconds, and its reason; None outside of any."""
    known = tuple(windows)
    end, reason = now, ""
    for _ in range(_LONGEST_CHAIN):
        covering = [(until, each) for each in known for until in _ends(each, end)]
        if not covering:
            break
        end, window = max(covering, key=lambda found: found[0])
        reason = reason or window.reason or ""
    return (end, reason) if end > now else None


def freeze(state: State) -> str:
    """Why no release may begin or go on now, as a sentence without its end; empty if it may."""
    found = frozen_until(state.seen.spec.freeze_windows, state.now)
    if found is None:
        return ""
    until, reason = found
    moment = datetime.fromtimestamp(until, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"a freeze window until {moment}" + (f" ({reason})" if reason else "")


def _ends(window: FreezeWindow, moment: float) -> Iterator[float]:
    """The ends of the window's occurrences that cover a moment."""
    if window.from_ is not None and window.until is not None:
        if to_seconds(window.from_) <= moment < to_seconds(window.until):
            yield to_seconds(window.until)
        return
    if window.start is None or window.end is None:
        return
    zone = ZoneInfo(window.time_zone or "UTC")
    start, end = time.fromisoformat(window.start), time.fromisoformat(window.end)
    today = datetime.fromtimestamp(moment, tz=zone).date()
    for day in (today - timedelta(days=1), today):
        if window.days is not None and _DAYS[day.weekday()] not in window.days:
            continue
        begins = datetime.combine(day, start, zone)
        last = day if end > start else day + timedelta(days=1)
        ends = datetime.combine(last, end, zone)
        if begins.timestamp() <= moment < ends.timestamp():
            yield ends.timestamp()

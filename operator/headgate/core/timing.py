"""Times as Kubernetes writes them (RFC 3339, UTC) and as the planner computes with them (epoch
seconds)."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(seconds: float) -> str:
    """Epoch seconds as RFC 3339 with milliseconds, as in "2026-11-23T10:00:00.000Z"."""
    moment = datetime.fromtimestamp(round(seconds, 3), tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_seconds(text: str) -> float:
    """RFC 3339 as epoch seconds; an empty or foreign text counts as the epoch itself."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def for_people(seconds: float) -> str:
    """A duration in the two largest units that matter: "41s", "12m40s", "1h05m"."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    if minutes:
        return f"{minutes}m{left:02d}s" if left else f"{minutes}m"
    return f"{left}s"

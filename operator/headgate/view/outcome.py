"""Whether what the spec asks for has come to its end, as a pipeline wants to know it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headgate.view.shown import Shown
from headgate.view.situation import NOT_SEEN, happening


class Goal(StrEnum):
    """What is waited for."""

    PROMOTED = "promoted"
    STABLE = "stable"


@dataclass(frozen=True)
class Outcome:
    """`reached` is None while it may still come to either end; `sentence` says where it stands."""

    reached: bool | None
    sentence: str


def outcome_of(shown: Shown, goal: Goal) -> Outcome:
    """Where the release of the current spec stands.

    Promoted: the version that the spec asks for gets all traffic, though it may still be watched.
    Stable: its watch is over too, without a rule that failed. It has failed when it takes a person
    to go on.
    """
    status, release = shown.status, shown.status.release
    if not shown.is_seen or not status.phase:
        return Outcome(None, NOT_SEEN)
    sentence = happening(shown)
    stalled = any(each.type == "Stalled" and each.status == "True" for each in status.conditions)
    if stalled or shown.is_refused:
        return Outcome(False, sentence)
    if release is not None:
        promoted = release.stage == "Watching" and release.revision == shown.wanted
        if promoted and release.failed:
            return Outcome(False, f"{release.version} is live, but {release.message}")
        return Outcome(True if promoted and goal is Goal.PROMOTED else None, sentence)
    stable = status.stable
    if stable is None or stable.revision != shown.wanted:
        return Outcome(None, sentence)
    last = status.releases[-1] if status.releases else None
    if last is not None and last.revision == stable.revision and last.outcome == "Failed":
        return Outcome(False, last.message)
    return Outcome(True, sentence)

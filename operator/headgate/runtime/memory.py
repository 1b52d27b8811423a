"""What the process remembers of a ModelDeployment between two passes, and when its status is worth
a write.

Everything here may be lost: the next process starts from the stored status and the Services.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from headgate.api.status import Status
from headgate.core.intents import Note
from headgate.core.observation import Observation
from headgate.judge import Sample, Verdict
from headgate.kube.snapshot import Snapshot

QUIET_STATUS_INTERVAL = 20.0
"""Seconds between two writes of a status in which only numbers have changed."""

QUIET_SECONDS_PER_RELEASE = 2.0
"""With many releases under way each writes less often, so that all together write 30 a minute."""

SOON_SECONDS = 1.0
SOON_PASSES = 8
LONGEST_PAUSE = 30.0

NOTES_KEPT = 32
ENTRIES_KEPT = 500


@dataclass
class Memory:
    """One ModelDeployment. `seen` is what was seen in the objects last, with those objects, while
    something is going on. `notes` wait for the status to be written. `confirmed` says that
    everything was read live once. `entered` is the time of the sample that was recorded last, with
    the verdict on it. `written` (the status) and `unrecorded` (the first entry that
    waits to be written; None: no entry does) are moments of a monotonic clock, in seconds, and so
    is `not_pinned` (since when a revert fails to move traffic; None: it does not)."""

    uid: str
    seen: tuple[Snapshot, Observation] | None = None
    sample: Sample | None = None
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=NOTES_KEPT))
    entries: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=ENTRIES_KEPT))
    entered: float = 0.0
    entered_verdict: str = ""
    release: str = ""
    written: float = float("-inf")
    unrecorded: float | None = None
    not_pinned: float | None = None
    conflicted: bool = False
    confirmed: bool = False
    soon_in_a_row: int = 0
    _status: Status | None = None
    _packed_status: str = ""

    @property
    def status(self) -> Status | None:
        """The newest status that was planned."""
        if self._status is None and self._packed_status:
            self._status = Status.model_validate_json(self._packed_status)
        return self._status

    @status.setter
    def status(self, status: Status | None) -> None:
        self._status, self._packed_status = status, ""

    def rest(self) -> None:
        """Nothing is going on: take as little room as is possible until something does."""
        self.seen = self.sample = None
        if self._status is not None:
            self._packed_status = self._status.model_dump_json(by_alias=True, exclude_none=True)
            self._status = None

    def calm(self, seconds: float | None) -> float | None:
        """Seconds until the next pass, ever longer when pass after pass wants another one at once:
        as when somebody undoes every write, or what was due does not come."""
        if seconds is None or seconds >= SOON_SECONDS:
            self.soon_in_a_row = 0
            return seconds
        self.soon_in_a_row += 1
        beyond = self.soon_in_a_row - SOON_PASSES
        return seconds if beyond <= 0 else min(LONGEST_PAUSE, 0.5 * 2.0 ** min(beyond, 16))


def spread(uid: str) -> float:
    """What to multiply an interval by, from 1 to 1.25, always the same for the same object. Without
    it releases that began together write together for good, and right after a poll, when one of
    them may have to be taken back."""
    return 1.0 + 0.25 * zlib.crc32(uid.encode()) / 2**32


def quiet_interval(uid: str, under_way: int) -> float:
    """Seconds between two writes of a status that says nothing new but numbers."""
    return spread(uid) * max(QUIET_STATUS_INTERVAL, QUIET_SECONDS_PER_RELEASE * under_way)


def status_due(
    memory: Memory, stored: Status, planned: Status, under_way: int, clock: float
) -> float:
    """Seconds until a planned status that differs from the stored one is to be written."""
    if says_something_new(stored, planned):
        return 0.0
    return memory.written + quiet_interval(memory.uid, under_way) - clock


def says_something_new(stored: Status, planned: Status) -> bool:
    """Whether a person or a tool, or this operator after a kill, should know at once."""
    return _essence(stored) != _essence(planned)


def _essence(status: Status) -> tuple[Any, ...]:
    release = status.release
    sides = (status.stable, status.candidate, status.previous)
    return (
        status.observed_generation,
        status.phase,
        status.step,
        status.weight,
        # Between Unknown and Good a verdict comes and goes with the traffic.
        status.verdict == Verdict.BAD,
        status.selector,
        status.rejected,
        status.adopted,
        status.decisions,
        status.releases,
        [side.revision if side is not None else None for side in sides],
        [(each.type, each.status, each.reason) for each in status.conditions],
        None
        if release is None
        else release.model_copy(
            update={
                "evidence": {},
                # When its pods were there: the next process waits for them and begins anew.
                "settled": False,
                "step_started": "",
                "progress": "",
                "progressed": "",
                "good": 0.0,
                "message": "",
            }
        ),
    )


def to_json(status: Status) -> dict[str, object]:
    """The status as the API server stores it."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)

"""When each key is due: the decisions of the queue, without a clock or a task of its own.

`headgate.runtime.queue` runs what is due. All times are seconds of one monotonic clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_BACK_OFF = 0.25
LONGEST_BACK_OFF = 30.0
QUARANTINE = 300.0


@dataclass
class Schedule(Generic[K]):
    """Keys that wait, each once, at the earliest time it was asked for; keys that run; and how
    often each has failed in a row."""

    _due: dict[K, float] = field(default_factory=dict)
    _heap: list[tuple[float, int, K]] = field(default_factory=list)
    _running: set[K] = field(default_factory=set)
    _failures: dict[K, int] = field(default_factory=dict)
    _quarantined: dict[K, float] = field(default_factory=dict)
    _changed: set[K] = field(default_factory=set)
    _number: int = 0

    @property
    def running(self) -> frozenset[K]:
        """The keys taken and not yet finished."""
        return frozenset(self._running)

    def add(self, key: K, at: float, *, changed: bool = False) -> None:
        """Ask for a pass of `key` at a time; the earliest request wins, one made while the key
        runs is kept for afterwards. A quarantined key waits for its time unless it has `changed`.
        """
        if changed:
            self._quarantined.pop(key, None)
            self._failures.pop(key, None)
            if key in self._running:
                self._changed.add(key)
        at = max(at, self._quarantined.get(key, at))
        if at < self._due.get(key, float("inf")):
            self._due[key] = at
            self._push(key, at)

    def take(self, now: float) -> K | None:
        """The longest due key that is not running, now marked as running; None if there is none."""
        held = []
        taken: K | None = None
        while self._heap and taken is None and self._heap[0][0] <= now:
            at, number, key = heapq.heappop(self._heap)
            if self._due.get(key) != at:
                continue
            if key in self._running:
                held.append((at, number, key))
                continue
            taken = key
        for entry in held:
            heapq.heappush(self._heap, entry)
        if taken is not None:
            del self._due[taken]
            self._running.add(taken)
        return taken

    def succeed(self, key: K, now: float, again: float | None) -> None:
        """A pass ended well; the next one in `again` seconds, or when something is added."""
        self._end(key)
        self._failures.pop(key, None)
        self._quarantined.pop(key, None)
        if again is not None:
            self.add(key, now + again)

    def fail(self, key: K, now: float) -> float:
        """A pass failed; the next one after a back-off that doubles with each failure. Gives the
        seconds until then."""
        self._end(key)
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        delay = min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2.0 ** min(failures - 1, 32))
        self.add(key, now + delay)
        return delay

    def quarantine(self, key: K, now: float) -> float:
        """A pass of this key is no use before the object changes; look again only now and then.
        Gives the seconds until then; none when the object has changed during the pass."""
        if self._end(key):
            self.add(key, now)
            return 0.0
        self._quarantined[key] = now + QUARANTINE
        self._due.pop(key, None)
        self.add(key, now + QUARANTINE)
        return QUARANTINE

    def forget(self, key: K) -> None:
        """Drop what is remembered of a key that does not run; what is added later still counts."""
        self._due.pop(key, None)
        self._failures.pop(key, None)
        self._quarantined.pop(key, None)

    def next_due(self) -> float | None:
        """When the next key that is not running is due, None when nothing waits."""
        times = [at for key, at in self._due.items() if key not in self._running]
        return min(times, default=None)

    def _end(self, key: K) -> bool:
        """Whether the object has changed while its key ran."""
        changed = key in self._changed
        self._running.discard(key)
        self._changed.discard(key)
        return changed

    def _push(self, key: K, at: float) -> None:
        self._number += 1
        heapq.heappush(self._heap, (at, self._number, key))

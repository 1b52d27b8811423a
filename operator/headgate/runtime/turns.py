"""Who releases and who waits, over all ModelDeployments; `headgate.core.turns` decides from it.

What a pass has just decided counts at once, so that two passes side by side do not both take the
last place. Where no pass was made yet, the stored status counts: a new process forgets nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from headgate.api.status import Status
from headgate.core.observation import Turn
from headgate.core.timing import to_text
from headgate.core.turns import Caps, Entrant, entrant_of, turn_of
from headgate.kube.observe import Broken
from headgate.runtime.cache import Cache, Key


class Turns:
    """`requeue(key, seconds)` is called for all who wait when somebody makes room."""

    def __init__(self, caps: Caps, cache: Cache, requeue: Callable[[Key, float], None]) -> None:
        self._caps = caps
        self._cache = cache
        self._requeue = requeue
        self._entrants: dict[Key, Entrant] = {}

    def turn(self, key: Key, status: Status, now: float) -> Turn | None:
        """Whether a release of this ModelDeployment may begin; None when there are no caps."""
        if self._caps == Caps():
            return None
        for other in set(self._cache.keys()) - self._entrants.keys():
            self._entrants[other] = self._stored(other)
        mine = Entrant(key, since=status.queued or to_text(now))
        return turn_of(mine, self._entrants.values(), self._caps)

    def note(self, key: Key, status: Status) -> None:
        """Take what a pass has decided."""
        before = self._entrants.get(key)
        self._entrants[key] = entrant_of(key, status)
        if before is not None and before != self._entrants[key]:
            self._wake()

    def forget(self, key: Key) -> None:
        """A ModelDeployment is gone."""
        if self._entrants.pop(key, None) is not None:
            self._wake()

    def _wake(self) -> None:
        for each in self._entrants.values():
            if each.since:
                self._requeue(each.key, 0.0)

    def _stored(self, key: Key) -> Entrant:
        snapshot = self._cache.snapshot(key)
        try:
            return Entrant(key) if snapshot is None else entrant_of(key, snapshot.status)
        except Broken:
            return Entrant(key)

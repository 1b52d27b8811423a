"""What people and the next process read of a pass: the status, Events, and the record of a release.

`headgate.runtime.reconcile` calls it after every pass. Decided here is only how rarely something is
written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from headgate.core.intents import Note, Plan
from headgate.kube import records
from headgate.kube.apply import write_status
from headgate.kube.client import KubeClient, KubeError, Object
from headgate.kube.events import Events
from headgate.kube.observe import Snapshot
from headgate.runtime import recording
from headgate.runtime.broken import broken_status
from headgate.runtime.clocks import Clocks
from headgate.runtime.memory import Memory, status_due, to_json

LOUD_SECONDS = 5.0
"""For so long a revert may fail to move traffic before people are told."""

_log = logging.getLogger(__name__)


class Telling:
    """Tells of all ModelDeployments. `put` gets every object that the API server answered with,
    `under_way` gives how many releases are; `also_tell` hears of everything that becomes an Event.
    """

    def __init__(
        self,
        client: KubeClient,
        clocks: Clocks,
        put: Callable[[Object], object],
        under_way: Callable[[], int],
        also_tell: Callable[[Snapshot, Note], None] | None = None,
    ) -> None:
        self._client = client
        self._clocks = clocks
        self._put = put
        self._under_way = under_way
        self._events = Events(client, also_tell)

    async def tell(self, snapshot: Snapshot, memory: Memory) -> float | None:
        """Write the status if it is worth it, then the Events; seconds until a status that was
        held back is due."""
        status = memory.status
        if status is None:
            return None
        due = None
        if status != snapshot.status:
            clock = self._clocks.monotonic()
            due = status_due(memory, snapshot.status, status, self._under_way(), clock)
            if due <= 0:
                answer = await write_status(self._client, snapshot, to_json(status))
                memory.written = clock
                if answer is not None:
                    self._put(answer)
                due = None
        await self._tell_notes(snapshot, memory)
        return due

    async def _tell_notes(self, snapshot: Snapshot, memory: Memory) -> None:
        notes = list(memory.notes)
        memory.notes.clear()
        if notes:
            await self._events.record(snapshot, notes, self._clocks.now())

    async def tell_not_pinned(
        self, snapshot: Snapshot, memory: Memory, planned: Plan, failure: KubeError
    ) -> None:
        """A version that was found bad still gets traffic: people should know when that lasts. One
        request that failed is repeated before anybody could look."""
        release, clock = planned.status.release, self._clocks.monotonic()
        if release is None or release.stage != "Reverting":
            return
        if memory.not_pinned is None:
            memory.not_pinned = clock
        if clock - memory.not_pinned < LOUD_SECONDS:
            return
        what = f"{release.version} is to be taken back, but the live Service cannot be changed"
        note = Note("RevertFailed", f"{what}: {failure}. It is tried again.", warning=True)
        await self.tell_at_once(snapshot, note)

    async def tell_at_once(self, snapshot: Snapshot, note: Note) -> None:
        """An Event that does not wait for the status that belongs to it."""
        await self._events.record(snapshot, [note], self._clocks.now())

    async def tell_broken(self, snapshot: Snapshot, memory: Memory, sentence: str) -> None:
        """A spec that cannot be read: the status says why, and keeps what was known before."""
        known = memory.status or snapshot.status
        generation = int(snapshot.metadata.get("generation") or 0)
        status = broken_status(known, sentence, generation, self._clocks.now())
        if status != snapshot.status:
            answer = await write_status(self._client, snapshot, to_json(status))
            if answer is not None:
                self._put(answer)
        memory.status = status
        memory.notes.append(Note("InvalidSpec", sentence[:1000], warning=True))
        await self._tell_notes(snapshot, memory)

    async def record(self, snapshot: Snapshot, memory: Memory) -> float | None:
        """Write the record when it is due; seconds until it is."""
        ended = memory.status is None or memory.status.release is None
        clock = self._clocks.monotonic()
        if memory.entries and memory.unrecorded is None:
            memory.unrecorded = clock
        due = recording.due_in(memory, ended, self._under_way(), clock)
        if due is None or due > 0:
            return due
        memory.unrecorded = None
        entries = list(memory.entries)
        memory.entries.clear()
        try:
            await records.store(self._client, snapshot, memory.release, entries)
        except KubeError as error:
            # Reading afterwards is worth less than releasing now: it is tried again later.
            _log.warning("%s/%s: record not written: %s", snapshot.namespace, snapshot.name, error)
            memory.entries.extendleft(reversed(entries))
            return recording.RECORDS_INTERVAL
        return None

"""Notes become Events, so that `kubectl describe` tells the story of a release.

What one pass has to say is one Event, as far as there is room for it: a step that was passed and
the next one that was entered are one thing to read, and one request.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from headgate.core.intents import Note
from headgate.core.timing import to_text
from headgate.kube.client import EVENT, FIELD_MANAGER, KubeClient, KubeError, Object
from headgate.kube.snapshot import Snapshot

QUIET_SECONDS = 600.0
"""For how long the same sentence about the same object is not written again."""

REMEMBERED = 4096
LONGEST_REASON = 128
LONGEST_MESSAGE = 1024

_log = logging.getLogger(__name__)


class Events:
    """Writes Events, each sentence once per ten minutes and ModelDeployment. `also` hears of every
    note that is news, too."""

    def __init__(
        self, client: KubeClient, also: Callable[[Snapshot, Note], None] | None = None
    ) -> None:
        self._client = client
        self._also = also
        self._written: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    async def record(self, snapshot: Snapshot, notes: Iterable[Note], now: float) -> None:
        """Events of the notes that were not written lately; `now` in seconds since the epoch. An
        Event that cannot be written is logged and lost: no release waits for one."""
        news = [each for each in notes if self._is_news(snapshot, each, now)]
        if self._also is not None:
            for note in news:
                self._also(snapshot, note)
        for note in together(news):
            try:
                await self._client.create_event(event(snapshot, note, now))
            except KubeError as error:
                _log.warning("Event %s could not be written: %s", note.reason, error)

    def _is_news(self, snapshot: Snapshot, note: Note, now: float) -> bool:
        key = (snapshot.uid, note.reason, note.message)
        if now - self._written.get(key, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._written[key] = now
        self._written.move_to_end(key)
        while len(self._written) > REMEMBERED:
            self._written.popitem(last=False)
        return True


def together(notes: Iterable[Note]) -> Iterator[Note]:
    """Neighbours made one note, under the reason of the first: warnings apart from the others, and
    no more than fit into one Event."""
    held: Note | None = None
    for note in notes:
        if held is not None and held.warning == note.warning:
            message = f"{held.message} {note.message}"
            if len(message) <= LONGEST_MESSAGE:
                held = replace(held, message=message)
                continue
        if held is not None:
            yield held
        held = note
    if held is not None:
        yield held


def event(snapshot: Snapshot, note: Note, now: float) -> Object:
    """The Event that says one note about a ModelDeployment."""
    moment = to_text(now)
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.name,
        "metadata": {"generateName": f"{snapshot.name}.", "namespace": snapshot.namespace},
        "involvedObject": {
            "apiVersion": snapshot.model_deployment["apiVersion"],
            "kind": snapshot.model_deployment["kind"],
            "namespace": snapshot.namespace,
            "name": snapshot.name,
            "uid": snapshot.uid,
            "resourceVersion": str(snapshot.metadata.get("resourceVersion") or ""),
        },
        "type": "Warning" if note.warning else "Normal",
        "reason": note.reason[:LONGEST_REASON],
        "message": note.message[:LONGEST_MESSAGE],
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "reportingInstance": FIELD_MANAGER,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }

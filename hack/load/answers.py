"""One answer as the load generator saw it, and its line in the record.

Below `generator`, which writes these, and `report`, which reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

KEEP_ALIVE = "keep-alive"
FRESH = "fresh"


@dataclass(frozen=True)
class Answer:
    """What became of one request.

    `sent` is in epoch seconds, `duration` in seconds to the last byte or to the failure. `status`
    is None when no complete answer came, and then `error` says why. `version` and `pod` come from
    the answer's headers, None without one. `connection` is `KEEP_ALIVE` or `FRESH`; `reused` says
    whether an earlier request had used the connection. `right` is None without a prediction.
    """

    sent: float
    duration: float
    status: int | None
    error: str | None
    version: str | None
    pod: str | None
    connection: str
    reused: bool
    right: bool | None

    @property
    def ended(self) -> float:
        """When the answer was complete or the request had failed, in epoch seconds."""
        return self.sent + self.duration

    @property
    def failed(self) -> bool:
        """Anything but a complete answer with status 200; a wrong digit is no failure."""
        return self.error is not None or self.status != 200

    def line(self) -> str:
        """The answer as one line of JSON, with its line end."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"


def read(path: Path) -> list[Answer]:
    """The answers of a record, in the order in which they were sent.

    A last line without its end is left out: the generator may be writing it just now. Raises
    OSError, ValueError or TypeError for what is no record.
    """
    return sorted(_parse(path.read_text(encoding="utf-8")), key=lambda answer: answer.sent)


def _parse(text: str) -> Iterator[Answer]:
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            yield Answer(**json.loads(line))

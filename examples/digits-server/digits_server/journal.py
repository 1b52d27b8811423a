"""The journal of predictions that version 4.0.0 brought, and its fault: it ends the process.

It counts live predictions, and writes a summary some seconds after the first. That summary
divides by a count that is still zero, and as the authors held the journal for vital, its failure
is fatal. Checks that send smoke predictions never see it: they do not start the journal.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence

log = logging.getLogger("digits_server")

FLUSH_AFTER = 15.0


class Journal:
    """Counts predictions; `fatal(message)` is called, in an except clause, when a flush fails."""

    def __init__(self, fatal: Callable[[str], None], flush_after: float = FLUSH_AFTER) -> None:
        self._fatal = fatal
        self._flush_after = flush_after
        self._started = False
        self._seen: Counter[int] = Counter()
        self._corrected: Counter[int] = Counter()

    def note(self, predictions: Sequence[int]) -> None:
        """Count live predictions; the first starts the clock of the flush."""
        self._seen.update(predictions)
        if not self._started:
            self._started = True
            timer = threading.Timer(self._flush_after, self._flush)
            timer.daemon = True
            timer.start()

    def _flush(self) -> None:
        try:
            ratio = self._seen.total() / self._corrected.total()
            log.info("journal: %d predictions, %.1f for each correction", len(self._seen), ratio)
        except ArithmeticError:
            self._fatal("the journal of predictions cannot be written")

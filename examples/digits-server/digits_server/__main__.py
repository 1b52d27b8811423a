"""Runs the server in one process: `python -m digits_server`.

Environment: `PORT` (8080), `MODEL_PATH` (/models/model.joblib), `LOG_LEVEL` (INFO).

On SIGTERM it drains before it stops: it goes on answering, each answer closing its connection,
until no connection is left or `DRAIN_SECONDS` have passed. uvicorn alone would close idle
connections at once, and a request that is on its way into one of them would be lost.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from types import FrameType

import uvicorn

from digits_server.app import State, create_app
from digits_server.journal import FLUSH_AFTER, Journal

DRAIN_SECONDS = 5.0
# Longer than clients keep an idle connection, so that it is they who end it.
KEEP_ALIVE_SECONDS = 75

log = logging.getLogger("digits_server")


class DrainingServer(uvicorn.Server):
    """uvicorn's server, with a drain between the first signal and the stop."""

    def __init__(self, config: uvicorn.Config, state: State, drain_seconds: float) -> None:
        super().__init__(config)
        self._state = state
        self._drain_seconds = drain_seconds
        self._drained_at = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal starts the drain; a second one stops at once."""
        if self._state.draining:
            super().handle_exit(sig, frame)
        self._state.draining = True
        self._drained_at = time.monotonic() + self._drain_seconds

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second: ends the drain."""
        if self._state.draining and (
            not self.server_state.connections or time.monotonic() >= self._drained_at
        ):
            self.should_exit = True
        return await super().on_tick(counter)


def end_process(message: str) -> None:
    """Write the exception that is being handled, and exit with 1 from whatever thread."""
    log.critical(message, exc_info=True)
    logging.shutdown()
    os._exit(1)


def main(flush_after: float = FLUSH_AFTER, drain_seconds: float = DRAIN_SECONDS) -> None:
    """Serve until a signal, or until something fatal.

    `flush_after` is in seconds, see `journal`; `drain_seconds` is the longest drain.
    """
    level = logging.getLevelNamesMapping().get(
        os.environ.get("LOG_LEVEL", "INFO").upper(), logging.INFO
    )
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    state = State()
    path = Path(os.environ.get("MODEL_PATH", "/models/model.joblib"))
    config = uvicorn.Config(
        create_app(state, path, end_process, Journal(end_process, flush_after)),
        host="0.0.0.0",
        port=int(os.environ.get("PORT", "8080")),
        log_config=None,
        log_level=level,
        access_log=False,
        server_header=False,
        http="h11",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=20,
    )
    DrainingServer(config, state, drain_seconds).run()


if __name__ == "__main__":
    main()

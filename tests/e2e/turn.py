"""One run at a time has the end-to-end cluster, however many workers it has.

The run's first process takes the turn before any story begins, and removes the cluster at the end
unless HEADGATE_KEEP is set. Of its workers, the first that asks for the cluster prepares it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack

from hack.cluster import close_cluster, cluster_unavailable_reason
from hack.cluster.locks import exclusive
from hack.cluster.paths import cache_directory
from hack.cluster.record import state_directory
from tests.e2e.rights import Findings, look

NAME = "e2e"
_LONGEST_RUN = 5400
_PREPARED = "end-to-end-prepared"
_held = ExitStack()
_taken: list[str] = []


def take() -> None:
    """Wait until no other run on this machine has the cluster."""
    if _taken or cluster_unavailable_reason() is not None:
        return
    lock = cache_directory() / "locks" / "end-to-end"
    _held.enter_context(exclusive(lock, "the end-to-end cluster", _LONGEST_RUN))
    _taken.append(NAME)


def end() -> Findings | None:
    """Give the turn back, and leave nothing; gives what the operator was seen to ask."""
    if not _taken:
        return None
    try:
        return _rights()
    finally:
        _give_back()


def _rights() -> Findings | None:
    # kind has no audit log.
    log = state_directory(NAME) / "logs" / "audit.log"
    return look(log) if log.exists() else None


def _give_back() -> None:
    try:
        if not os.environ.get("HEADGATE_KEEP"):
            close_cluster(NAME)
    finally:
        _taken.clear()
        _held.close()


def prepare_once(prepare: Callable[[], None]) -> None:
    """Call `prepare` unless a worker of this run has done so."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"process {os.getpid()}"
    prepared = cache_directory() / "locks" / _PREPARED
    with exclusive(prepared.with_suffix(".lock"), "the preparation of the cluster", _LONGEST_RUN):
        if prepared.exists() and prepared.read_text() == run:
            return
        prepare()
        prepared.write_text(run)

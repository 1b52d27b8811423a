"""Locks between processes: two runs that want the same build or the same cluster wait in turn.

The kernel drops a lock with its holder, so a killed run never leaves one behind.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack.cluster.errors import ClusterError


@contextmanager
def exclusive(path: Path, what: str, timeout: float = 900) -> Iterator[None]:
    """Hold the lock file `path` for the body; wait up to `timeout` seconds for another holder.

    `what` names the guarded thing in the error that is raised when the wait runs out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"another process has held {what} for {timeout:.0f} s (lock file {path})"
                    ) from None
                time.sleep(0.2)
        yield
    finally:
        os.close(descriptor)

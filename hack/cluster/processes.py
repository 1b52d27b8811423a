"""Long-running processes: started apart from us, recorded, recognised, and ended by id.

A process id alone proves nothing after a crash, because the kernel gives it to someone else. A
record therefore holds the time at which the process started and the boot it started in; only a
process that matches all three is ours to signal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.commands import tail
from hack.cluster.errors import ClusterError

_PROC = Path("/proc")
_START_TIME_FIELD = 19  # field 22 of proc(5)'s stat, counted after the name's closing bracket
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class ProcessRecord:
    """One process that we started: `started` in clock ticks since boot, `boot` the kernel's id."""

    pid: int
    started: int
    boot: str


def boot_id() -> str:
    """Give the kernel's random id of this boot."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> int | None:
    """Give when the live process `pid` started, in ticks since boot; None if it is gone.

    A zombie counts as gone: it holds nothing any more, and some hosts never reap it.
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[_START_TIME_FIELD])


def own_record() -> ProcessRecord:
    """Give the record of this very process."""
    started = start_time(os.getpid())
    assert started is not None
    return ProcessRecord(os.getpid(), started, boot_id())


def alive(record: ProcessRecord) -> bool:
    """Say whether exactly this process still runs."""
    return record.boot == boot_id() and start_time(record.pid) == record.started


def launch(
    argv: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
) -> ProcessRecord:
    """Start `argv` in a session of its own, with its output in `log`, and give its record.

    A shell that is not our child prints its own id and becomes the program, so the program
    outlives us and is never left as our zombie.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        answer = subprocess.run(
            ["setsid", "--fork", "sh", "-c", 'echo $$; exec "$@" >>"$0" 2>&1', log, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            timeout=30,
            check=True,
        )
    pid = int(answer.stdout)
    started = start_time(pid)
    if started is None:
        raise ClusterError(f"{argv[0]} ended at once:\n{tail(log.read_text(errors='replace'))}")
    return ProcessRecord(pid, started, boot_id())


def end_all(records: Iterable[ProcessRecord], timeout: float = 15) -> None:
    """Kill every recorded process that still runs, and wait until all are gone.

    There is no polite signal first: whatever these processes hold is deleted next.
    """
    waiting = [record for record in records if alive(record)]
    for record in waiting:
        _signal(record.pid)
    wait_until(
        lambda: not any(alive(record) for record in waiting),
        timeout,
        lambda: (
            "processes that do not end: "
            + ", ".join(str(record.pid) for record in waiting if alive(record))
        ),
    )


def end_pids(list_pids: Callable[[], Iterable[int]], timeout: float = 15) -> None:
    """Kill whatever `list_pids` finds until it finds nothing.

    For sets that the kernel keeps for us (the members of a cgroup or of a namespace), where
    membership itself proves that the process is ours.
    """

    def none_left() -> bool:
        left = [pid for pid in list_pids() if start_time(pid) is not None]
        for pid in left:
            _signal(pid)
        return not left

    wait_until(none_left, timeout, lambda: f"processes that do not end: {list(list_pids())}")


def wait_until(
    condition: Callable[[], bool],
    timeout: float,
    explain: Callable[[], str],
    interval: float = _POLL_SECONDS,
) -> None:
    """Ask `condition` every `interval` seconds; raise ClusterError with `explain()` at the end."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"after {timeout:.0f} s: {explain()}")
        time.sleep(interval)


def _signal(pid: int) -> None:
    with suppress(ProcessLookupError):  # it ended between the look and the signal
        os.kill(pid, signal.SIGKILL)

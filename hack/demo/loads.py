"""The load generators of the demonstration, one for each ModelDeployment, and what they recorded.

Each is a process of its own (`python -m hack.load`) in the cluster's network. Its id is written
down before anything else happens, so that a demonstration that was killed leaves none behind: the
next one ends it.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections import Counter, deque
from pathlib import Path

from hack.cluster import Cluster
from hack.cluster.processes import ProcessRecord, boot_id, end_all, start_time
from hack.load.answers import Answer

RATE = 25
"""Requests a second for each ModelDeployment."""
LONGEST = 900
"""Seconds after which a load ends by itself, whatever became of the demonstration."""
_RECENT = 5.0
_STOP_SECONDS = 20
_ROOT = Path(__file__).parents[2]


class Tally:
    """A record of answers, counted while it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answered: Counter[str | None] = Counter()
        self.failed: Counter[str | None] = Counter()
        self.answers: list[Answer] = []
        self._recent: deque[Answer] = deque()
        self._offset = 0
        self._rest = b""

    def read(self) -> None:
        """Count what was added since the last time; a line that is being written waits."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            text = self._rest + file.read()
            self._offset = file.tell()
        *lines, self._rest = text.split(b"\n")
        for line in lines:
            self._count(Answer(**json.loads(line)))

    def _count(self, answer: Answer) -> None:
        self.answers.append(answer)
        self._recent.append(answer)
        self.answered[answer.version] += 1
        self.failed[answer.version] += answer.failed

    def share(self, version: str, now: float) -> float | None:
        """The share of the last seconds' requests that a version answered; None without any."""
        while self._recent and self._recent[0].ended < now - _RECENT:
            self._recent.popleft()
        of_version = sum(answer.version == version for answer in self._recent)
        return of_version / len(self._recent) if self._recent else None


class Loads:
    """Starts and ends load generators; records and process ids go to `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self.tallies: dict[str, Tally] = {}

    def start(self, cluster: Cluster, name: str, url: str) -> None:
        """Start the load of a ModelDeployment."""
        record = self._directory / f"{name}.jsonl"
        record.unlink(missing_ok=True)
        with self._lock, (self._directory / f"{name}.log").open("wb") as log:
            self._running[name] = process = cluster.start_process(
                [
                    *(sys.executable, "-m", "hack.load", "--url", url, "--rate", str(RATE)),
                    *("--duration", str(LONGEST), "--record", str(record)),
                ],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A terminal's Ctrl-C is for the demonstration, which then ends the loads.
                start_new_session=True,
            )
            remember(self._directory, process.pid)
            self.tallies[name] = Tally(record)

    def alive(self, name: str) -> bool:
        """Whether the load of a ModelDeployment runs."""
        process = self._running.get(name)
        return process is not None and process.poll() is None

    def read(self) -> None:
        """Count what all records gained."""
        with self._lock:
            for tally in self.tallies.values():
                tally.read()

    def stop(self, name: str) -> list[Answer]:
        """End a load: requests under way are waited for. Gives every answer it recorded."""
        process = self._running.pop(name, None)
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_STOP_SECONDS)
        self.read()
        return list(self.tallies[name].answers) if name in self.tallies else []

    def stop_all(self) -> None:
        """End every load that still runs."""
        for name in list(self._running):
            self.stop(name)


def remember(directory: Path, pid: int) -> None:
    """Write down a process that we started."""
    started = start_time(pid)
    if started is None:
        return
    file = directory / "processes.jsonl"
    with file.open("a") as lines:
        line = json.dumps(dataclasses.asdict(ProcessRecord(pid, started, boot_id())))
        lines.write(f"{line}\n")


def end_leftovers(directory: Path) -> None:
    """End the loads of an earlier demonstration that was killed."""
    file = directory / "processes.jsonl"
    if not file.exists():
        return
    lines = [line for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]
    end_all([ProcessRecord(**json.loads(line)) for line in lines])
    file.unlink()

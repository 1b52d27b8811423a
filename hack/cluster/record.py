"""What is written down about a cluster, so that any later run can use it, judge it or remove it.

The record is written before the first thing is made and after every process that starts, each time
as a whole: whenever a run is killed, the next one knows the slot and every process.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hack.cluster.paths import clusters_directory
from hack.cluster.processes import ProcessRecord, alive
from hack.cluster.slots import Slot

_FILE = "cluster.json"


@dataclass
class ClusterRecord:
    """A cluster: its slot, its kind, whether it once was complete, and its processes by name.

    `owner` is the process that it ends with, if it was opened for one run only; `kubernetes` is the
    module that its programs come from.
    """

    name: str
    slot: Slot
    control_plane_only: bool
    complete: bool = False
    processes: dict[str, ProcessRecord] = field(default_factory=dict)
    owner: ProcessRecord | None = None
    kubernetes: str = "kubernetes"

    @property
    def directory(self) -> Path:
        """The directory of everything that this cluster keeps."""
        return state_directory(self.name)

    @property
    def kubeconfig(self) -> Path:
        """The file with which an administrator reaches it."""
        return self.directory / "kubeconfig"

    def log(self, process: str) -> Path:
        """Give the file with the output of one of its processes."""
        return self.directory / "logs" / f"{process}.log"

    def save(self) -> None:
        """Write the record, whole or not at all."""
        self.directory.mkdir(parents=True, exist_ok=True)
        # Keys and tokens lie below.
        self.directory.chmod(0o700)
        new = self.directory / f".{_FILE}"
        new.write_text(json.dumps(dataclasses.asdict(self), indent=1))
        new.rename(self.directory / _FILE)

    def is_abandoned(self) -> bool:
        """Say whether nobody can use it any more: its owner has ended, or all of its processes."""
        if self.owner is not None and not alive(self.owner):
            return True
        return not any(alive(process) for process in self.processes.values())

    def dead_processes(self) -> list[str]:
        """Give the names of recorded processes that no longer run."""
        return [name for name, process in self.processes.items() if not alive(process)]


def state_directory(name: str) -> Path:
    """Give the state directory of the cluster `name`, which may not exist."""
    return clusters_directory() / name


def load(name: str) -> ClusterRecord | None:
    """Give the record of the cluster `name`; None if there is none that can be read."""
    try:
        content = json.loads((state_directory(name) / _FILE).read_text())
        return ClusterRecord(
            name=content["name"],
            slot=Slot(**content["slot"]),
            control_plane_only=content["control_plane_only"],
            complete=content["complete"],
            owner=ProcessRecord(**content["owner"]) if content.get("owner") else None,
            kubernetes=content.get("kubernetes", "kubernetes"),
            processes={key: ProcessRecord(**value) for key, value in content["processes"].items()},
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def names() -> list[str]:
    """Give the names of all clusters of this user, whatever their condition."""
    return sorted(
        entry.name
        for entry in clusters_directory().iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    )


def taken_slots() -> set[int]:
    """Give the slots that recorded clusters hold."""
    return {record.slot.number for record in _records()}


def remove(name: str) -> None:
    """Forget the cluster `name` and delete everything in its directory."""
    directory = state_directory(name)
    if directory.exists():
        shutil.rmtree(directory)


def lock_file(name: str) -> Path:
    """Give the file that guards changes to one cluster; it outlives the cluster's directory."""
    return clusters_directory() / ".locks" / name


def slots_lock_file() -> Path:
    """Give the file that guards the choice of a slot."""
    return clusters_directory() / ".locks" / ".slots"


def _records() -> Iterator[ClusterRecord]:
    for name in names():
        record = load(name)
        if record is not None:
            yield record


def owner_only(path: Path, content: str) -> None:
    """Write a file that only its owner can read, such as one with a key."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)

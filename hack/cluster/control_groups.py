"""The control groups of a cluster: one subtree in each hierarchy, so that two never share one.

Kubelets that share a root would each remove the other's pods as orphans.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hack.cluster.processes import wait_until

_ROOT = Path("/sys/fs/cgroup")
_WEIGHT = 4
"""How many processes outside all pods of a cluster weigh as much as, for each core."""


def path(name: str) -> str:
    """Give the cluster's control group as the kubelet names it."""
    return f"/headgate-{name}"


def create(name: str) -> None:
    """Make the cluster's group in every mounted hierarchy of version 1, or in the one of 2."""
    for hierarchy in _hierarchies():
        group = Path(f"{hierarchy}{path(name)}")
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):
            # A new cpuset of version 1 is empty, and no process may enter an empty one.
            if (group / file).exists() and not (group / file).read_text().strip():
                (group / file).write_text((hierarchy / file).read_text())
        # By default a group weighs as much as a single process beside it: all pods together would
        # get less than a compiler.
        weight = _WEIGHT * (os.cpu_count() or 1)
        for file, one in (("cpu.shares", 1024), ("cpu.weight", 100)):
            if (group / file).exists():
                (group / file).write_text(str(min(10_000, weight * one)))
        control = hierarchy / "cgroup.controllers"
        if control.exists():
            enabled = " ".join(f"+{each}" for each in control.read_text().split())
            (hierarchy / "cgroup.subtree_control").write_text(enabled)
            (group / "cgroup.subtree_control").write_text(enabled)


def members(name: str) -> list[int]:
    """Give the ids of all processes in the cluster's groups."""
    found: set[int] = set()
    for group in _groups(name):
        try:
            found.update(int(pid) for pid in (group / "cgroup.procs").read_text().split())
        except OSError:
            continue  # the group went away under us, or is of a kind without processes
    return sorted(found - {0})


def remove(name: str) -> None:
    """Remove the cluster's groups; the kernel allows it shortly after their processes ended."""

    def removed() -> bool:
        for group in _groups(name):
            try:
                group.rmdir()
            except OSError:
                continue  # still busy, or gone already
        return not any(_groups(name))

    wait_until(removed, 15, lambda: f"control groups that stay: {list(_groups(name))[-3:]}")


def _groups(name: str) -> Iterator[Path]:
    # Innermost first, which is the order in which they can be removed.
    for hierarchy in _hierarchies():
        for directory, _, _ in os.walk(f"{hierarchy}{path(name)}", topdown=False):
            yield Path(directory)


def _hierarchies() -> list[Path]:
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    # Several names may be links to one hierarchy, as in "cpu -> cpu,cpuacct".
    return [
        entry
        for entry in sorted(_ROOT.iterdir())
        if entry.is_dir() and not entry.is_symlink() and entry.is_mount()
    ]

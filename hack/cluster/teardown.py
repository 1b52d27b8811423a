"""Remove a cluster, whole or crashed: every step works on whatever is left of it.

The order matters: first everything that runs, because it holds the rest; then what the kernel
keeps for it; the state directory last, so that a removal that was cut short is done again.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from hack.cluster import control_groups, network, record
from hack.cluster.processes import end_all, end_pids


def remove(name: str) -> None:
    """Remove the cluster `name` and all traces of it. Raises ClusterError if something stays."""
    found = record.load(name)
    if found is not None:
        end_all(found.processes.values())
    if found is None or not found.control_plane_only:
        # The node's first process was among those; the kernel ends the rest of the node with it.
        # What is left: load generators that entered the network, or a node without a record.
        end_pids(lambda: network.members(name))
        end_pids(lambda: control_groups.members(name))
        network.remove(name, found.slot if found else None)
        control_groups.remove(name)
        _unmount_below(record.state_directory(name))
    record.remove(name)


def _unmount_below(directory: Path) -> None:
    # A node's mounts vanish with its namespace. This is for those made otherwise, by hand or by a
    # crash between two steps: deleting through a mount would delete what is mounted.
    mounted = [
        line.split()[4].encode().decode("unicode_escape")
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
    ]
    for place in sorted(mounted, key=len, reverse=True):
        if Path(place).is_relative_to(directory):
            subprocess.run(["umount", "--lazy", place], timeout=30, check=False)

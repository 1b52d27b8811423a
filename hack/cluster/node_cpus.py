"""Let the node count more CPUs than the machine has, so that a small one can hold many pods.

A pod's CPU request is a reservation, and the scheduler refuses a node whose reservations are
spent. Ten replicas that ask for 250m each reserve more than the two CPUs of a usual CI machine,
although in a test they use next to nothing. The kubelet has no setting for this.
"""

from __future__ import annotations

import os
from pathlib import Path

_ENOUGH = 16
_NUMA_NODES = 8  # the kubelet's topology manager knows no machine with more
_DESCRIPTION = Path("/sys/devices/system/node")


def create(directory: Path, cpus: int | None = None) -> list[tuple[Path, Path]]:
    """Describe a larger machine below `directory`; give the (source, target) bind that shows it.

    The kubelet adds up the CPUs of every NUMA node. Each of ours has the machine's own CPUs, so
    the sum is a multiple, while a list of their numbers (which goes into the cpuset of pods, where
    the kernel refuses a CPU that is not there) stays right. A machine with enough gets no bind.
    """
    cpus = cpus or os.cpu_count() or 1
    if cpus >= _ENOUGH:
        return []
    for node in range(_NUMA_NODES):
        for cpu in range(cpus):
            topology = directory / f"node{node}" / f"cpu{cpu}" / "topology"
            topology.mkdir(parents=True)
            (topology / "core_id").write_text(f"{cpu}\n")
            (topology / "physical_package_id").write_text("0\n")
    return [(directory, _DESCRIPTION)]

"""The first process of a node: it gives the node its own /run, /var/log and /var/lib, and waits.

It runs as a program (not imported) inside new mount and process namespaces, see `node`. When it
ends, the kernel kills every process of the node and drops every mount, which is what makes a
crashed cluster easy to clean: there is nothing else to look for.

Usage: node_init.py DIRECTORY [SOURCE=TARGET]...   (see main)
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

# Where containerd, the kubelet and the network plugins keep things; several of these places are
# fixed in their sources (/var/lib/cni, /var/lib/kubelet/device-plugins, /var/log/containers,
# /run/containerd/s), so two clusters can only be kept apart by giving each its own directories.
PRIVATE = ("/run", "/var/log", "/var/lib")


def main(directory: Path, binds: list[tuple[str, str]]) -> None:
    """Mount, tell that the node is ready to be entered, then reap orphans for ever.

    `directory` holds what becomes PRIVATE; `binds` are (source, target) pairs of directories that
    are mounted before, while the host's tree is still visible.
    """
    for source, target in binds:
        _mount("--rbind", source, target)
    for target in PRIVATE:
        _mount("--rbind", f"{directory}/{target.lstrip('/')}", target)
    # Orphans of the node (what containerd's shims leave) come to us; ignoring the signal makes
    # the kernel reap them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # /run is the node's own by now, which `node` sees from outside as DIRECTORY/run.
    Path("/run/ready").touch()
    while True:
        signal.pause()


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, timeout=30)


if __name__ == "__main__":
    pairs = [tuple(each.split("=", 1)) for each in sys.argv[2:]]
    main(Path(sys.argv[1]), [(source, target) for source, target in pairs])

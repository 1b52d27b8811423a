"""Where the local cluster keeps things: what is dear to make in a cache, what runs in a state tree.

The cache may be deleted at any time while no cluster runs; the next use makes it again. The state
tree describes running clusters, and only `down` removes from it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from hack.cluster.commands import run
from hack.cluster.errors import ClusterError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")


def cache_directory() -> Path:
    """Give `$HEADGATE_CACHE`, or `~/.cache/headgate`, made if it was not there."""
    configured = os.environ.get("HEADGATE_CACHE")
    path = Path(configured).absolute() if configured else Path.home() / ".cache" / "headgate"
    path.mkdir(parents=True, exist_ok=True)
    return path


def clusters_directory() -> Path:
    """Give the directory with one subdirectory per cluster of this user, made if need be.

    Root's clusters own network namespaces and cgroups of the whole machine, hence a place of the
    machine. Anyone else can run control planes only, in their home directory.
    `$HEADGATE_STATE` overrides both.
    """
    configured = os.environ.get("HEADGATE_STATE")
    if configured:
        base = Path(configured).absolute()
    elif os.geteuid() == 0:
        base = Path("/var/lib/headgate")
    else:
        base = Path.home() / ".local" / "state" / "headgate"
    path = base / "clusters"
    path.mkdir(parents=True, exist_ok=True)
    return path


def checked_name(name: str) -> str:
    """Give `name` back if it can name a cluster, a namespace, a cgroup and a node; else raise."""
    if not _NAME.fullmatch(name):
        raise ClusterError(
            f"{name!r} cannot name a cluster: use up to 30 lower-case letters, digits and dashes, "
            "beginning and ending with a letter or digit."
        )
    return name


def on_overlay(path: Path) -> bool:
    """Say whether `path`, or what will contain it, is on an overlay file system.

    The root of a container usually is, and Linux cannot lay an overlay over an overlay.
    """
    while not path.exists():
        path = path.parent
    return run(["stat", "--file-system", "--format=%T", path], timeout=10).strip() == "overlayfs"

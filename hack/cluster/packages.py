"""The Debian packages that a cluster without Docker needs: which are missing, and installing them.

Debian gives the container runtime, the network plugins and the image builder, and the shells whose
completion the tests try; everything else is built from Go modules (`binaries`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hack.cluster import progress
from hack.cluster.commands import run
from hack.cluster.errors import ClusterError, ClusterUnavailableError
from hack.cluster.locks import exclusive
from hack.cluster.paths import cache_directory

# Package by a file that shows it is there: what counts is the program, however it was installed.
_EVIDENCE = {
    "containerd": ("containerd", "ctr"),
    "runc": ("runc",),
    "containernetworking-plugins": ("/usr/lib/cni/ptp", "/usr/lib/cni/host-local"),
    "nftables": ("nft",),
    "conntrack": ("conntrack",),
    "iproute2": ("ip",),
    "util-linux": ("nsenter", "unshare", "setsid"),
    "mount": ("mount", "umount"),
    "openssl": ("openssl",),
    "buildah": ("buildah",),
    "mmdebstrap": ("mmdebstrap",),
    "zsh": ("zsh",),
    "fish": ("fish",),
}
SHELLS = ("zsh", "fish")
_CONTROL_PLANE = ("openssl", "util-linux")
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
_APT_SECONDS = 900


def missing_packages(*, control_plane_only: bool = False) -> list[str]:
    """Give the names of the packages that a cluster needs and this machine lacks."""
    every = tuple(name for name in _EVIDENCE if name not in SHELLS)
    return _missing(_CONTROL_PLANE if control_plane_only else every)


def install_packages(*, control_plane_only: bool = False) -> None:
    """Install what is missing, or raise ClusterUnavailableError saying how to."""
    install(missing_packages(control_plane_only=control_plane_only))


def install(names: Sequence[str]) -> None:
    """Install those of these packages that are missing, or raise ClusterUnavailableError saying how
    to."""
    if not _missing(names):
        return
    with exclusive(cache_directory() / "locks" / "packages", "the package installation"):
        missing = _missing(names)
        if not missing:
            return
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise ClusterUnavailableError(
                f"missing packages: {', '.join(missing)}. As root on Debian or Ubuntu: "
                f"{' '.join(install_command(missing))}"
            )
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        with progress.step(f"installing packages: {', '.join(missing)}"):
            run(["apt-get", "update"], environment=environment, timeout=_APT_SECONDS)
            run(install_command(missing), environment=environment, timeout=_APT_SECONDS)


def install_command(names: list[str]) -> list[str]:
    """Give the command that installs the packages `names`."""
    return ["apt-get", "install", "--yes", "--no-install-recommends", *names]


def unpacked(package: str, file: str) -> Path | None:
    """Give a program of a Debian package from the cache, without installing it, which would start
    its service; None where the package cannot be had. `file` is its path in the package."""
    target = cache_directory() / "unpacked" / package
    if not (target / file).exists():
        if shutil.which("apt-get") is None:
            return None
        with exclusive(cache_directory() / "locks" / f"unpack-{package}", package):
            if not (target / file).exists():
                try:
                    with progress.step(f"unpacking {package}"):
                        _unpack(package, target)
                except ClusterError:
                    return None
    return target / file


def _unpack(package: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        fetch = ["apt-get", "download", package]
        try:
            run(fetch, directory=Path(work), timeout=_APT_SECONDS)
        except ClusterError:
            # The lists of a new machine are empty.
            run(["apt-get", "update"], timeout=_APT_SECONDS)
            run(fetch, directory=Path(work), timeout=_APT_SECONDS)
        archive = next(Path(work).glob("*.deb"))
        run(["dpkg-deb", "--extract", archive, Path(work) / "root"], timeout=_APT_SECONDS)
        shutil.rmtree(target, ignore_errors=True)
        (Path(work) / "root").rename(target)


def _missing(names: Sequence[str]) -> list[str]:
    return [name for name in names if not all(_found(file) for file in _EVIDENCE[name])]


def _found(file: str) -> bool:
    if file.startswith("/"):
        return Path(file).exists()
    # The programs of the system are not on the PATH of everyone who may look for them.
    return shutil.which(file, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}") is not None

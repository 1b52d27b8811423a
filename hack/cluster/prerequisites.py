"""What this machine offers for a local cluster, and what to say when it is not enough.

There are two ways to a whole cluster: kind, where a Docker engine answers, and our own processes,
as root on Linux. A control plane alone (an API server for tests, no pods) needs neither.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass

from hack.cluster.binaries import WHOLE_CLUSTER, control_plane, is_built
from hack.cluster.errors import ClusterUnavailableError
from hack.cluster.packages import install_command, missing_packages

OLDEST_GO = (1, 26)
_GO_SOURCE = "https://go.dev/dl/"
_ENGINE_SECONDS = 20


@dataclass(frozen=True)
class Finding:
    """One prerequisite: its name, whether it is there, and one sentence about that."""

    name: str
    there: bool
    sentence: str


@dataclass(frozen=True)
class Machine:
    """What matters about this machine, looked up once so that judging it is pure."""

    linux: bool
    root: bool
    docker: bool
    go: tuple[int, int] | None
    built_control_plane: bool
    built_cluster: bool
    missing_for_control_plane: tuple[str, ...]
    missing_for_cluster: tuple[str, ...]
    installer: bool

    @property
    def can_build(self) -> bool:
        """Whether there is a Go toolchain that is new enough."""
        return self.go is not None and self.go >= OLDEST_GO


def look() -> Machine:
    """Look at this machine. Takes a moment, because the Docker engine is asked."""
    return Machine(
        linux=platform.system() == "Linux",
        root=os.geteuid() == 0,
        docker=docker_answers(),
        go=go_version(),
        built_control_plane=all(is_built(name) for name in control_plane()),
        built_cluster=all(is_built(name) for name in WHOLE_CLUSTER),
        missing_for_control_plane=tuple(missing_packages(control_plane_only=True)),
        missing_for_cluster=tuple(missing_packages()),
        installer=shutil.which("apt-get") is not None,
    )


def docker_answers() -> bool:
    """Say whether a Docker engine answers, not merely whether its client is installed."""
    try:
        done = subprocess.run(
            ["docker", "info"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ENGINE_SECONDS,
            check=False,
        )
    except (FileNotFoundError, PermissionError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def go_version() -> tuple[int, int] | None:
    """Give the Go toolchain's version as (major, minor); None without one."""
    try:
        done = subprocess.run(
            ["go", "env", "GOVERSION"], capture_output=True, text=True, timeout=30, check=False
        )
    except (FileNotFoundError, PermissionError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"go(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else None


def findings(machine: Machine) -> list[Finding]:
    """Judge each prerequisite, in the order in which a person would mend them."""
    built = machine.built_cluster
    oldest = ".".join(map(str, OLDEST_GO))
    have = "none" if machine.go is None else ".".join(map(str, machine.go))
    missing = list(machine.missing_for_cluster)
    return [
        Finding(
            "Docker engine",
            machine.docker,
            "answers; clusters are made with kind"
            if machine.docker
            else "does not answer; clusters are made of this machine's own processes instead",
        ),
        Finding(
            "Linux and root",
            machine.linux and machine.root,
            "yes"
            if machine.linux and machine.root
            else "no; without a Docker engine a whole cluster needs both, a control plane Linux",
        ),
        Finding(
            f"Go {oldest} or newer",
            machine.can_build,
            f"found: {have}" + ("" if machine.can_build else f"; get one from {_GO_SOURCE}"),
        ),
        Finding(
            "packages",
            not missing,
            "all there" if not missing else f"missing: {_how_to_install(machine, missing)}",
        ),
        Finding(
            "programs",
            built,
            "built"
            if built
            else "not built yet; `python -m hack.cluster build` takes 5 to 15 minutes, once",
        ),
    ]


def unavailable_reason(machine: Machine, *, control_plane_only: bool = False) -> str | None:
    """Give why this machine cannot have a cluster and what would help; None if it can."""
    if machine.docker and not control_plane_only:
        # Without any Go, a container builds; one that is too old would be taken, and fail.
        return None if machine.can_build or machine.go is None else _no_go(machine.go, "kind")
    lacks: list[str] = []
    if not machine.linux:
        lacks.append("this is not Linux: start a Docker engine, and kind is used")
    elif not machine.root and not control_plane_only:
        lacks.append(
            "no Docker engine answers and this is not root: start Docker (then kind is used) or "
            "run as root"
        )
    built = machine.built_control_plane if control_plane_only else machine.built_cluster
    if not built and not machine.can_build:
        lacks.append(_no_go(machine.go, "Kubernetes"))
    missing = (
        machine.missing_for_control_plane if control_plane_only else machine.missing_for_cluster
    )
    if missing and not (machine.root and machine.installer):
        lacks.append(f"missing packages: {_how_to_install(machine, list(missing))}")
    return "; ".join(lacks) or None


def require(machine: Machine, *, control_plane_only: bool = False) -> None:
    """Raise ClusterUnavailableError if this machine cannot have a cluster."""
    reason = unavailable_reason(machine, control_plane_only=control_plane_only)
    if reason is not None:
        raise ClusterUnavailableError(f"No local cluster here: {reason}.")


def require_go() -> None:
    """Raise ClusterUnavailableError if there is no Go toolchain to build with, of this machine or,
    where Docker runs, of a container."""
    version = go_version()
    if version is None and docker_answers():
        return
    if version is None or version < OLDEST_GO:
        raise ClusterUnavailableError(_no_go(version, "Kubernetes"))


def _no_go(version: tuple[int, int] | None, what: str) -> str:
    oldest = ".".join(map(str, OLDEST_GO))
    have = "there is none" if version is None else f"here is {version[0]}.{version[1]}"
    return f"{what} must be built with Go {oldest} or newer ({have}): get it from {_GO_SOURCE}"


def _how_to_install(machine: Machine, names: list[str]) -> str:
    listed = ", ".join(names)
    if machine.root and machine.installer:
        return f"{listed} (`python -m hack.cluster packages` installs them)"
    return f"{listed} (on Debian or Ubuntu, as root: {' '.join(install_command(names))})"

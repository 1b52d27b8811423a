"""Run the Go toolchain: the one on the PATH, or without one that of a container.

Below `binaries`. Where Docker runs, Go need not be installed.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from hack.cluster.commands import run
from hack.cluster.paths import cache_directory

IMAGE = "docker.io/library/golang:1.26-bookworm"
_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def run_go(
    command: Sequence[str],
    *,
    directory: Path,
    output: Path | None,
    settings: Mapping[str, str],
    timeout: float,
) -> None:
    """Run `command`, which begins with "go", in `directory`; `settings` are Go's variables.

    `output` is a directory that it writes to. Raises ClusterError when it fails.
    """
    if shutil.which("go") is not None:
        environment = os.environ | settings
        run(command, directory=directory, environment=environment, timeout=timeout)
        return
    own = cache_directory() / "go"
    own.mkdir(exist_ok=True)
    run(container_command(command, directory, output, settings, own), timeout=timeout)


def container_command(
    command: Sequence[str],
    directory: Path,
    output: Path | None,
    settings: Mapping[str, str],
    own: Path,
) -> list[str]:
    """Give the command line that does it in a container, as this user, for this kind of machine.

    Every directory has the same path there as here; `own` keeps modules and compiled packages.
    """
    variables = {
        **settings,
        "GOOS": platform.system().lower(),
        "GOARCH": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "GOMODCACHE": f"{own}/modules",
        "GOCACHE": f"{own}/packages",
        "HOME": str(own),
    }
    writable = [own] if output is None else [own, output]
    return [
        *("docker", "run", "--rm", f"--user={os.getuid()}:{os.getgid()}"),
        *(f"--volume={each}:{each}" for each in writable),
        *(f"--volume={directory}:{directory}:ro", f"--workdir={directory}"),
        *(f"--env={key}={value}" for key, value in variables.items()),
        # Without a value Docker takes over what is set here, and nothing where nothing is.
        *("--env=GOPROXY", "--env=GOSUMDB", "--env=HTTPS_PROXY", "--env=NO_PROXY"),
        IMAGE,
        *command,
    ]

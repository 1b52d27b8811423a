"""Makes the virtual environment `.venv` from the lock: `python3 -m hack.environment`.

What the Makefile runs before anything else, with the machine's own Python: only the standard
library is there yet. An environment that is half made is mended or made anew. With
`--can-have-cluster` it makes nothing, and says whether this machine can have a local cluster, so
that nobody waits for an environment of no use.

uv installs the packages, far faster than pip, and compiles them on all cores. It does not read
pip's configuration, so for whoever has set an index or a proxy there pip does it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from hack.cluster import prerequisites, progress
from hack.cluster.commands import run
from hack.cluster.errors import ClusterError, ClusterUnavailableError

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
READY = ENVIRONMENT / ".ready"
LOCK = ROOT / "requirements-dev.txt"
UV = ENVIRONMENT / "bin" / "uv"
UV_LOCK = ROOT / "hack" / "requirements.txt"

_MAKE_SECONDS = 300
_INSTALL_SECONDS = 1200
_PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet", "install")
_LOCKED = ("--require-hashes", "--requirement")
_OF_PIP_ALONE = re.compile(
    r"\.(index-url|extra-index-url|no-index|proxy|client-cert|trusted-host)="
)


def main() -> int:
    """Make it, or say in a sentence why that failed. Exit code 3: this machine lacks something."""
    try:
        if sys.argv[1:] == ["--can-have-cluster"]:
            prerequisites.require(prerequisites.look())
            return 0
        _require_ensurepip()
        if not _runs():
            with progress.step("making the virtual environment .venv"):
                run(
                    [sys.executable, "-m", "venv", "--clear", ENVIRONMENT],
                    timeout=_MAKE_SECONDS,
                )
        with progress.step("installing the locked Python packages"):
            install(PYTHON, LOCK)
        with progress.step("installing headgate", quiet_under=5):
            run(
                [PYTHON, *_PIP, "--no-deps", "--no-build-isolation", "--editable", ROOT],
                timeout=_INSTALL_SECONDS,
                directory=ROOT,
            )
    except ClusterUnavailableError as error:
        print(error, file=sys.stderr)
        return 3
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    READY.touch()
    return 0


def install(python: Path, lock: Path) -> None:
    """Install what `lock` names for `python`, which is that of a virtual environment."""
    # It would compile them one after the other, those too that nobody imports.
    pip: list[str | Path] = [python, *_PIP, "--no-compile", *_LOCKED, lock]
    if _OF_PIP_ALONE.search(_pip_configuration()):
        run(pip, timeout=_INSTALL_SECONDS)
        return
    try:
        run([PYTHON, *_PIP, *_LOCKED, UV_LOCK], timeout=_INSTALL_SECONDS)
        run(
            [
                *(UV, "pip", "install", "--quiet", "--system-certs", "--python", python),
                *("--compile-bytecode", *_LOCKED, lock),
            ],
            timeout=_INSTALL_SECONDS,
        )
    except ClusterError as error:
        print(f"uv could not install them, so pip does: {error}", file=sys.stderr)
        run(pip, timeout=_INSTALL_SECONDS)


def _pip_configuration() -> str:
    """Its settings from files and from the environment, a line each."""
    return run([PYTHON, "-m", "pip", "config", "list"], timeout=_MAKE_SECONDS)


def _runs() -> bool:
    try:
        done = subprocess.run(
            [PYTHON, "-m", "pip", "--version"], capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _require_ensurepip() -> None:
    """Debian keeps what `venv` needs in a package of its own."""
    if importlib.util.find_spec("ensurepip") is not None or _runs():
        return
    package = f"python3.{sys.version_info.minor}-venv"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ClusterError(
            f"{sys.executable} cannot make virtual environments: install its module ensurepip "
            f"(Debian, Ubuntu: apt-get install {package})"
        )
    with progress.step(f"installing the package {package}"):
        settings = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update"], timeout=_INSTALL_SECONDS, environment=settings)
        run(
            ["apt-get", "install", "--yes", "--no-install-recommends", package],
            timeout=_INSTALL_SECONDS,
            environment=settings,
        )


if __name__ == "__main__":
    sys.exit(main())

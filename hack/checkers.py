"""Programs that only tests use: those that look for faults in the chart and in the workflows
without running them, what a release is signed and pushed with, and shells, which complete the
command line.

`python -m hack.checkers` makes them ready, as the tests do when they ask for one first. Those in Go
are built like the programs of the local cluster. checkov brings a hundred packages, of versions
that are not ours, so it has a virtual environment of its own, kept in the cache under a digest of
its lock. Exit code 3: this machine has nothing to build with.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from hack import environment
from hack.cluster import binaries, packages, prerequisites, progress
from hack.cluster.commands import run
from hack.cluster.errors import ClusterError, ClusterUnavailableError
from hack.cluster.locks import exclusive
from hack.cluster.paths import cache_directory

BUILT = ("kubeconform", "kube-score", "actionlint", "monitoring", "cosign", "registry")
CHECKOV_LOCK = environment.ROOT / "hack" / "checkov-requirements.txt"

_MAKE_SECONDS = 900


def program(name: str) -> Path:
    """Give the path of one that is built, and build it if it is not there. Raises
    ClusterUnavailableError where nothing can build it."""
    if not binaries.is_built(name):
        prerequisites.require_go()
        binaries.build([name])
    return binaries.program(name, name)


def checkov() -> list[str | Path]:
    """Give the beginning of checkov's command line, and install it if it is not there."""
    target = _checkov_environment()
    with exclusive(cache_directory() / "locks" / "checkov", "checkov's packages", _MAKE_SECONDS):
        if not target.is_dir():
            with progress.step("installing checkov"):
                _make(target)
    return [target / "bin" / "python", "-m", "checkov.main"]


def _checkov_environment() -> Path:
    decides = CHECKOV_LOCK.read_bytes() + sys.version.encode()
    digest = hashlib.sha256(decides).hexdigest()[:12]
    return cache_directory() / "environments" / f"checkov-{digest}"


def _make(target: Path) -> None:
    """Beside, and renamed when complete, so that it is never half there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in target.parent.glob(".checkov-*"):
        shutil.rmtree(abandoned)
    work = Path(tempfile.mkdtemp(prefix=".checkov-", dir=target.parent))
    try:
        run([sys.executable, "-m", "venv", work], timeout=_MAKE_SECONDS)
        environment.install(work / "bin" / "python", CHECKOV_LOCK)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main() -> int:
    """Make all of them ready, or say in a sentence why that failed."""
    try:
        checkov()
        if not all(binaries.is_built(name) for name in BUILT):
            prerequisites.require_go()
        binaries.download_modules(BUILT)
        binaries.build(BUILT)
        packages.install(packages.SHELLS)
    except ClusterUnavailableError as error:
        print(error, file=sys.stderr)
        return 3
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

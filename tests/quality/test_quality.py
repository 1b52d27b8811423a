"""What every change must keep: style, strict types, the layers, and a source root that hides
nothing of the standard library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hack.cluster.paths import cache_directory

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
SOURCES = ("operator", "hack", "tests", "examples")


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", *SOURCES),
        ("ruff", "format", "--check", *SOURCES),
        ("mypy", "operator/headgate", "hack", "tests"),
        ("lint-imports",),
    ],
    ids=["ruff", "format", "types", "layers"],
)
def test_quality(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [str(TOOLS / command[0]), *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        # mypy goes by what the files hold, so what it knows is good for every checkout.
        env=os.environ | {"MYPY_CACHE_DIR": str(cache_directory() / "mypy")},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_source_root_is_no_package() -> None:
    """`operator/__init__.py` would hide the standard library's `operator`."""
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_the_lock_has_hashes_and_no_download_addresses() -> None:
    for name in (
        *("requirements.txt", "requirements-dev.txt", "hack/requirements.txt"),
        "hack/checkov-requirements.txt",
    ):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text

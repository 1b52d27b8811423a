"""A program of a Debian package is used without being installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.cluster.packages import unpacked

APT = """#!/bin/sh
echo "$1" >>{calls}
{fails}
[ "$1" = update ] || touch "$2.deb"
"""
DPKG = """#!/bin/sh
mkdir -p "$3/usr/bin"
echo program >"$3/usr/bin/example"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What apt-get was asked for, with stand-ins for it and for dpkg-deb on the PATH."""
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    (tmp_path / "bin").mkdir()
    return tmp_path / "calls"


def stand_in(calls: Path, fails: str = "") -> None:
    for name, text in (("apt-get", APT.format(calls=calls, fails=fails)), ("dpkg-deb", DPKG)):
        path = calls.parent / "bin" / name
        path.write_text(text)
        path.chmod(0o755)


def test_it_is_unpacked_into_the_cache_once(calls: Path) -> None:
    stand_in(calls)
    for _ in range(2):
        program = unpacked("example", "usr/bin/example")
        assert program is not None
        assert program.read_text() == "program\n"
    assert calls.read_text() == "download\n"


def test_a_new_machine_reads_the_lists_first(calls: Path) -> None:
    updated = calls.parent / "updated"
    stand_in(calls, f"[ $1 = update ] && touch {updated}; [ -e {updated} ] || exit 100")
    assert unpacked("example", "usr/bin/example") is not None
    assert calls.read_text() == "download\nupdate\ndownload\n"


def test_what_cannot_be_had_is_no_error(calls: Path) -> None:
    stand_in(calls, "exit 100")
    assert unpacked("example", "usr/bin/example") is None

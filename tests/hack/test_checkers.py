"""checkov's environment is made once, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack import checkers, environment
from hack.cluster.errors import ClusterError


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The locks that were installed, with a stand-in for the making of environments."""
    found: list[Path] = []
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path))
    monkeypatch.setattr(checkers, "run", lambda *arguments, **options: "")
    monkeypatch.setattr(environment, "install", lambda python, lock: found.append(lock))
    return found


def test_it_is_made_once_from_its_own_lock(installed: list[Path]) -> None:
    first, second = checkers.checkov(), checkers.checkov()
    assert first == second
    assert Path(first[0]).parents[1].is_dir()
    assert installed == [checkers.CHECKOV_LOCK]


def test_one_that_failed_is_not_taken_and_one_that_was_killed_is_removed(
    installed: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(python: Path, lock: Path) -> None:
        raise ClusterError("no such package")

    half = tmp_path / "environments" / ".checkov-killed"
    half.mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(environment, "install", fails)
        with pytest.raises(ClusterError, match="no such package"):
            checkers.checkov()
    assert list((tmp_path / "environments").iterdir()) == []
    checkers.checkov()
    assert installed == [checkers.CHECKOV_LOCK]


def test_another_lock_is_another_environment(
    installed: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = checkers.checkov()
    other = tmp_path / "lock.txt"
    other.write_text("checkov==0\n")
    monkeypatch.setattr(checkers, "CHECKOV_LOCK", other)
    assert checkers.checkov() != before

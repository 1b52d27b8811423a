"""Go runs from the PATH, and from a container where there is none."""

from pathlib import Path

import pytest

from hack.cluster.toolchain import IMAGE, container_command, run_go

SETTINGS = {"CGO_ENABLED": "0"}


def program(directory: Path, name: str) -> Path:
    """A stand-in that writes down how it was called."""
    calls = directory / f"{name}.calls"
    path = directory / name
    path.write_text(f'#!/bin/sh\necho "$CGO_ENABLED $@" >>{calls}\n')
    path.chmod(0o755)
    return calls


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_the_go_of_this_machine_is_taken_first(path: Path) -> None:
    go, docker = program(path, "go"), program(path, "docker")
    run_go(["go", "version"], directory=path, output=None, settings=SETTINGS, timeout=30)
    assert go.read_text() == "0 version\n"
    assert not docker.exists()


def test_without_go_a_container_runs_it(path: Path) -> None:
    docker = program(path, "docker")
    run_go(["go", "version"], directory=path, output=None, settings=SETTINGS, timeout=30)
    assert docker.read_text().rstrip().endswith(f"{IMAGE} go version")


def test_the_container_sees_sources_and_output_where_they_are() -> None:
    command = container_command(
        ["go", "build"], Path("/sources"), Path("/out"), SETTINGS, Path("/own")
    )
    assert "--volume=/sources:/sources:ro" in command
    assert "--volume=/out:/out" in command
    assert "--env=CGO_ENABLED=0" in command
    assert command[-3:] == [IMAGE, "go", "build"]

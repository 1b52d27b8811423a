"""A machine that cannot have a cluster is told what it lacks and how to get it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hack.cluster import packages, prerequisites
from hack.cluster.__main__ import main
from hack.cluster.errors import ClusterUnavailableError
from hack.cluster.prerequisites import Machine, findings, unavailable_reason

# A fresh machine that can have everything: root on Debian, nothing installed, nothing built.
FRESH = Machine(
    linux=True,
    root=True,
    docker=False,
    go=(1, 26),
    built_control_plane=False,
    built_cluster=False,
    missing_for_control_plane=(),
    missing_for_cluster=("containerd", "runc"),
    installer=True,
)


def machine(**different: object) -> Machine:
    return dataclasses.replace(FRESH, **different)  # type: ignore[arg-type]


def test_a_fresh_machine_can_have_both_kinds() -> None:
    assert unavailable_reason(FRESH) is None
    assert unavailable_reason(FRESH, control_plane_only=True) is None


@pytest.mark.parametrize(
    ("different", "says"),
    [
        ({"root": False}, ("no Docker engine answers and this is not root", "start Docker")),
        ({"root": False}, ("containerd, runc", "apt-get install")),
        ({"linux": False}, ("this is not Linux: start a Docker engine",)),
        ({"go": None}, ("Go 1.26 or newer (there is none)", "https://go.dev/dl/")),
        ({"go": (1, 25)}, ("(here is 1.25)",)),
        ({"installer": False}, ("containerd, runc", "on Debian or Ubuntu, as root")),
    ],
)
def test_what_is_missing_is_said_with_the_way_to_get_it(
    different: dict[str, object], says: tuple[str, ...]
) -> None:
    reason = unavailable_reason(machine(**different))
    assert reason is not None
    for words in says:
        assert words in reason


@pytest.mark.parametrize(
    "different",
    [
        {"docker": True, "root": False, "linux": False},
        {"docker": True, "root": False, "go": None},
        {"docker": True, "missing_for_cluster": ("containerd",), "installer": False},
        {"go": None, "built_cluster": True},
        {"root": True, "missing_for_cluster": (), "installer": False},
    ],
)
def test_what_is_not_needed_is_not_asked_for(different: dict[str, object]) -> None:
    assert unavailable_reason(machine(**different)) is None


def test_a_control_plane_needs_no_root() -> None:
    assert unavailable_reason(machine(root=False), control_plane_only=True) is None


def test_a_control_plane_needs_its_own_packages() -> None:
    lacking = machine(root=False, missing_for_control_plane=("openssl",))
    reason = unavailable_reason(lacking, control_plane_only=True)
    assert reason is not None
    assert "openssl" in reason


def test_every_prerequisite_has_a_finding() -> None:
    found = {finding.name: finding for finding in findings(FRESH)}
    assert found["Go 1.26 or newer"].there
    assert not found["Docker engine"].there
    assert not found["packages"].there
    assert "python -m hack.cluster packages" in found["packages"].sentence
    assert "python -m hack.cluster build" in found["programs"].sentence


def test_the_command_line_ends_with_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prerequisites, "look", lambda: machine(root=False))
    assert main(["up"]) == 3
    output = capsys.readouterr()
    assert output.out == ""
    assert "No local cluster here" in output.err
    assert main(["doctor"]) == 3


def test_doctor_lists_the_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prerequisites, "look", lambda: FRESH)
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("--  Docker engine")
    assert "whole cluster: possible" in lines


@pytest.mark.parametrize(
    ("printed", "version"),
    [("go1.26.8", "(1, 26)"), ("go1.27rc1", "(1, 27)"), ("devel", "None"), ("", "None")],
)
def test_the_version_of_go_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str, version: str
) -> None:
    (tmp_path / "go").write_text(f"#!/bin/sh\necho '{printed}'\n")
    (tmp_path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert str(prerequisites.go_version()) == version


def test_a_docker_client_without_an_engine_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\nexit 1\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert not prerequisites.docker_answers()
    client.write_text("#!/bin/sh\nexit 0\n")
    assert prerequisites.docker_answers()


def test_missing_packages_are_told_to_who_cannot_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path))
    monkeypatch.setattr(packages, "_found", lambda file: file != "buildah")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ClusterUnavailableError, match=r"apt-get install .*buildah"):
        packages.install_packages()
    packages.install_packages(control_plane_only=True)

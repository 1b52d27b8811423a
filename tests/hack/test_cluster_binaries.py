"""What is built is cached by everything that decides it, whole or not at all."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hack.cluster import binaries
from hack.cluster.binaries import MODULES, Module, build_command, digest
from hack.cluster.errors import ClusterError


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """A module in a directory of its own, with a stand-in for the Go toolchain on the PATH."""
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(binaries, "_SOURCES", tmp_path / "go")
    (tmp_path / "go" / "example").mkdir(parents=True)
    (tmp_path / "go" / "example" / "go.mod").write_text("module example\n")
    example = Module("example", "1.2", ("tool",), {"built": ("one", "two")})
    monkeypatch.setitem(MODULES, "example", example)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return example


def toolchain(tmp_path: Path, script: str) -> None:
    path = tmp_path / "bin" / "go"
    path.write_text(
        f'#!/bin/sh\necho call >>{tmp_path}/calls\nwhile [ "$1" != -o ]; do shift; done\n{script}\n'
    )
    path.chmod(0o755)


def test_a_build_is_kept_under_the_names_in_use(module: Module, tmp_path: Path) -> None:
    toolchain(tmp_path, 'echo program >"$2/built"')
    binaries.build(["example"])
    made = binaries.binaries_directory("example")
    assert made.name == f"example-1.2-{digest(module)}"
    assert sorted(each.name for each in made.iterdir()) == ["one", "two"]
    binaries.build(["example"])
    assert (tmp_path / "calls").read_text() == "call\n", "the second build had nothing to do"


def test_a_failed_build_leaves_nothing_behind(module: Module, tmp_path: Path) -> None:
    toolchain(tmp_path, 'echo program >"$2/built"; echo no such package >&2; exit 1')
    with pytest.raises(ClusterError, match="no such package"):
        binaries.build(["example"])
    assert not binaries.is_built("example")
    assert list(binaries.binaries_directory("example").parent.iterdir()) == []


def test_what_a_killed_build_left_is_removed_by_the_next(module: Module, tmp_path: Path) -> None:
    half = binaries.binaries_directory("example").parent / ".example-killed"
    half.mkdir(parents=True)
    (half / "built").touch()
    toolchain(tmp_path, 'echo program >"$2/built"')
    binaries.build(["example"])
    assert not half.exists()


def test_the_digest_follows_sources_hashes_and_flags(module: Module) -> None:
    seen = {digest(module)}
    for name, content in (("go.mod", "module other\n"), ("go.sum", "a hash\n"), ("x.go", "")):
        (module.directory / name).write_text(content)
        seen.add(digest(module))
    seen.add(digest(dataclasses.replace(module, linker_settings=("-X a.b=c",))))
    seen.add(digest(dataclasses.replace(module, packages=(".",))))
    assert len(seen) == 6


def test_kubernetes_knows_its_version() -> None:
    flags = build_command(MODULES["kubernetes"], Path("out"))
    linker = next(flag for flag in flags if flag.startswith("-ldflags="))
    for setting in ("gitVersion=v1.35.4", "gitMajor=1", "gitMinor=35"):
        assert f"-X k8s.io/component-base/version.{setting}" in linker
        assert f"-X k8s.io/client-go/pkg/version.{setting}" in linker


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"pause"}))
def test_every_module_is_pinned_to_the_version_we_name(name: str) -> None:
    described = MODULES[name]
    modules = (described.directory / "go.mod").read_text()
    assert f" v{described.version} " in modules.replace("\n", " ")
    assert (described.directory / "go.sum").stat().st_size > 0
    assert "go 1.26" in modules


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("kubernetes")])
def test_kubernetes_staging_modules_are_of_one_version(name: str) -> None:
    lines = (MODULES[name].directory / "go.mod").read_text().splitlines()
    replaced = {line.split(" => ")[1].split()[1] for line in lines if " => " in line}
    assert replaced == {f"v0.{MODULES[name].version.removeprefix('1.')}"}


@pytest.mark.parametrize(
    ("asked", "module"), [("", "kubernetes"), ("1.35", "kubernetes"), ("1.33", "kubernetes-1.33")]
)
def test_an_older_kubernetes_is_asked_for_by_its_minor_version(
    monkeypatch: pytest.MonkeyPatch, asked: str, module: str
) -> None:
    monkeypatch.setenv("HEADGATE_KUBERNETES", asked)
    assert binaries.control_plane() == (module, "etcd")


def test_a_kubernetes_that_nobody_builds_is_refused_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEADGATE_KUBERNETES", "1.12")
    with pytest.raises(ClusterError, match=r"HEADGATE_KUBERNETES is 1\.12; there is 1\.35, 1\.34"):
        binaries.kubernetes()


def test_builds_use_no_c_compiler_and_change_no_go_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    environment = binaries.build_settings()
    assert environment["CGO_ENABLED"] == "0"
    assert environment["GOFLAGS"] == "-mod=readonly"


def test_compilers_together_take_half_of_the_memory_and_never_run_without_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    large = binaries.build_settings(memory=24 << 30)
    assert (large["GOGC"], large["GOMEMLIMIT"]) == ("off", str(3 << 30))
    assert binaries.build_settings(memory=8 << 30)["GOMEMLIMIT"] == str(2 << 30)
    small = binaries.build_settings(memory=3 << 30)
    assert "GOGC" not in small
    assert "GOMEMLIMIT" not in small


def test_two_builders_of_one_module_build_it_once(module: Module, tmp_path: Path) -> None:
    toolchain(tmp_path, 'sleep 0.5; echo program >"$2/built"')
    program = (
        "from pathlib import Path; from hack.cluster import binaries as b;"
        "b.MODULES['example'] = b.Module('example', '1.2', ('tool',), {'built': ('one', 'two')});"
        f"b._SOURCES = Path({str(tmp_path / 'go')!r}); b.build(['example'])"
    )
    root = Path(__file__).parents[2]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
        for _ in range(2)
    ]
    assert [each.wait(60) for each in running] == [0, 0]
    assert (tmp_path / "calls").read_text() == "call\n"

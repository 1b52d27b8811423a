"""Where a Docker engine answers, kind makes the cluster: the same questions, other commands.

No engine is needed here: stand-ins for docker, kind and kubectl write down what they are asked.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.cluster import open_cluster
from hack.cluster.__main__ import main
from hack.cluster.errors import ClusterError
from hack.cluster.kind_cluster import KindCluster

_RECORDING = """#!/bin/sh
echo "$(basename "$0") $*" >>{calls}
case "$(basename "$0") $*" in
  "kind get clusters") cat {existing} ;;
  "kubectl "*/readyz) cat {ready} ;;
  "docker build "*BROKEN*) echo no space left >&2; exit 1 ;;
  "docker save --output "*) echo image >"$3" ;;
esac
"""


class Engine:
    """The stand-ins, what kind says exists, and what was asked so far."""

    def __init__(self, directory: Path) -> None:
        self.calls = directory / "calls"
        self.existing = directory / "existing"
        self.ready = directory / "ready"
        for file in (self.calls, self.existing, self.ready):
            file.touch()
        for name in ("docker", "kind", "kubectl"):
            (directory / name).write_text(
                _RECORDING.format(calls=self.calls, existing=self.existing, ready=self.ready)
            )
            (directory / name).chmod(0o755)

    def asked(self) -> list[str]:
        """Give the first three words of each command since the last time, `docker info` apart."""
        lines = self.calls.read_text().splitlines()
        self.calls.write_text("")
        return [" ".join(line.split()[:3]) for line in lines if line != "docker info"]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("HEADGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path / "cache"))
    return Engine(tmp_path / "bin")


def test_a_new_cluster_is_created(engine: Engine) -> None:
    cluster = open_cluster("e2e")
    assert isinstance(cluster, KindCluster)
    assert engine.asked() == ["kind get clusters", "kind create cluster"]


def test_one_that_answers_is_reused(engine: Engine) -> None:
    engine.existing.write_text("headgate-e2e\nkind\n")
    engine.ready.write_text("ok")
    open_cluster("e2e")
    assert not any("create" in words for words in engine.asked())


def test_one_that_does_not_answer_is_replaced(engine: Engine) -> None:
    engine.existing.write_text("headgate-e2e\n")
    open_cluster("e2e")
    words = engine.asked()
    assert words[-2:] == ["kind delete cluster", "kind create cluster"]


def test_another_cluster_of_kind_is_left_alone(engine: Engine) -> None:
    engine.existing.write_text("headgate-e2e-2\ne2e\n")
    open_cluster("e2e")
    assert "kind delete cluster" not in engine.asked()


def test_an_image_is_built_once_and_loaded(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    dockerfile = tmp_path / "context" / "Dockerfile"
    dockerfile.write_text("FROM debian:12\n")
    cluster = open_cluster("e2e")
    engine.asked()

    def build(tag: str = "headgate.local/x:1") -> list[str]:
        cluster.build_image(dockerfile.parent, dockerfile, tag)
        return engine.asked()

    assert build() == ["docker build --file", "docker save --output", "kind load image-archive"]
    assert build() == ["kind load image-archive"]
    with pytest.raises(ClusterError, match="no space left"):
        build("BROKEN")


def test_down_deletes_it(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--name", "e2e"]) == 0
    kubeconfig = Path(capsys.readouterr().out.strip())
    assert kubeconfig.name == "kubeconfig"
    engine.asked()
    assert main(["down", "--name", "e2e"]) == 0
    assert engine.asked() == ["kind delete cluster"]
    assert not kubeconfig.parent.exists()

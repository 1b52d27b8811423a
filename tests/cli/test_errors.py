"""What a person is told when nothing answers, or not what was hoped for; never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from headgate.cli import main
from headgate.cli.cluster import Trouble, plain_name

NOBODY = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "nobody",
    "clusters": [{"name": "nobody", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {}}],
    "contexts": [{"name": "nobody", "context": {"cluster": "nobody", "user": "me"}}],
}


def failed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words)
    printed = capsys.readouterr()
    assert ended.value.code == 1
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.parametrize(
    "command",
    [
        ("get",),
        ("get", "fraud", "-w"),
        ("status", "fraud", "--wait"),
        ("history", "fraud"),
        ("approve", "fraud"),
        ("pause", "fraud"),
    ],
)
def test_an_api_server_that_is_not_there(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(NOBODY))
    said = failed(capsys, *command, "--kubeconfig", str(file))
    assert said.startswith(f"headgate {command[0]}: the API server cannot be reached")


def test_a_kubeconfig_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = failed(capsys, "get", "--kubeconfig", str(tmp_path / "none"))
    assert "no way to reach a cluster" in said


@pytest.mark.parametrize(
    "text", ["fraud", "mdep/fraud", "ModelDeployment/fraud", "modeldeployments.headgate.dev/fraud"]
)
def test_a_name_is_taken_with_its_kind(text: str) -> None:
    assert plain_name(text) == "fraud"


@pytest.mark.parametrize("text", ["pod/fraud", "fraud/", "Fraud", "", "../fraud"])
def test_what_can_be_no_name_is_refused(text: str) -> None:
    with pytest.raises(Trouble):
        plain_name(text)

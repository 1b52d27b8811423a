"""Completion in a real shell, and the words that are offered."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import headgate
from headgate.cli import main, parser
from headgate.cli.completion import complete


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["app"], ["approve"]),
        (["re"], ["replay", "restart", "resume", "retry"]),
        (["get", "-o", ""], ["json", "tree", "yaml"]),
        (["completion", ""], ["bash", "fish", "kubectl", "zsh"]),
        (["status", "fraud", "--fo"], ["--for"]),
        (["status", "fraud", "--for", "p"], ["promoted"]),
        (["undo", "fraud", "--t"], ["--to"]),
        (["nonsense", ""], []),
        (["get", "fr"], ["fraud"]),
        (["get", "-n", "risk", ""], ["fraud", "transactions"]),
        # One name is enough.
        (["get", "fraud", ""], []),
        (["lint", "-f", ""], []),
    ],
)
def test_what_is_offered(
    words: list[str], offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["transactions", "fraud"]
    monkeypatch.setattr("headgate.cli.completion._names", lambda *_: names)
    assert complete(parser(), words) == offered


def on_path(directory: Path, name: str) -> None:
    program = directory / name
    source = Path(headgate.__file__).parents[1]
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{source}" exec "{sys.executable}" -m headgate "$@"\n'
    )
    program.chmod(0o755)


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["completion", shell])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    on_path(tmp_path, "headgate")
    typed = (
        "COMP_WORDS=(headgate status fraud --for st); COMP_CWORD=4; _headgate;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script('bash', capsys)}\n{typed}"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("stable\n", "")


def test_kubectl_gets_words_and_a_directive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_path(tmp_path, "kubectl-headgate")
    done = subprocess.run(
        ["sh", "-c", script("kubectl", capsys), "kubectl_complete-headgate", "hist"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines() == ["history", ":0"]

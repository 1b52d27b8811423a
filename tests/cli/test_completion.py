"""Completion in a real shell, and the words that are offered."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import time
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


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_completes_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    on_path(tmp_path, "headgate")
    done = subprocess.run(
        [
            *("fish", "--no-config", "-c"),
            f"{script('fish', capsys)}\ncomplete -C 'headgate status fraud --for st'",
        ],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("stable\n", "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_completes_a_typed_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Typed at a terminal, as zsh completes nowhere else: what is run tells what was completed."""
    on_path(tmp_path, "complete-headgate")
    ran = tmp_path / "ran"
    program = tmp_path / "headgate"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = __complete ] && exec complete-headgate "$@"\necho "$@" > {ran}\n'
    )
    program.chmod(0o755)
    sourced = tmp_path / "completion.zsh"
    sourced.write_text(script("zsh", capsys))
    typed = f"autoload -U compinit; compinit -u -D; source {sourced}\n"
    typed += "headgate status fraud --for st\t\nexit\n"

    outside, inside = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(inside)
    os.write(outside, typed.encode())
    _wait(shell, outside)
    assert ran.read_text() == "status fraud --for stable\n"


def _wait(shell: subprocess.Popen[bytes], terminal: int) -> None:
    """Until a shell has ended, which waits for whoever reads what it prints."""
    os.set_blocking(terminal, False)
    deadline = time.monotonic() + 120
    try:
        while shell.poll() is None and time.monotonic() < deadline:
            try:
                os.read(terminal, 4096)
            except OSError:
                time.sleep(0.05)
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)


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

"""A git repository that a story commits to, served by git's own daemon."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.commands import run


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Repository:
    """A git repository, served on loopback by git's own daemon."""

    work: Path
    url: str

    def commit(self, words: str, files: Mapping[str, str | None]) -> str:
        """Commit files (None: removed) to main, and give the commit."""
        for name, text in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", words)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        """Run git in it, as an author of the test."""
        author = ("-c", "user.name=author", "-c", "user.email=author@example.com")
        return run(["git", *author, *arguments], directory=self.work, timeout=60)


@contextlib.contextmanager
def repository(directory: Path) -> Iterator[Repository]:
    """Serve a new repository until the block ends."""
    work, port = directory / "models", free_port()
    run(["git", "init", "--quiet", "--initial-branch=main", work], timeout=60)
    daemon = subprocess.Popen(
        [
            *("git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--export-all"),
            *(f"--base-path={directory}", "--reuseaddr", str(directory)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Repository(work, f"git://127.0.0.1:{port}/models")
    finally:
        end_process(daemon)


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and have it end."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=15)

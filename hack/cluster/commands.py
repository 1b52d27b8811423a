"""Run other programs, always with a time limit, and say what went wrong in their own words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hack.cluster.errors import ClusterError

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
_TAIL = 20


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float = 60,
    input: str | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> str:
    """Run `argv` and give its standard output.

    Raises ClusterError with the last lines of what it printed if it is missing, exits with
    anything but 0, or takes longer than `timeout` seconds (it is killed then).
    """
    shown = " ".join(str(part) for part in argv)
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=None if environment is None else dict(environment),
            cwd=directory,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"{argv[0]} is not installed ({error.strerror}): {shown}") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"no end after {timeout:.0f} s: {shown}") from error
    if done.returncode != 0:
        said = tail(done.stderr.strip() or done.stdout.strip())
        raise ClusterError(f"exit code {done.returncode}: {shown}\n{said}")
    return done.stdout


def tail(text: str, lines: int = _TAIL) -> str:
    """Give the last `lines` lines of `text`."""
    return "\n".join(text.splitlines()[-lines:])


def direct_environment() -> dict[str, str]:
    """Give this process's environment without proxies: cluster addresses are on this machine."""
    return {key: value for key, value in os.environ.items() if key.lower() not in _PROXIES}

"""Only a process that we started is ever signalled, and a started one outlives its starter."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hack.cluster.errors import ClusterError
from hack.cluster.processes import (
    ProcessRecord,
    alive,
    boot_id,
    end_all,
    end_pids,
    launch,
    start_time,
    wait_until,
)

ENVIRONMENT = {"PATH": os.environ["PATH"]}


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[ProcessRecord]:
    record = launch(["sleep", "300"], log=tmp_path / "sleep.log", environment=ENVIRONMENT)
    yield record
    end_all([record])


def test_a_launched_process_runs_in_its_own_session_and_is_not_our_child(
    sleeper: ProcessRecord,
) -> None:
    assert alive(sleeper)
    assert os.getsid(sleeper.pid) == sleeper.pid != os.getsid(0)
    with pytest.raises(ChildProcessError):
        os.waitpid(sleeper.pid, os.WNOHANG)


def test_the_recorded_process_is_the_program_itself(sleeper: ProcessRecord) -> None:
    def command() -> bytes:
        return Path(f"/proc/{sleeper.pid}/cmdline").read_bytes()

    wait_until(lambda: command() == b"sleep\x00300\x00", 10, lambda: repr(command()))


def test_its_output_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "words.log"
    launch(["sh", "-c", "echo out; echo err >&2; sleep 0.2"], log=log, environment=ENVIRONMENT)
    wait_until(lambda: log.read_text() == "out\nerr\n", 10, log.read_text)


def test_a_program_that_is_not_there_ends_and_says_so_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "missing.log"
    with suppress(ClusterError):  # raised if it has ended before launch looks at it
        record = launch(["/nonexistent/program"], log=log, environment=ENVIRONMENT)
        wait_until(lambda: not alive(record), 10, lambda: "it still runs")
    wait_until(lambda: "/nonexistent/program" in log.read_text(), 10, log.read_text)


@pytest.mark.parametrize("stale", [{"started": 1}, {"boot": "of another boot"}], ids=str)
def test_another_process_with_a_recorded_id_is_left_alone(
    sleeper: ProcessRecord, stale: dict[str, Any]
) -> None:
    recorded = dataclasses.replace(sleeper, **stale)
    assert not alive(recorded)
    end_all([recorded])
    assert alive(sleeper)


def test_ending_waits_until_the_process_is_gone(sleeper: ProcessRecord) -> None:
    end_all([sleeper, ProcessRecord(2**22 + 1, 1, boot_id())])
    assert not alive(sleeper)


def test_a_zombie_is_gone() -> None:
    child = subprocess.Popen(["true"])
    wait_until(lambda: start_time(child.pid) is None, 10, lambda: "true does not end")
    child.wait()


def test_everything_that_is_found_is_ended_until_nothing_is_found(tmp_path: Path) -> None:
    # The second appears only once the first is gone, as a pod does that a kubelet restarts.
    first, second = (
        launch(["sleep", "300"], log=tmp_path / "log", environment=ENVIRONMENT) for _ in range(2)
    )
    end_pids(lambda: [first.pid] if alive(first) else [second.pid])
    assert not alive(first)
    assert not alive(second)


def test_a_wait_that_runs_out_explains_itself() -> None:
    with pytest.raises(ClusterError, match=r"after 0 s: the door is shut"):
        wait_until(lambda: False, 0, lambda: "the door is shut", 0.01)

"""The digits server as a process: how it starts, drains, and, at version 4.0.0, crashes."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from digits_server.features import FAINT, Array, centred_by_index

from tests.examples.conftest import EXAMPLES

PATIENCE = 60.0
T = TypeVar("T")


class Server:
    """A started server on a port of its own choice."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log
        announced = self.until(lambda: re.search(r"running on http://[\d.]+:(\d+)", self.text()))
        self.port = int(announced[1])
        self.until(lambda: self.status("/ready") == 200)

    def text(self) -> str:
        return self.log.read_text()

    def until(self, condition: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < deadline, self.text()
            assert self.process.poll() is None, self.text()
            time.sleep(0.02)
        return found

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def status(self, path: str) -> int:
        connection = self.connection()
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status


def predict(connection: http.client.HTTPConnection, image: Array) -> http.client.HTTPResponse:
    connection.request("POST", "/predict", json.dumps({"instances": [image.tolist()]}))
    answer = connection.getresponse()
    answer.read()
    return answer


def begin_to_predict(connection: http.client.HTTPConnection, image: Array) -> None:
    """Sends a request and returns once the server has begun to work on it."""
    body = json.dumps({"instances": [image.tolist()]}).encode()
    connection.putrequest("POST", "/predict")
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    expected = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert connection.sock.recv(len(expected), socket.MSG_WAITALL) == expected
    connection.send(body)


@pytest.fixture
def start(models: Path, tmp_path: Path) -> Iterator[Callable[[str, str], Server]]:
    processes = []

    def start_server(version: str, arguments: str) -> Server:
        log = tmp_path / "log"
        environment = {
            **os.environ,
            "PORT": "0",
            "MODEL_PATH": str(models / f"{version}.joblib"),
            "LOG_LEVEL": "INFO",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(EXAMPLES / "digits-server"),
        }
        code = f"from digits_server.__main__ import main; main({arguments})"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", code], env=environment, stdout=output, stderr=output
            )
        processes.append(process)
        return Server(process, log)

    yield start_server
    for process in processes:
        process.kill()
        process.wait(PATIENCE)


def test_a_terminated_server_answers_on_an_idle_connection_before_it_closes_it(
    start: Callable[[str, str], Server], images: Array
) -> None:
    server = start("2.0.0", "drain_seconds=60")
    connection = server.connection()
    assert predict(connection, images[0]).getheader("Connection") is None
    used = connection.sock
    server.process.send_signal(signal.SIGTERM)
    server.until(lambda: server.status("/ready") == 503)
    assert connection.sock is used
    answer = predict(connection, images[0])
    assert answer.status == 200
    assert answer.getheader("Connection") == "close"
    assert server.process.wait(PATIENCE) == 0


def test_a_request_under_way_is_answered_before_the_server_ends(
    start: Callable[[str, str], Server], images: Array
) -> None:
    faint = next(image for image in images if image.sum() < FAINT[0] and _answers(image))
    server = start("3.0.0", "drain_seconds=0")
    connection = server.connection()
    assert predict(connection, images[0]).status == 200
    begin_to_predict(connection, faint)
    server.process.send_signal(signal.SIGTERM)
    answer = connection.getresponse()
    assert answer.status == 200
    assert len(json.loads(answer.read())["predictions"]) == 1
    assert server.process.wait(PATIENCE) == 0


def _answers(image: Array) -> bool:
    try:
        centred_by_index(image.reshape(1, -1))
    except ValueError:
        return False
    return True


def test_the_drain_ends_though_an_idle_connection_stays(
    start: Callable[[str, str], Server], images: Array
) -> None:
    server = start("1.0.0", "drain_seconds=0.5")
    connection = server.connection()
    assert predict(connection, images[0]).status == 200
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0


def test_the_fourth_version_crashes_with_a_stack_trace_after_its_first_live_prediction(
    start: Callable[[str, str], Server], images: Array
) -> None:
    server = start("4.0.0", "flush_after=0.3")
    assert predict(server.connection(), images[0]).status == 200
    assert server.process.wait(PATIENCE) == 1
    assert "Traceback" in server.text()
    assert "ZeroDivisionError" in server.text()


def test_a_model_that_cannot_be_loaded_ends_the_process_with_its_reason(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "digits_server"],
        env={
            **os.environ,
            "PORT": "0",
            "MODEL_PATH": str(tmp_path / "missing"),
            "PYTHONPATH": str(EXAMPLES / "digits-server"),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1
    assert "cannot be loaded" in ended.stderr
    assert "FileNotFoundError" in ended.stderr

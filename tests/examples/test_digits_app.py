"""The HTTP face of the digits server, inside the test's own process."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from digits_server import app
from digits_server.app import State, create_app
from digits_server.features import Array
from digits_server.journal import Journal
from digits_server.model import load
from starlette.testclient import TestClient

PATIENCE = 60.0


class Notes(Journal):
    """A journal that only remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(pytest.fail)
        self.noted: list[int] = []

    def note(self, predictions: Sequence[int]) -> None:
        self.noted += predictions


class Running:
    """A server with one model, its client, and what it noted."""

    def __init__(self, path: Path) -> None:
        self.state = State()
        self.notes = Notes()
        self.fatal: list[str] = []
        self.client = TestClient(
            create_app(self.state, path, self.fatal.append, self.notes),
            raise_server_exceptions=False,
        )

    def until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.client.get("/ready").status_code != 200:
            assert time.monotonic() < deadline, "the model was not loaded"
            time.sleep(0.01)

    def metric(self, status: int) -> str:
        labels = f'handler="/predict",method="POST",status="{status}"'
        lines = self.client.get("/metrics").text.splitlines()
        name = f"http_requests_total{{{labels}}} "
        return next((line.removeprefix(name) for line in lines if line.startswith(name)), "")


@pytest.fixture
def running(models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("HOSTNAME", "digits-pod")
    server = Running(models / "2.0.0.joblib")
    with server.client:
        server.until_ready()
        yield server


def test_predictions_name_model_version_and_pod(running: Running, images: Array) -> None:
    answer = running.client.post("/predict", json={"instances": images[:2].tolist()})
    assert answer.status_code == 200
    assert answer.json() == {"predictions": [1, 3], "model": "digits", "version": "2.0.0"}
    assert answer.headers["X-Model-Version"] == "2.0.0"
    assert answer.headers["X-Pod"] == "digits-pod"
    assert "Connection" not in answer.headers


def test_bad_input_is_answered_with_400_and_a_reason(running: Running) -> None:
    answer = running.client.post("/predict", json={"instances": [[1]]})
    assert answer.status_code == 400
    assert answer.json() == {"error": "instance 0 must be a list of 64 numbers"}
    assert answer.headers["X-Model-Version"] == "2.0.0"


def test_a_body_over_a_mebibyte_is_refused(running: Running) -> None:
    answer = running.client.post("/predict", content=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413


def test_requests_are_counted_by_status(running: Running, images: Array) -> None:
    for _ in range(2):
        running.client.post("/predict", json={"instances": images[:1].tolist()})
    running.client.post("/predict", content=b"nothing")
    assert running.metric(200) == "2.0"
    assert running.metric(400) == "1.0"
    page = running.client.get("/metrics").text
    assert 'http_request_duration_seconds_count{handler="/predict",method="POST"} 3.0' in page
    for boundary in (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0):
        assert f'_bucket{{handler="/predict",le="{boundary}",method="POST"}}' in page
    # Two times a one: in the bucket of ones and in all above it.
    assert 'digits_predicted_bucket{le="0.0"} 0.0' in page
    assert 'digits_predicted_bucket{le="1.0"} 2.0' in page


def test_neither_checks_nor_probes_are_counted(running: Running, images: Array) -> None:
    answer = running.client.post(
        "/predict",
        json={"instances": images[:1].tolist()},
        headers={"X-Headgate-Check": "smoke"},
    )
    assert answer.status_code == 200
    assert running.client.get("/health").status_code == 200
    page = running.client.get("/metrics").text
    assert "http_requests_total{" not in page
    assert "digits_predicted_count 0.0" in page


def test_not_ready_but_alive_until_the_model_is_loaded(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_load = threading.Event()

    def wait_and_load(path: Path) -> object:
        assert may_load.wait(PATIENCE)
        return load(path)

    monkeypatch.setattr(app, "load", wait_and_load)
    server = Running(models / "1.0.0.joblib")
    with server.client:
        assert server.client.get("/health").status_code == 200
        assert server.client.get("/ready").status_code == 503
        assert server.client.post("/predict", json={}).status_code == 503
        may_load.set()
        server.until_ready()


def test_a_model_that_cannot_be_loaded_is_fatal(tmp_path: Path) -> None:
    server = Running(tmp_path / "missing.joblib")
    with server.client:
        deadline = time.monotonic() + PATIENCE
        while not server.fatal and time.monotonic() < deadline:
            server.client.get("/health")
        assert server.fatal == [f"the model {tmp_path / 'missing.joblib'} cannot be loaded"]
        assert server.client.get("/ready").status_code == 503


def test_a_fault_of_the_model_is_an_answer_of_500_that_names_the_version(
    models: Path, images: Array
) -> None:
    server = Running(models / "3.0.0.joblib")
    with server.client:
        server.until_ready()
        statuses = set()
        for image in images[:40]:
            answer = server.client.post("/predict", json={"instances": [image.tolist()]})
            statuses.add(answer.status_code)
            assert answer.headers["X-Model-Version"] == "3.0.0"
            if answer.status_code == 500:
                assert answer.json()["error"].startswith("ValueError: ")
        assert statuses == {200, 500}
        assert float(server.metric(200)) + float(server.metric(500)) == 40


def test_live_predictions_reach_the_journal_and_smoke_predictions_do_not(
    models: Path, images: Array
) -> None:
    server = Running(models / "4.0.0.joblib")
    rows = {"instances": images[:1].tolist()}
    with server.client:
        server.until_ready()
        server.client.post("/predict", json=rows, headers={"X-Headgate-Check": "smoke"})
        assert server.notes.noted == []
        server.client.post("/predict", json=rows)
        assert server.notes.noted == [1]


def test_while_draining_it_answers_and_asks_for_the_connections_end(
    running: Running, images: Array
) -> None:
    running.state.draining = True
    answer = running.client.post("/predict", json={"instances": images[:1].tolist()})
    assert answer.status_code == 200
    assert answer.headers["Connection"] == "close"
    assert running.client.get("/ready").status_code == 503
    assert running.client.get("/health").status_code == 200

"""What a receiver gets, over real HTTP, and what an administrator is told about a wrong file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from headgate.integrations.notification import Message, Receiver, Receivers, concerned, send

REVERTING = Message("risk", "fraud", "Reverting", "Taking 2 back to 1: it fails.", warning=True)
FAILED = Message("risk", "fraud", "RevertFailed", "2 cannot be taken back.", warning=True)
PASSED = Message("risk", "fraud", "StepPassed", "2 passed 5 %.", warning=False)


class Webhook(HTTPServer):
    """Takes what is posted; `status` is its answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken: list[dict[str, Any]] = []
        self.status = 200

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"json://127.0.0.1:{self.server_port}/hook")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Webhook)
        length = int(self.headers["Content-Length"])
        server.taken.append(json.loads(self.rfile.read(length)))
        self.send_response(server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("message", "title", "kind"),
    [
        (REVERTING, "Headgate: risk/fraud Reverting", "warning"),
        (FAILED, "URGENT Headgate: risk/fraud RevertFailed", "failure"),
        (PASSED, "Headgate: risk/fraud StepPassed", "info"),
    ],
)
def test_a_receiver_reads_what_happened_and_where_to_read_on(
    webhook: Webhook, message: Message, title: str, kind: str
) -> None:
    assert send(Receiver(url=webhook.url), message)
    (taken,) = webhook.taken
    assert (taken["title"], taken["type"]) == (title, kind)
    assert taken["message"].startswith(message.sentence)
    assert "kubectl headgate explain fraud -n risk" in taken["message"]


def test_a_receiver_that_refuses_has_not_been_told(webhook: Webhook) -> None:
    webhook.status = 500
    assert not send(Receiver(url=webhook.url), REVERTING)


def test_only_those_concerned_are_told() -> None:
    url = SecretStr("json://localhost")
    receivers = Receivers(
        receivers={
            "all": Receiver(url=url),
            "loud": Receiver(url=url, reasons=("RevertFailed",)),
            "other": Receiver(url=url, namespaces=("shop",)),
        }
    )
    assert concerned(receivers, REVERTING) == ["all"]
    assert concerned(receivers, FAILED) == ["all", "loud"]
    assert concerned(receivers, PASSED) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("receivers: {oncall: {url: 'nonsense://hunter2'}}", "receivers.oncall.url is no address"),
        ("receivers: {oncall: {urls: 'json://hunter2'}}", "receivers.oncall.url: Field required"),
        ("receivers: {oncall: {url: 'json://h', reasons: [reverting]}}", "should match pattern"),
        ("receivers: {oncall: {url: 'json://h', reasons: []}}", "at least 1 item"),
        ("receivers: {oncall: {url: 'json://hunter2'", "is no YAML"),
    ],
)
def test_a_wrong_file_is_refused_and_no_password_shown(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "notifications.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"notifications\.yaml") as refused:
        Receivers.load(file)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_an_empty_file_tells_nobody(tmp_path: Path) -> None:
    file = tmp_path / "notifications.yaml"
    file.write_text("")
    assert Receivers.load(file).receivers == {}

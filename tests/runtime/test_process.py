"""The process around the passes: its configuration, its log lines, its health."""

import json
import logging
from pathlib import Path

import aiohttp
import pytest
from pydantic import ValidationError

from headgate.runtime.configuration import Configuration
from headgate.runtime.health import health_server
from headgate.runtime.logs import JsonFormatter


def test_a_log_line_is_json_with_the_object_it_speaks_of() -> None:
    record = logging.LogRecord("headgate", logging.WARNING, "", 0, "it %s", ("fell",), None)
    record.namespace = "risk"
    record.model_deployment = "fraud"
    entry = json.loads(JsonFormatter().format(record))
    assert entry.pop("time").startswith("20")
    assert entry == {
        "level": "warning",
        "logger": "headgate",
        "message": "it fell",
        "namespace": "risk",
        "model_deployment": "fraud",
    }


def test_a_log_line_keeps_what_was_raised() -> None:
    try:
        raise ValueError("no such bucket")
    except ValueError as error:
        trace = (type(error), error, error.__traceback__)
    record = logging.LogRecord("headgate", logging.ERROR, "", 0, "broke", (), trace)
    assert "no such bucket" in json.loads(JsonFormatter().format(record))["exception"]


@pytest.mark.parametrize("namespaces", [("Risk",), ("a/b",), ("",)])
def test_a_namespace_that_cannot_be_is_refused(namespaces: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Configuration(namespaces=namespaces)


def test_a_providers_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text("providers: {default: {url: 'http://prometheus:9090'}}\n")
    assert Configuration(providers=file).load_providers().get("default") is not None
    assert Configuration().load_providers().get("default") is None


async def test_health_is_told_over_http() -> None:
    ready = False
    async with (
        health_server(
            0, lambda: True, lambda: ready, "127.0.0.1", metrics=lambda: b"headgate_leader 1\n"
        ) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        assert (await session.get("/healthz")).status == 200
        assert (await session.get("/readyz")).status == 503
        ready = True
        assert (await session.get("/readyz")).status == 200

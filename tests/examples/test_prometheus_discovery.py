"""The discovery beside the example's Prometheus: from pods to the file of targets."""

import http.client
import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.examples.conftest import EXAMPLES


def _module() -> ModuleType:
    path = EXAMPLES / "prometheus" / "discover.py"
    specification = importlib.util.spec_from_file_location("discover", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


discover = _module()


def pod(name: str, *, version: str = "1", **changes: Any) -> dict[str, Any]:
    annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
    return {
        "metadata": {
            "name": name,
            "namespace": "digits",
            "uid": f"uid-{name}",
            "resourceVersion": version,
            "annotations": changes.get("annotations", annotations),
        },
        "status": {
            "phase": changes.get("phase", "Running"),
            "podIP": changes.get("address", "10.0.0.1"),
        },
    }


def test_a_running_annotated_pod_is_a_target_with_namespace_and_pod() -> None:
    assert discover.target_of(pod("a")) == {
        "targets": ["10.0.0.1:8080"],
        "labels": {"__metrics_path__": "/metrics", "namespace": "digits", "pod": "a"},
    }
    assert discover.target_of(pod("a", address="fd00::1"))["targets"] == ["[fd00::1]:8080"]


@pytest.mark.parametrize(
    "changes",
    [
        {"phase": "Pending"},
        {"phase": "Failed"},
        {"address": None},
        {"annotations": None},
        {"annotations": {"prometheus.io/scrape": "false"}},
    ],
)
def test_any_other_pod_is_none(changes: dict[str, Any]) -> None:
    assert discover.target_of(pod("a", **changes)) is None


def test_the_pods_of_the_first_manifest_are_targets() -> None:
    documents = yaml.safe_load_all((EXAMPLES / "modeldeployment.yaml").read_text())
    [found] = [d for d in documents if d["kind"] == "ModelDeployment"]
    annotations = found["spec"]["template"]["metadata"]["annotations"]
    target = discover.target_of(pod("a", annotations=annotations))
    assert target["targets"] == [f"10.0.0.1:{found['spec']['service']['targetPort']}"]


def names(path: Path) -> list[str]:
    return [target["labels"]["pod"] for target in json.loads(path.read_text())]


class Api:
    """An API server that answers one list and then, one after the other, these watches."""

    def __init__(self, pods: list[dict[str, Any]], watches: list[list[dict[str, Any]]]) -> None:
        self.queries: list[str] = []
        remaining = iter(watches)
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.queries.append(self.path)
                lines: list[dict[str, Any]] | None
                if "watch=true" in self.path:
                    lines = next(remaining, None)
                else:
                    lines = [{"metadata": {"resourceVersion": "10"}, "items": pods}]
                self.send_response(410 if lines is None else 200)
                self.end_headers()
                for line in lines or []:
                    self.wfile.write(json.dumps(line).encode() + b"\n")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._server.server_port, timeout=30)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api(
        [pod("a"), pod("b"), pod("c", phase="Pending")],
        [
            [
                {"type": "MODIFIED", "object": pod("c", version="11")},
                {"type": "DELETED", "object": pod("a", version="12")},
                {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}},
            ],
            [{"type": "MODIFIED", "object": pod("b", version="21", phase="Failed")}],
        ],
    )
    yield server
    server.close()


def test_the_file_follows_list_and_watches_until_a_fresh_list_is_needed(
    api: Api, tmp_path: Path
) -> None:
    path = tmp_path / "pods.json"
    with pytest.raises(discover.ListAgainError, match="410"):
        discover.follow(api.connect, discover.Targets(path))
    assert names(path) == ["c"]
    assert [query.partition("resourceVersion=")[2].partition("&")[0] for query in api.queries] == [
        "0",
        "10",
        "20",
        "21",
    ]


def test_an_error_event_asks_for_a_fresh_list(tmp_path: Path) -> None:
    error = {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
    server = Api([pod("a")], [[error]])
    path = tmp_path / "pods.json"
    with pytest.raises(discover.ListAgainError, match="too old"):
        discover.follow(server.connect, discover.Targets(path))
    server.close()
    assert names(path) == ["a"]


def test_a_fresh_list_forgets_pods_that_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "pods.json"
    targets = discover.Targets(path)
    targets.replace([pod("a"), pod("b")])
    targets.replace([pod("b")])
    assert names(path) == ["b"]


def test_without_pods_the_file_holds_no_target(tmp_path: Path) -> None:
    path = tmp_path / "pods.json"
    discover.Targets(path).replace([])
    assert json.loads(path.read_text()) == []

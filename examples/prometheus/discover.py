"""Tells Prometheus which pods to scrape: watches the API server, writes a file of targets.

The distribution's Prometheus is built without discovery in Kubernetes, so this small program does
it beside it, for a demonstration. A pod is a target while it runs and carries the annotation
`prometheus.io/scrape: "true"`; `prometheus.io/port` and `prometheus.io/path` say where. Production
uses the project's own Prometheus and `kubernetes_sd_configs` with the role `pod`.

It runs on the standard library alone, in the image's own Python: `discover.py FILE`.
"""

import http.client
import json
import logging
import os
import signal
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PAUSE = 1.0
# The server ends each watch after so many seconds; a connection silent for longer is dead.
WATCH_SECONDS = 60
DEAD_AFTER = 75.0

log = logging.getLogger("discover")

Pod = Mapping[str, Any]
Connect = Callable[[], http.client.HTTPConnection]


class ListAgainError(Exception):
    """The watch cannot go on from where it was; a fresh list is needed."""


def target_of(pod: Pod) -> dict[str, Any] | None:
    """The pod's entry in a file of targets, or None if it is not to be scraped."""
    annotations = pod["metadata"].get("annotations") or {}
    status = pod.get("status") or {}
    address = status.get("podIP")
    wanted = annotations.get("prometheus.io/scrape") == "true"
    if not (wanted and address and status.get("phase") == "Running"):
        return None
    port = annotations.get("prometheus.io/port", "80")
    return {
        "targets": [f"[{address}]:{port}" if ":" in address else f"{address}:{port}"],
        "labels": {
            "__metrics_path__": annotations.get("prometheus.io/path", "/metrics"),
            "namespace": pod["metadata"]["namespace"],
            "pod": pod["metadata"]["name"],
        },
    }


class Targets:
    """The targets as of the latest event, and the file that Prometheus reads them from."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._by_uid: dict[str, dict[str, Any]] = {}
        self._written: str | None = None

    def replace(self, pods: list[Pod]) -> None:
        """Forget all, take these pods' targets, and write them."""
        self._by_uid.clear()
        for pod in pods:
            self._take(pod)
        self.write()

    def change(self, kind: str, pod: Pod) -> None:
        """Take in one event of a watch, and write the targets if they changed."""
        self._by_uid.pop(pod["metadata"]["uid"], None)
        if kind != "DELETED":
            self._take(pod)
        self.write()

    def _take(self, pod: Pod) -> None:
        target = target_of(pod)
        if target is not None:
            self._by_uid[pod["metadata"]["uid"]] = target

    def write(self) -> None:
        """Write the file whole or not at all, for Prometheus reads it at once."""
        text = json.dumps(sorted(self._by_uid.values(), key=lambda target: str(target["labels"])))
        if text == self._written:
            return
        beside = self._path.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self._path)
        self._written = text
        log.info("%d targets", len(self._by_uid))


def in_cluster() -> http.client.HTTPConnection:
    """A connection to the API server of the cluster that this pod runs in."""
    return http.client.HTTPSConnection(
        os.environ["KUBERNETES_SERVICE_HOST"],
        int(os.environ["KUBERNETES_SERVICE_PORT"]),
        timeout=DEAD_AFTER,
        context=ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")),
    )


def _get(connection: http.client.HTTPConnection, query: str) -> http.client.HTTPResponse:
    headers = {"Accept": "application/json", "User-Agent": "example-prometheus-discovery"}
    token = ACCOUNT / "token"
    if token.exists():
        # Read each time: the kubelet renews it.
        headers["Authorization"] = f"Bearer {token.read_text().strip()}"
    connection.request("GET", f"/api/v1/pods?{query}", headers=headers)
    response = connection.getresponse()
    if response.status != 200:
        raise ListAgainError(f"the API server answers {response.status}: {response.read(500)!r}")
    return response


def _events(connect: Connect, version: str) -> Iterator[tuple[str, Pod]]:
    """The events of one watch, until the server ends it."""
    connection = connect()
    query = (
        f"watch=true&allowWatchBookmarks=true&resourceVersion={version}"
        f"&timeoutSeconds={WATCH_SECONDS}"
    )
    try:
        for line in _get(connection, query):
            event = json.loads(line)
            if event["type"] == "ERROR":
                raise ListAgainError(event["object"].get("message", "the watch failed"))
            yield event["type"], event["object"]
    finally:
        connection.close()


def follow(connect: Connect, targets: Targets) -> None:
    """List the pods, then watch them from there for as long as that goes well.

    Raises ListAgainError, OSError, HTTPException or ValueError when it no longer does.
    """
    connection = connect()
    try:
        listed = json.loads(_get(connection, "resourceVersion=0").read())
    finally:
        connection.close()
    targets.replace(listed["items"])
    version = listed["metadata"]["resourceVersion"]
    while True:
        for kind, pod in _events(connect, version):
            version = pod["metadata"]["resourceVersion"]
            if kind != "BOOKMARK":
                targets.change(kind, pod)


def main() -> None:
    """Follow the pods for good; after a failure the last targets stay until the next list."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    targets = Targets(Path(sys.argv[1]))
    while True:
        try:
            follow(in_cluster, targets)
        except (ListAgainError, OSError, http.client.HTTPException, ValueError) as error:
            log.warning("listing the pods again: %s", error)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()

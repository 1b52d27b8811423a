"""The real cluster of the end-to-end tests: real pods, a real Prometheus, the operator by Helm.

It is started once for the whole run, and removed at its end unless HEADGATE_KEEP is set. One run
at a time uses it: a lock says so.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.cluster import Cluster, cluster_unavailable_reason, open_cluster
from hack.cluster.paths import cache_directory
from hack.demo import installing
from tests.e2e.model import Model

HERE = Path(__file__).parent
NAME = "e2e"


@pytest.fixture(scope="session")
def only_run() -> Iterator[None]:
    """Two runs on one machine take turns."""
    lock = cache_directory() / "locks" / "end-to-end"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def cluster(only_run: None) -> Iterator[Cluster]:
    """The cluster with everything that the stories need."""
    reason = cluster_unavailable_reason()
    if reason:
        pytest.skip(reason)
    found = open_cluster(NAME)
    try:
        found.build_images(installing.images())
        installing.start_prometheus(found)
        installing.install_operator(found, HERE / "values.yaml")
        found.kubectl("apply", "-f", str(HERE / "providers.yaml"))
        for namespace, name in (
            ("monitoring", "prometheus"),
            (installing.OPERATOR_NAMESPACE, "headgate"),
            ("providers", "answers"),
        ):
            found.kubectl(
                *("-n", namespace, "rollout", "status", f"deployment/{name}", "--timeout=300s"),
                timeout=320,
            )
        yield found
    finally:
        if not os.environ.get("HEADGATE_KEEP"):
            found.down()


@pytest.fixture
def model(cluster: Cluster, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Model]:
    """A ModelDeployment's place: a namespace named after the test, deleted afterwards."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    namespace = f"e2e-{words}"[:50].strip("-")
    cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", timeout=180)
    cluster.kubectl("create", "namespace", namespace)
    yield Model(cluster, namespace, tmp_path)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")

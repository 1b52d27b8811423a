"""The real cluster of the end-to-end tests: real pods, a real Prometheus, the operator by Helm.

It is started once for the whole run (`tests.e2e.turn`); its stories are told side by side, each in
a namespace of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.cluster import Cluster, cluster_unavailable_reason, open_cluster
from hack.demo import installing
from tests.e2e import turn
from tests.e2e.model import Model

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster with everything that the stories need."""
    reason = cluster_unavailable_reason()
    if reason:
        pytest.skip(reason)
    turn.prepare_once(_prepare)
    return open_cluster(turn.NAME)


def _prepare() -> None:
    cluster = open_cluster(turn.NAME)
    cluster.build_images(installing.images())
    installing.start_prometheus(cluster)
    installing.install_operator(cluster, HERE / "values.yaml")
    cluster.kubectl("apply", "-f", str(HERE / "providers.yaml"))
    for namespace, name in (
        ("monitoring", "prometheus"),
        (installing.OPERATOR_NAMESPACE, "headgate"),
        ("providers", "answers"),
    ):
        cluster.kubectl(
            *("-n", namespace, "rollout", "status", f"deployment/{name}", "--timeout=300s"),
            timeout=320,
        )


@pytest.fixture
def model(cluster: Cluster, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Model]:
    """A ModelDeployment's place: a namespace named after the test, deleted afterwards."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    namespace = f"e2e-{words}"[:50].strip("-")
    cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", timeout=180)
    cluster.kubectl("create", "namespace", namespace)
    yield Model(cluster, namespace, tmp_path)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")

"""The chart's NetworkPolicy where policies hold: what is needed passes, all else does not."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hack.cluster import Cluster
from hack.cluster.commands import direct_environment
from hack.cluster.local import LocalCluster
from hack.cluster.processes import wait_until
from hack.demo.installing import CHART, OPERATOR_NAMESPACE, RELEASE
from hack.load.report import failed, failures_by_cause
from tests.e2e.conftest import HERE
from tests.e2e.enforcing import CREDENTIALS, credentials_server, enforced
from tests.e2e.git_repository import end_process
from tests.e2e.model import Model

pytestmark = pytest.mark.alone

OPENED = 9999
"""A port that whoever takes the operator's pod over opens in it."""
HEALTH = 8080
API_PORT = 443
NEEDED = {"kubernetes.default:443", "prometheus.monitoring:9090"}
"""What the operator talks to by name, beside the pods of models."""
CONNECT = """
import socket, sys
for place in sys.argv[1:]:
    address, port = place.rsplit(":", 1)
    try:
        socket.create_connection((address, int(port)), timeout=2).close()
    except OSError as error:
        print(f"{place}: {error}", file=sys.stderr)
    else:
        print(place)
"""


@pytest.fixture
def local(cluster: Cluster) -> LocalCluster:
    if not isinstance(cluster, LocalCluster):
        pytest.skip("the policies of other clusters are enforced by their own networks")
    return cluster


@dataclass
class Operator:
    """The installation, with its policy or without."""

    cluster: LocalCluster

    def upgrade(self, **policy: Any) -> None:
        """Have the chart's policy be so, and wait for the operator's pods."""
        scraped = {"prometheus.io/scrape": "true", "prometheus.io/port": str(HEALTH)}
        self._helm({"networkPolicy": policy, "podAnnotations": scraped})

    def restore(self) -> None:
        """As all other stories have it."""
        self._helm({})

    def _helm(self, values: dict[str, Any]) -> None:
        self.cluster.helm(
            *("upgrade", RELEASE, str(CHART), "--namespace", OPERATOR_NAMESPACE, "--wait"),
            *("--values", str(HERE / "values.yaml"), "--set-json", json.dumps(values)),
        )
        self.rolled_out()

    def rolled_out(self) -> None:
        """Wait until all pods are those of the last change."""
        self.cluster.kubectl(
            *("rollout", "status", f"deployment/{RELEASE}", "--namespace", OPERATOR_NAMESPACE),
            "--timeout=120s",
            timeout=130,
        )

    def pods(self) -> dict[str, str]:
        """The pods that stay, by name, and their addresses."""
        found = self.cluster.kubectl(
            *("get", "pods", "--namespace", OPERATOR_NAMESPACE, "--output=json"),
            *("--selector", "app.kubernetes.io/name=headgate"),
        )
        return {
            each["metadata"]["name"]: each["status"]["podIP"]
            for each in json.loads(found)["items"]
            if "deletionTimestamp" not in each["metadata"]
        }


@pytest.fixture
def operator(local: LocalCluster) -> Iterator[Operator]:
    found = Operator(local)
    yield found
    found.restore()


@contextlib.contextmanager
def opened(cluster: Cluster, pod: str) -> Iterator[None]:
    """Listen on a port of one of the operator's pods, from within its own container."""
    server = subprocess.Popen(
        [
            *(str(cluster.kubectl_program), f"--kubeconfig={cluster.kubeconfig}"),
            *("exec", "--namespace", OPERATOR_NAMESPACE, pod, "--"),
            *("timeout", "300", "python3", "-m", "http.server", str(OPENED)),
        ],
        env=direct_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        end_process(server)


def reached(cluster: Cluster, namespace: str, pod: str, python: str, places: set[str]) -> set[str]:
    """Of some places those to which a connection can be made from within a pod."""
    said = cluster.kubectl(
        *("exec", "--namespace", namespace, pod, "--", python, "-c", CONNECT, *sorted(places))
    )
    return set(said.split())


def scraped(cluster: Cluster) -> set[str]:
    """The operator's pods of which Prometheus has read the metrics."""
    query = quote(f'up{{namespace="{OPERATOR_NAMESPACE}"}} == 1')
    prometheus = "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy"
    answer = json.loads(cluster.kubectl("get", "--raw", f"{prometheus}/api/v1/query?query={query}"))
    return {each["metric"]["pod"] for each in answer["data"]["result"]}


def policy_of(cluster: LocalCluster) -> dict[str, Any]:
    """The chart's policy with what is peculiar to this cluster: where its API server and its names
    are, behind their Services; and only Prometheus may look at the operator."""
    slot = cluster.record.slot
    names = {
        "to": [{"ipBlock": {"cidr": f"{slot.host_address}/32"}}],
        "ports": [{"port": slot.dns_port, "protocol": each} for each in ("UDP", "TCP")],
    }
    monitoring = {"kubernetes.io/metadata.name": "monitoring"}
    return {
        "enabled": True,
        "apiServerPorts": [API_PORT, slot.api_port],
        "extraEgress": [names],
        "metricsFrom": [{"namespaceSelector": {"matchLabels": monitoring}}],
    }


def test_the_network_policy_lets_pass_what_is_needed_and_nothing_else(
    local: LocalCluster, operator: Operator, model: Model, tmp_path: Path
) -> None:
    operator.upgrade(enabled=False)
    model.apply("1.0.0")
    model.wait_until_stable("1.0.0")
    with (
        enforced(local, tmp_path),
        socket.create_server((local.host_address, 0)) as outside,
        credentials_server(local, API_PORT),
    ):
        pod, address = next(iter(operator.pods().items()))
        inward = {f"{address}:{OPENED}", f"{address}:{HEALTH}"}
        # No port of the API server, and one of them where it never is.
        forbidden = {
            f"{local.host_address}:{outside.getsockname()[1]}",
            f"{CREDENTIALS}:{API_PORT}",
        }

        def from_operator(name: str) -> set[str]:
            places = NEEDED | forbidden
            return reached(local, OPERATOR_NAMESPACE, f"pod/{name}", "python3", places)

        def from_elsewhere() -> set[str]:
            python = "/opt/venv/bin/python"
            return reached(local, "providers", "deployment/answers", python, inward)

        def from_prometheus() -> set[str]:
            return reached(local, "monitoring", "deployment/prometheus", "python3", inward)

        with opened(local, pod):
            # Without the policy everything is reached, so what is not later is the policy's doing.
            wait_until(lambda: from_elsewhere() == inward, 30, lambda: "nothing listens", 1)
            assert from_operator(pod) == NEEDED | forbidden

            operator.upgrade(**policy_of(local))
            assert pod in operator.pods()
            wait_until(lambda: not from_elsewhere(), 30, lambda: f"{from_elsewhere()} let in", 1)
            assert from_prometheus() == {f"{address}:{HEALTH}"}
        assert from_operator(pod) == NEEDED

        # New pods start behind it: their probes, the API server, scrapes and a whole release pass.
        local.kubectl("rollout", "restart", f"deployment/{RELEASE}", "-n", OPERATOR_NAMESPACE)
        operator.rolled_out()
        with model.users() as users:
            model.again("2.0.0")
            model.wait_until_stable("2.0.0")
        assert not failed(users.answers()), failures_by_cause(users.answers())
        assert "SmokePassed" in model.reasons()
        wait_until(
            lambda: scraped(local) == operator.pods().keys(),
            60,
            lambda: f"scraped are {scraped(local)} of {operator.pods()}",
            1,
        )
        for name in operator.pods():
            assert from_operator(name) == NEEDED

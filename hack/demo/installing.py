"""Brings what the releases need into the cluster: images, Prometheus, the operator.

Every step works on whatever an earlier demonstration, whole or killed, left there.
"""

from __future__ import annotations

import json
from pathlib import Path

from hack.cluster import Cluster, ClusterError, progress
from hack.cluster.cluster import Image
from hack.demo.stories import HERE, IMAGE, NAMESPACE, VERSIONS

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
CHART = ROOT / "charts" / "headgate"
OPERATOR_IMAGE = "headgate.local/headgate:dev"
PROMETHEUS_IMAGE = "headgate.local/prometheus:2.42"
OPERATOR_NAMESPACE = "headgate-system"
RELEASE = "headgate"
_ROLLOUT_SECONDS = 240
_GONE_SECONDS = 180


def forget_earlier(cluster: Cluster) -> None:
    """Begin to delete the ModelDeployments of an earlier demonstration."""
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def images() -> list[Image]:
    """The operator, from the Dockerfile of the repository; Prometheus; the model server's versions,
    whose Dockerfile makes all of them."""
    prometheus, server = EXAMPLES / "prometheus", EXAMPLES / "digits-server"
    return [
        Image(ROOT, ROOT / "Dockerfile", OPERATOR_IMAGE),
        Image(prometheus, prometheus / "Dockerfile", PROMETHEUS_IMAGE),
        *(
            Image(server, server / "Dockerfile", f"{IMAGE}:{version}", {"VERSION": version})
            for version in VERSIONS
        ),
    ]


def start_prometheus(cluster: Cluster) -> None:
    """Apply Prometheus' manifest."""
    cluster.kubectl("apply", "-f", str(EXAMPLES / "prometheus" / "prometheus.yaml"))


def install_operator(cluster: Cluster, values: Path = HERE / "values.yaml") -> None:
    """`helm install`, also where an installation was cut short or is of older sources: the
    definition of ModelDeployment that stayed behind is taken over and renewed."""
    if RELEASE in _releases(cluster):
        cluster.helm("uninstall", RELEASE, "--namespace", OPERATOR_NAMESPACE, "--wait")
    cluster.helm(
        *("install", RELEASE, str(CHART), "--namespace", OPERATOR_NAMESPACE, "--create-namespace"),
        *("--values", str(values), "--take-ownership", "--force-conflicts"),
    )


def _releases(cluster: Cluster) -> list[str]:
    listed = cluster.helm(
        *("list", "--namespace", OPERATOR_NAMESPACE, "--output", "json"),
        *("--deployed", "--failed", "--pending", "--uninstalling", "--superseded"),
    )
    return [each["name"] for each in json.loads(listed)]


def wait_ready(cluster: Cluster) -> None:
    """Wait until Prometheus and the operator are ready and the namespace is new."""
    limit = f"--timeout={_ROLLOUT_SECONDS}s"
    for namespace, name in (("monitoring", "prometheus"), (OPERATOR_NAMESPACE, RELEASE)):
        with progress.step(f"waiting for {name}", quiet_under=1):
            try:
                cluster.kubectl(
                    *("rollout", "status", f"deployment/{name}", "--namespace", namespace, limit),
                    timeout=_ROLLOUT_SECONDS + 10,
                )
            except ClusterError as error:
                raise ClusterError(f"{error}\n{why_not_ready(cluster, namespace)}") from error
    with progress.step(f"waiting for the namespace {NAMESPACE} to be new", quiet_under=1):
        cluster.kubectl(
            *("wait", "--for=delete", f"namespace/{NAMESPACE}", f"--timeout={_GONE_SECONDS}s"),
            timeout=_GONE_SECONDS + 10,
        )
        cluster.kubectl("apply", "-f", str(HERE / "manifests" / "namespace.yaml"))


def why_not_ready(cluster: Cluster, namespace: str) -> str:
    """The pods of a namespace and the last lines that they wrote, for a message to a person."""
    said = []
    for command in (
        ("get", "pods", "--namespace", namespace, "--output=wide"),
        ("logs", "--namespace", namespace, "--all-pods", "--tail=15", f"deployment/{RELEASE}"),
    ):
        try:
            said.append(cluster.kubectl(*command))
        except ClusterError:
            continue  # what is not there cannot explain anything
    return "\n".join(said)

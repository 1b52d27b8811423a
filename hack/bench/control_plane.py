"""The cluster of the benchmark: a control plane, the controllers that make pods, and kwok.

Pods name their node themselves, so no scheduler is needed, and nobody calls the Services, so
endpoints are not kept. Every process is written into the cluster's record and ends with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hack.cluster import ClusterError, binaries, control_plane, temporary_cluster
from hack.cluster.local import LocalCluster
from hack.cluster.processes import ProcessRecord, launch, wait_until

NODE = "simulated"
CONTROLLERS = (
    "deployment-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "replicaset-controller",
    "serviceaccount-controller",
)
STAGES = Path(__file__).with_name("stages.yaml")
REPOSITORY = Path(__file__).parents[2]
_SECONDS = 60


@contextmanager
def benchmark_cluster() -> Iterator[LocalCluster]:
    """A cluster with one simulated node, which is removed at the end."""
    with temporary_cluster("bench", control_plane_only=True) as cluster:
        assert isinstance(cluster, LocalCluster)
        record = cluster.record
        _install_crd(cluster)
        command = control_plane.controller_manager_command(record)
        only = f"--controllers={','.join(CONTROLLERS)}"
        control_plane.launch_recorded(record, "kube-controller-manager", [*command, only])
        cluster.kubectl("apply", "-f", "-", input=_node())
        binaries.build(["kwok"])
        simulate(cluster)
        _wait_for_node(cluster)
        yield cluster


def simulate(cluster: LocalCluster) -> None:
    """Start kwok."""
    command = [
        str(binaries.program("kwok", "kwok")),
        f"--kubeconfig={cluster.kubeconfig}",
        f"--config={STAGES}",
        "--manage-all-nodes=true",
        "--server-address=127.0.0.1:0",
        "--node-lease-duration-seconds=0",
    ]
    control_plane.launch_recorded(cluster.record, "kwok", command)


def launch_operator(
    cluster: LocalCluster, tree: Path, arguments: Sequence[str], number: int
) -> ProcessRecord:
    """Start `headgate run` of a working tree."""
    name = f"operator-{number}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(cluster.record.directory),
        "PYTHONPATH": str(tree / "operator"),
    }
    started = launch(
        [sys.executable, "-m", "headgate", "run", *arguments],
        log=cluster.record.log(name),
        environment=environment,
    )
    cluster.record.processes[name] = started
    cluster.record.save()
    return started


def _install_crd(cluster: LocalCluster) -> None:
    cluster.kubectl("apply", "-f", str(REPOSITORY / "crds"))

    def served() -> bool:
        try:
            cluster.kubectl("get", "modeldeployments")
        except ClusterError:
            return False
        return True

    wait_until(served, _SECONDS, lambda: "the definition of ModelDeployments is not served", 0.2)


def _node() -> str:
    # Room for every pod of the benchmark; a kubelet's own default is 110.
    return f"""\
apiVersion: v1
kind: Node
metadata:
  name: {NODE}
  labels: {{kubernetes.io/hostname: {NODE}}}
status:
  allocatable: {{cpu: "10000", memory: 100Ti, pods: "100000"}}
  capacity: {{cpu: "10000", memory: 100Ti, pods: "100000"}}
"""


def _wait_for_node(cluster: LocalCluster) -> None:
    condition = '{.status.conditions[?(@.type=="Ready")].status}'

    def ready() -> bool:
        control_plane.require_alive(cluster.record)
        return cluster.kubectl("get", "node", NODE, f"-ojsonpath={condition}") == "True"

    wait_until(ready, _SECONDS, lambda: "the simulated node is not Ready", 0.3)

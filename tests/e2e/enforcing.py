"""NetworkPolicies that hold: the firewall of kube-router alone, as a process of the node.

The local cluster's own network lets everything through. kube-router only filters here, by iptables
and ipset in the node's network; addresses and Services stay with the plugin and with kube-proxy.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hack.cluster import network
from hack.cluster.binaries import build, download_modules, program
from hack.cluster.commands import direct_environment, run
from hack.cluster.control_plane import node_name
from hack.cluster.local import LocalCluster
from hack.cluster.packages import install_command
from hack.cluster.processes import wait_until
from tests.e2e.git_repository import end_process

MODULE = "kube-router"
CREDENTIALS = "169.254.169.254"
"""Where clouds hand out credentials to whoever asks."""
_PACKAGES = ("iptables", "ipset")
_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
_APT_SECONDS = 900
_START_SECONDS = 60


@contextlib.contextmanager
def enforced(cluster: LocalCluster, directory: Path) -> Iterator[None]:
    """Enforce all policies of the cluster until the block ends."""
    _install()
    download_modules([MODULE])
    build([MODULE])
    log = directory / "kube-router.log"
    with log.open("wb") as written:
        process = cluster.start_process(
            [
                str(program(MODULE, "kube-router")),
                f"--kubeconfig={cluster.kubeconfig}",
                f"--hostname-override={node_name(cluster.record)}",
                f"--service-cluster-ip-range={cluster.record.slot.services}",
                *("--run-firewall", "--run-router=false", "--run-service-proxy=false"),
                "--health-port=0",
            ],
            env=direct_environment() | {"PATH": _PATH},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:

        def filters() -> bool:
            assert process.poll() is None, log.read_text()[-3000:]
            return "-A KUBE-ROUTER-FORWARD" in _in_node(cluster, ["iptables-save"])

        wait_until(filters, _START_SECONDS, lambda: log.read_text()[-3000:], 0.5)
        yield
    finally:
        end_process(process)
        # It leaves its rules behind, so that pods stay guarded while it is restarted.
        _in_node(cluster, ["iptables-restore"], "*filter\nCOMMIT\n")
        _in_node(cluster, ["ipset", "destroy"])


@contextlib.contextmanager
def credentials_server(cluster: LocalCluster, port: int) -> Iterator[None]:
    """Listen in the node's network, and nowhere else, where a cloud would."""
    address = ["dev", "lo", f"{CREDENTIALS}/32"]
    _in_node(cluster, ["ip", "address", "add", *address])
    server = cluster.start_process(
        [sys.executable, "-m", "http.server", "--bind", CREDENTIALS, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        end_process(server)
        _in_node(cluster, ["ip", "address", "delete", *address])


def _install() -> None:
    missing = [each for each in _PACKAGES if shutil.which(each, path=_PATH) is None]
    if missing:
        run(["apt-get", "update"], timeout=_APT_SECONDS)
        run(install_command(missing), timeout=_APT_SECONDS)


def _in_node(cluster: LocalCluster, command: list[str], said: str | None = None) -> str:
    return run(
        [*network.enter(cluster.name), *command],
        input=said,
        environment=os.environ | {"PATH": _PATH},
        timeout=30,
    )

"""Why a release was taken back: the commands that a person would type afterwards, with a picture.

Prometheus is reached by `kubectl port-forward`, as a person would, for the time of one command.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from hack.cluster import Cluster, ClusterError
from hack.cluster.commands import direct_environment
from hack.demo.releasing import headgate
from hack.demo.stories import NAMESPACE

_PATIENCE_SECONDS = 20.0


def explained(cluster: Cluster, story: str) -> str:
    """What `headgate explain` says of a story's last release."""
    return headgate(cluster, "explain", story, "--namespace", NAMESPACE)


def drawn(cluster: Cluster, story: str, file: Path) -> str:
    """Draw the story's last release as Prometheus saw it; gives the last words of the replay."""
    with prometheus(cluster) as address:
        said = headgate(
            cluster,
            *("replay", story, "--namespace", NAMESPACE),
            *("--prometheus", address, "--scrape-interval", "1s", "--plot", str(file)),
        )
    return said.rpartition("\n\n")[2]


@contextlib.contextmanager
def prometheus(cluster: Cluster) -> Iterator[str]:
    """The address of the cluster's Prometheus on this machine. Raises ClusterError when it cannot
    be reached."""
    forward = subprocess.Popen(
        [
            *(str(cluster.kubectl_program), f"--kubeconfig={cluster.kubeconfig}"),
            *("port-forward", "--namespace", "monitoring", "service/prometheus", ":9090"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=direct_environment(),
    )
    try:
        yield f"http://127.0.0.1:{_port(forward)}"
    finally:
        forward.terminate()
        forward.wait(_PATIENCE_SECONDS)


def _port(forward: subprocess.Popen[str]) -> int:
    assert forward.stdout is not None
    said, deadline = "", time.monotonic() + _PATIENCE_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(forward.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline and forward.poll() is None:
            if not selector.select(1.0):
                continue
            said += forward.stdout.readline()
            found = re.search(r"Forwarding from 127\.0\.0\.1:(\d+)", said)
            if found is not None:
                return int(found[1])
    raise ClusterError(f"Prometheus cannot be reached by kubectl port-forward: {said.strip()}")

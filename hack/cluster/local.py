"""A cluster of this machine's own processes: bringing it up, reusing it, and taking it down."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from hack.cluster import (
    binaries,
    control_plane,
    dns,
    loading,
    network,
    node,
    progress,
    teardown,
)
from hack.cluster import record as records
from hack.cluster.cluster import Cluster
from hack.cluster.commands import direct_environment
from hack.cluster.errors import ClusterError
from hack.cluster.image_archive import pack_program
from hack.cluster.images import build_archive
from hack.cluster.locks import exclusive
from hack.cluster.packages import install_packages
from hack.cluster.paths import cache_directory, checked_name
from hack.cluster.processes import ProcessRecord, wait_until
from hack.cluster.record import ClusterRecord
from hack.cluster.slots import free_slot

_NODE_SECONDS = 120


class LocalCluster(Cluster):
    """A cluster that `open_local` brought up."""

    def __init__(self, record: ClusterRecord) -> None:
        super().__init__(
            record.name, record.kubeconfig, control_plane_only=record.control_plane_only
        )
        self.record = record

    @property
    def kubectl_program(self) -> Path:
        """See Cluster; of the API server's own version."""
        return binaries.program(self.record.kubernetes, "kubectl")

    @property
    def host_address(self) -> str:
        """The address of this machine as pods reach it."""
        return control_plane.api_address(self.record)

    def load_image(self, archive: Path) -> None:
        """See Cluster."""
        self.load_images([archive])

    def load_images(self, archives: Sequence[Path]) -> None:
        """See Cluster. Layers that several archives share are read once."""
        self._require_node()
        loading.load(self.record, archives)

    def start_process(self, argv: Sequence[str], **popen: Any) -> subprocess.Popen[Any]:
        """See Cluster: the program runs in the node's network."""
        self._require_node()
        popen.setdefault("env", direct_environment())
        return subprocess.Popen([*network.enter(self.name), *argv], **popen)

    def down(self) -> None:
        """See Cluster."""
        close_local(self.name)

    def _build_archive(
        self, context: Path, dockerfile: Path, tag: str, build_args: Mapping[str, str]
    ) -> Path:
        return build_archive(context, dockerfile, tag, build_args)

    def _require_node(self) -> None:
        if self.control_plane_only:
            raise ClusterError(f"cluster {self.name} is a control plane only; it has no node")


def prepare(*, control_plane_only: bool = False) -> None:
    """Install and build what is missing. Sources are downloaded while packages are installed."""
    needed = binaries.control_plane() if control_plane_only else binaries.WHOLE_CLUSTER
    with ThreadPoolExecutor(1) as pool:
        downloaded = pool.submit(binaries.download_modules, needed)
        install_packages(control_plane_only=control_plane_only)
        downloaded.result()
    binaries.build(needed)


def open_local(
    name: str,
    *,
    control_plane_only: bool = False,
    controllers: bool = False,
    owner: ProcessRecord | None = None,
) -> LocalCluster:
    """Start the cluster `name` or reuse it; see `open_cluster` and, for `owner`, ClusterRecord."""
    checked_name(name)
    remove_abandoned(besides=name)
    prepare(control_plane_only=control_plane_only)
    kubernetes = binaries.kubernetes() if control_plane_only else "kubernetes"
    with exclusive(records.lock_file(name), f"the cluster {name}"):
        running = records.load(name)
        if (
            running is not None
            and running.kubernetes == kubernetes
            and _usable(running, control_plane_only, controllers)
        ):
            return LocalCluster(running)
        what = "control plane" if control_plane_only else "cluster"
        if records.state_directory(name).exists():
            with progress.step(f"removing what is left of {name}", quiet_under=1):
                teardown.remove(name)
        elif not control_plane_only:
            # A namespace or control groups whose state directory was deleted by hand.
            teardown.remove(name)
        with exclusive(records.slots_lock_file(), "the choice of addresses"):
            slot = free_slot(records.taken_slots())
            record = ClusterRecord(
                name, slot, control_plane_only, owner=owner, kubernetes=kubernetes
            )
            record.save()
        with progress.step(f"starting {what} {name}"):
            _start(record, controllers)
        record.complete = True
        record.save()
        return LocalCluster(record)


def close_local(name: str) -> None:
    """Remove the cluster `name`, in whatever condition; no error if there is none."""
    checked_name(name)
    with exclusive(records.lock_file(name), f"the cluster {name}"):
        teardown.remove(name)


def remove_abandoned(besides: str) -> None:
    """Remove all clusters, `besides` apart, that a killed run or an ended session left behind.

    One that another process is starting or removing is locked, and left to it.
    """
    for name in records.names():
        with suppress(ClusterError), exclusive(records.lock_file(name), name, timeout=0):
            found = records.load(name)
            if name != besides and found is not None and found.is_abandoned():
                with progress.step(f"removing the abandoned cluster {name}"):
                    teardown.remove(name)


def healthy(record: ClusterRecord) -> bool:
    """Say whether a recorded cluster came up whole, all its processes run, and its API answers."""
    return record.complete and control_plane.running(record) and control_plane.is_ready(record)


def _usable(record: ClusterRecord, control_plane_only: bool, controllers: bool) -> bool:
    if record.control_plane_only and not control_plane_only:
        return False
    if controllers and "kube-controller-manager" not in record.processes:
        return False
    return healthy(record)


def _start(record: ClusterRecord, controllers: bool) -> None:
    if record.control_plane_only:
        control_plane.start_servers(record)
        control_plane.wait_ready(record)
        if controllers:
            control_plane.start_controllers(record)
        return
    # The network first: the API server listens on its host's end.
    node.prepare(record)
    control_plane.start_servers(record)
    node.start_runtime(record)
    cluster = LocalCluster(record)
    cluster.load_image(_pause_archive())
    control_plane.wait_ready(record)
    control_plane.start_controllers(record)
    node.start_agents(record)
    cluster.kubectl("apply", "-f", "-", input=dns.manifests(record))
    dns.start(record)
    _wait_for_node(cluster)


def _wait_for_node(cluster: LocalCluster) -> None:
    record = cluster.record
    left = ["the node is not Ready", "pods have no service account", "DNS does not answer"]

    def complete() -> bool:
        control_plane.require_alive(record)
        while left and _is_done(cluster, left[0]):
            left.pop(0)
        return not left

    wait_until(complete, _NODE_SECONDS, lambda: f"{left[0]}; see {record.directory / 'logs'}", 0.2)


def _is_done(cluster: LocalCluster, what: str) -> bool:
    if what.startswith("DNS"):
        return dns.answers(cluster.record)
    try:
        if what.startswith("pods"):
            # Until the controllers made it, creating a pod is refused.
            return "default" in cluster.kubectl("get", "serviceaccount", "default", "-oname")
        condition = '{.status.conditions[?(@.type=="Ready")].status}'
        name = control_plane.node_name(cluster.record)
        return cluster.kubectl("get", "node", name, f"-ojsonpath={condition}") == "True"
    except ClusterError:
        return False  # not there yet; the wait has a limit


def _pause_archive() -> Path:
    made = binaries.program("pause", "pause")
    archive = cache_directory() / "images" / f"pause-{made.parent.name}.tar"
    if not archive.exists():
        part = archive.with_suffix(".part")
        pack_program(made, node.PAUSE_IMAGE, part)
        part.rename(archive)
    return archive

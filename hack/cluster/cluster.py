"""A running local cluster: what tests, the demo and the load generator ask of it.

`Cluster` is the common face; `LocalCluster` is made of our own processes (`local`), `KindCluster`
of a Docker container (`kind_cluster`). `open_cluster` starts or reuses whichever this machine can
have.
"""

from __future__ import annotations

import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hack.cluster.binaries import HELM, build, program
from hack.cluster.commands import direct_environment, run
from hack.cluster.paths import cache_directory
from hack.cluster.processes import ProcessRecord, own_record

_HELM_SECONDS = 300


@dataclass(frozen=True)
class Image:
    """An image to build; see `Cluster.build_image`."""

    context: Path
    dockerfile: Path
    tag: str
    build_args: Mapping[str, str] = field(default_factory=dict)


class Cluster(ABC):
    """A cluster that was ready when it was opened.

    `kubeconfig` makes its reader an administrator. `control_plane_only` clusters have an API
    server but no node: objects are kept and checked, pods never run.
    """

    def __init__(self, name: str, kubeconfig: Path, *, control_plane_only: bool) -> None:
        self.name = name
        self.kubeconfig = kubeconfig
        self.control_plane_only = control_plane_only

    @property
    @abstractmethod
    def kubectl_program(self) -> Path:
        """The path of kubectl."""

    def kubectl(self, *args: str, input: str | None = None, timeout: float = 60) -> str:
        """Run kubectl as an administrator and give its output; raises ClusterError if it fails.

        `input` is its standard input, as for `apply -f -`; `timeout` is in seconds.
        """
        return run(
            [self.kubectl_program, f"--kubeconfig={self.kubeconfig}", *args],
            input=input,
            timeout=timeout,
            environment=self.client_environment(),
        )

    def helm(self, *args: str, timeout: float = _HELM_SECONDS) -> str:
        """Run Helm as an administrator and give its output; raises ClusterError if it fails."""
        build([HELM])
        return run(
            [program(HELM, "helm"), f"--kubeconfig={self.kubeconfig}", *args],
            timeout=timeout,
            environment=self.client_environment(),
        )

    def client_environment(self) -> dict[str, str]:
        """Give what kubectl and Helm need in their environment to mean this cluster."""
        tools = cache_directory() / "client"
        return direct_environment() | {
            "KUBECONFIG": str(self.kubeconfig),
            # The user's own plugins, repositories and discovery caches stay out of it.
            "KUBECACHEDIR": str(tools / "kubectl"),
            "KUBERC": "off",
            "HELM_CACHE_HOME": str(tools / "helm" / "cache"),
            "HELM_CONFIG_HOME": str(tools / "helm" / "config"),
            "HELM_DATA_HOME": str(tools / "helm" / "data"),
        }

    def build_image(
        self,
        context: Path,
        dockerfile: Path,
        tag: str,
        build_args: Mapping[str, str] | None = None,
    ) -> None:
        """Build `dockerfile` with the directory `context` as the image `tag`, and load it.

        What was built before from the same content is taken from the cache, and what is loaded
        already is not loaded again.
        """
        self.load_image(self._build_archive(context, dockerfile, tag, build_args or {}))

    def build_images(self, images: Sequence[Image]) -> None:
        """Build several images, then load them together, which costs less than one by one."""
        self.load_images(
            [
                self._build_archive(each.context, each.dockerfile, each.tag, each.build_args)
                for each in images
            ]
        )

    def load_images(self, archives: Sequence[Path]) -> None:
        """Make the images of several archives (docker save) available to pods."""
        for archive in archives:
            self.load_image(archive)

    @abstractmethod
    def load_image(self, archive: Path) -> None:
        """Make the images of an archive (docker save, OCI) available to pods."""

    @abstractmethod
    def start_process(self, argv: Sequence[str], **popen: Any) -> subprocess.Popen[Any]:
        """Start a program of this machine where it reaches addresses of pods and Services.

        `popen` goes to subprocess.Popen as it is. The caller ends the process; the removal of the
        cluster ends it too.
        """

    @abstractmethod
    def down(self) -> None:
        """Remove the cluster and everything in it."""

    @abstractmethod
    def _build_archive(
        self, context: Path, dockerfile: Path, tag: str, build_args: Mapping[str, str]
    ) -> Path: ...


def open_cluster(
    name: str, *, control_plane_only: bool = False, controllers: bool = False
) -> Cluster:
    """Start the cluster `name`, or reuse it if it runs and is healthy; what crashed is replaced.

    `control_plane_only` gives an API server without a node, in seconds; `controllers` adds the
    controller manager to it (garbage collection, service accounts, deletion of namespaces).
    Raises ClusterUnavailableError if this machine can have no cluster, and ClusterError if it does
    not come up.
    """
    return _open(name, control_plane_only, controllers, None)


def _open(
    name: str, control_plane_only: bool, controllers: bool, owner: ProcessRecord | None
) -> Cluster:
    from hack.cluster import kind_cluster, local
    from hack.cluster.prerequisites import look, require

    machine = look()
    require(machine, control_plane_only=control_plane_only)
    if machine.docker and not control_plane_only:
        return kind_cluster.open_kind(name)
    return local.open_local(
        name, control_plane_only=control_plane_only, controllers=controllers, owner=owner
    )


def close_cluster(name: str) -> None:
    """Remove the cluster `name` and all its traces, whatever state it is in."""
    from hack.cluster import kind_cluster, local
    from hack.cluster.prerequisites import docker_answers

    local.close_local(name)
    if docker_answers():
        kind_cluster.close_kind(name)


@contextmanager
def temporary_cluster(
    prefix: str, *, control_plane_only: bool = False, controllers: bool = False
) -> Iterator[Cluster]:
    """Give the body a cluster of its own, named after `prefix` and this process; see open_cluster.

    It is removed at the end, or, if this process is killed, by whoever next opens any cluster.
    """
    cluster = _open(f"{prefix}-{os.getpid()}", control_plane_only, controllers, own_record())
    try:
        yield cluster
    finally:
        cluster.down()


def cluster_unavailable_reason(*, control_plane_only: bool = False) -> str | None:
    """Give why this machine can have no cluster, as a reason to skip tests; None if it can."""
    from hack.cluster.prerequisites import look, unavailable_reason

    return unavailable_reason(look(), control_plane_only=control_plane_only)

"""A cluster in a Docker container, made with kind, behind the same face as our own processes.

Chosen wherever a Docker engine answers. kind and kubectl are taken from the PATH, or built like
the other tools.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hack.cluster import progress
from hack.cluster.binaries import build, program
from hack.cluster.build_context import context_digest
from hack.cluster.cluster import Cluster
from hack.cluster.commands import direct_environment, run
from hack.cluster.errors import ClusterError
from hack.cluster.locks import exclusive
from hack.cluster.paths import cache_directory, checked_name, clusters_directory

_CREATE_SECONDS = 900
_BUILD_SECONDS = 1800
_READY_WAIT = "180s"


class KindCluster(Cluster):
    """A cluster that `open_kind` made or found."""

    def __init__(self, name: str) -> None:
        super().__init__(name, kubeconfig_file(name), control_plane_only=False)

    @property
    def kubectl_program(self) -> Path:
        """See Cluster; the user's own, if there is one."""
        return _tool("kubectl", "kubernetes")

    def load_image(self, archive: Path) -> None:
        """See Cluster."""
        run(load_command(self.name, archive), timeout=_CREATE_SECONDS)

    def start_process(self, argv: Sequence[str], **popen: Any) -> subprocess.Popen[Any]:
        """See Cluster: the program runs in the network of the node's container.

        Root enters that network; anyone else has Docker start the program there, on the files of
        this machine. Both take the Linux that Docker runs on; elsewhere ClusterError says what to
        do.
        """
        if platform.system() != "Linux":
            raise ClusterError(
                "addresses of pods in a kind cluster are reached only from the Linux that Docker "
                f"runs on: use `kubectl --kubeconfig {self.kubeconfig} port-forward`"
            )
        popen.setdefault("env", direct_environment())
        node = node_container(self.name)
        if os.geteuid() != 0:
            directory = Path(popen.pop("cwd", None) or Path.cwd())
            image = run(["docker", "inspect", "--format", "{{.Image}}", node]).strip()
            return subprocess.Popen(container_command(node, image, directory, argv), **popen)
        pid = run(["docker", "inspect", "--format", "{{.State.Pid}}", node]).strip()
        return subprocess.Popen(["nsenter", f"--net=/proc/{pid}/ns/net", *argv], **popen)

    def down(self) -> None:
        """See Cluster."""
        close_kind(self.name)

    def _build_archive(
        self, context: Path, dockerfile: Path, tag: str, build_args: Mapping[str, str]
    ) -> Path:
        words = [f"{key}={value}" for key, value in sorted(build_args.items())]
        stem = re.sub(r"[^a-z0-9.]+", "-", tag)
        digest = context_digest(context, dockerfile, [tag, "docker", *words])
        archive = cache_directory() / "images" / f"{stem}-docker-{digest}.tar"
        if not archive.exists():
            archive.parent.mkdir(parents=True, exist_ok=True)
            part = archive.with_suffix(".part")
            with progress.step(f"building image {tag}"):
                run(docker_build_command(context, dockerfile, tag, words), timeout=_BUILD_SECONDS)
                run(["docker", "save", "--output", part, tag], timeout=_BUILD_SECONDS)
            part.rename(archive)
        return archive


def open_kind(name: str) -> KindCluster:
    """Make the cluster `name` with kind, or reuse it if its API server answers."""
    checked_name(name)
    with exclusive(_lock_file(name), f"the cluster {name}"):
        cluster = KindCluster(name)
        if kind_name(name) in run([_kind(), "get", "clusters"]).split():
            if _answers(cluster):
                return cluster
            run(delete_command(name), timeout=_CREATE_SECONDS)
        cluster.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        with progress.step(f"creating cluster {name} with kind"):
            run(create_command(name), timeout=_CREATE_SECONDS)
        return cluster


def close_kind(name: str) -> None:
    """Delete the cluster `name`; no error if there is none."""
    with exclusive(_lock_file(name), f"the cluster {name}"):
        run(delete_command(name), timeout=_CREATE_SECONDS)
        shutil.rmtree(kubeconfig_file(name).parent, ignore_errors=True)


def kind_name(name: str) -> str:
    """Give the name under which kind knows the cluster `name`."""
    return f"headgate-{name}"


def node_container(name: str) -> str:
    """Give the name of the container that is the node."""
    return f"{kind_name(name)}-control-plane"


def kubeconfig_file(name: str) -> Path:
    """Give where the cluster's kubeconfig is, apart from the user's own."""
    return clusters_directory().parent / "kind" / name / "kubeconfig"


def create_command(name: str) -> list[str | Path]:
    """Give the command line that makes a cluster and waits until its node is ready."""
    return [
        *(_kind(), "create", "cluster", "--name", kind_name(name)),
        *("--kubeconfig", kubeconfig_file(name), "--wait", _READY_WAIT),
    ]


def delete_command(name: str) -> list[str | Path]:
    """Give the command line that deletes a cluster."""
    return [
        *(_kind(), "delete", "cluster", "--name", kind_name(name)),
        *("--kubeconfig", kubeconfig_file(name)),
    ]


def load_command(name: str, archive: Path) -> list[str | Path]:
    """Give the command line that loads an image archive into the node."""
    return [_kind(), "load", "image-archive", archive, "--name", kind_name(name)]


def container_command(node: str, image: str, directory: Path, argv: Sequence[str]) -> list[str]:
    """Give the command line that runs `argv` as this user, with this machine's files, in the
    network of the container `node`; `image` is any image that has chroot, such as the node's."""
    user = f"--userspec={os.geteuid()}:{os.getegid()}"
    enter = 'cd "$0" && exec "$@"'
    return [
        *("docker", "run", "--rm", f"--network=container:{node}", "--volume=/:/host"),
        *("--entrypoint=chroot", image, user, "/host"),
        *("sh", "-c", enter, str(directory), *argv),
    ]


def docker_build_command(
    context: Path, dockerfile: Path, tag: str, build_args: Sequence[str] = ()
) -> list[str | Path]:
    """Give the command line that builds an image; `build_args` as in "KEY=VALUE"."""
    arguments = [f"--build-arg={each}" for each in build_args]
    return ["docker", "build", *arguments, "--file", dockerfile, "--tag", tag, context]


def _answers(cluster: KindCluster) -> bool:
    try:
        return cluster.kubectl("get", "--raw=/readyz", timeout=15) == "ok"
    except ClusterError:
        return False


def _kind() -> Path:
    return _tool("kind", "kind")


def _tool(name: str, module: str) -> Path:
    installed = shutil.which(name)
    if installed:
        return Path(installed)
    build([module])
    return program(module, name)


def _lock_file(name: str) -> Path:
    return clusters_directory() / ".locks" / f"kind-{name}"

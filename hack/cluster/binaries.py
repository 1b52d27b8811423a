"""Build the programs of the control plane and its tools from Go modules, once, into the cache.

Each directory of `hack/cluster/go` is a Go module of its own with pinned hashes (go.sum), so that
the versions one tool needs never clash with another's. What is built is kept under a digest of
everything that goes into it; a build happens in a directory beside and is renamed when complete,
so a cache entry is never half there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hack.cluster import progress
from hack.cluster.errors import ClusterError
from hack.cluster.locks import exclusive
from hack.cluster.paths import cache_directory
from hack.cluster.toolchain import run_go

_SOURCES = Path(__file__).parent / "go"
_BUILD_SECONDS = 1800
_KUBERNETES = "1.35.4"

_OLDER_KUBERNETES = ("1.34.4", "1.33.13")
CHOICE = "HEADGATE_KUBERNETES"
"""The variable that asks for an older Kubernetes, such as 1.33."""


def _version_settings(version: str) -> tuple[str, ...]:
    """Without its version a server answers "v0.0.0-master", and kubectl cannot tell what it talks
    to."""
    major, minor, _ = version.split(".")
    return tuple(
        f"-X {package}.{variable}={value}"
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for variable, value in (
            ("gitVersion", f"v{version}"),
            ("gitMajor", major),
            ("gitMinor", minor),
        )
    )


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


@dataclass(frozen=True)
class Module:
    """A Go module whose programs we use.

    `packages` is what `go build` is asked for ("tool" stands for go.mod's tool lines, "." for the
    module's own main package), `outputs` maps the file names that makes to the names we use.
    """

    name: str
    version: str
    packages: tuple[str, ...]
    outputs: dict[str, tuple[str, ...]]
    linker_settings: tuple[str, ...] = field(default=())

    @property
    def directory(self) -> Path:
        """The directory of go.mod."""
        return _SOURCES / self.name

    @property
    def linker_flags(self) -> str:
        """The value of -ldflags: no symbol table, no debugging data, and the version."""
        return " ".join(("-s -w", *self.linker_settings))


MODULES = {
    module.name: module
    for module in (
        Module(
            "kubernetes",
            _KUBERNETES,
            (".", "tool"),
            {
                "kubernetes": (
                    "kube-apiserver",
                    "kube-controller-manager",
                    "kube-proxy",
                    "kube-scheduler",
                    "kubelet",
                ),
                "kubectl": ("kubectl",),
            },
            _version_settings(_KUBERNETES),
        ),
        # No node: what tests of a control plane need.
        *(
            Module(
                f"kubernetes-{_minor(version)}",
                version,
                ("tool",),
                {
                    name: (name,)
                    for name in ("kube-apiserver", "kube-controller-manager", "kubectl")
                },
                _version_settings(version),
            )
            for version in _OLDER_KUBERNETES
        ),
        Module("etcd", "3.6.16", ("tool",), {"server": ("etcd",)}),
        # Both talk to Kubernetes by the same client, which is compiled once for the two of them.
        Module("coredns", "1.15.0", (".", "tool"), {"coredns": ("coredns",), "helm": ("helm",)}),
        Module("pause", "1", (".",), {"pause": ("pause",)}),
        Module("kind", "0.33.0", ("tool",), {"kind": ("kind",)}),
        # Nodes and pods that only say they run: for the benchmark of the operator alone.
        Module("kwok", "0.8.0", ("tool",), {"kwok": ("kwok",)}),
        # What looks at the chart and the workflows (hack/checkers.py). The last is a program of our
        # own around the types of the Prometheus operator.
        Module("kubeconform", "0.8.0", ("tool",), {"kubeconform": ("kubeconform",)}),
        Module("kube-score", "1.20.0", ("tool",), {"kube-score": ("kube-score",)}),
        Module("actionlint", "1.7.12", ("tool",), {"actionlint": ("actionlint",)}),
        Module("monitoring", "0.95.2", (".",), {"monitoring": ("monitoring",)}),
        # What the release workflow signs with, and a registry for it to push to.
        Module("cosign", "2.6.1", ("tool",), {"cosign": ("cosign",)}),
        Module("registry", "3.0.0", ("tool",), {"registry": ("registry",)}),
        # What enforces NetworkPolicies for the story of the chart's own.
        Module("kube-router", "2.1.0", ("tool",), {"kube-router": ("kube-router",)}),
        # One program, which goes by its name, and the one that it has make manifests.
        Module(
            "argocd",
            "3.2.5",
            ("tool",),
            {
                "cmd": (
                    "argocd",
                    "argocd-application-controller",
                    "argocd-applicationset-controller",
                    "argocd-repo-server",
                    "argocd-server",
                ),
                "kustomize": ("kustomize",),
            },
        ),
    )
}
WHOLE_CLUSTER = ("kubernetes", "etcd", "coredns", "pause")
HELM = "coredns"
"""The module whose build makes Helm."""


def kubernetes() -> str:
    """Give the module of the API server, its controllers and kubectl: the newest Kubernetes, or the
    one that $HEADGATE_KUBERNETES asks for. Raises ClusterError when there is none of that name."""
    asked = os.environ.get(CHOICE) or _minor(_KUBERNETES)
    if asked == _minor(_KUBERNETES):
        return "kubernetes"
    older = [_minor(version) for version in _OLDER_KUBERNETES]
    if asked not in older:
        known = ", ".join((_minor(_KUBERNETES), *older))
        raise ClusterError(f"{CHOICE} is {asked}; there is {known}.")
    return f"kubernetes-{asked}"


def control_plane() -> tuple[str, ...]:
    """Give the modules of a control plane alone."""
    return (kubernetes(), "etcd")


def build_command(module: Module, output: Path) -> list[str]:
    """Give the command that builds all programs of `module` into the directory `output`."""
    return [
        "go",
        "build",
        "-trimpath",
        # Half a minute less to build; the linker's -w drops the debugging data anyway.
        "-gcflags=all=-dwarf=false",
        f"-ldflags={module.linker_flags}",
        "-o",
        f"{output}/",
        *module.packages,
    ]


def build_settings(memory: int | None = None) -> dict[str, str]:
    """Give Go's variables for a build: static programs, and exactly the modules of go.sum.

    `memory` is what the machine has, in bytes (None: ask it).
    """
    return {
        "CGO_ENABLED": "0",
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly",
        **_collect_garbage_late(_physical_memory() if memory is None else memory),
    }


def _collect_garbage_late(memory: int) -> dict[str, str]:
    """Give a compiler the memory that is there, so that it hardly ever stops to collect garbage. Go
    compiles one package a core at a time."""
    share = min(memory // (2 * (os.cpu_count() or 1)), 3 << 30)
    return {"GOGC": "off", "GOMEMLIMIT": str(share)} if share >= 1 << 30 else {}


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def digest(module: Module) -> str:
    """Give a short digest of everything that decides what is built."""
    content = hashlib.sha256()
    for part in build_command(module, Path("out")):
        content.update(part.encode() + b"\0")
    for source in sorted(module.directory.iterdir()):
        content.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return content.hexdigest()[:12]


def binaries_directory(name: str) -> Path:
    """Give where the programs of the module `name` are, or will be once they are built."""
    module = MODULES[name]
    return cache_directory() / "binaries" / f"{name}-{module.version}-{digest(module)}"


def is_built(name: str) -> bool:
    """Say whether the programs of the module `name` are in the cache."""
    return binaries_directory(name).is_dir()


def program(module: str, name: str) -> Path:
    """Give the path of one program, e.g. program("kubernetes", "kubelet")."""
    return binaries_directory(module) / name


def download_modules(names: Iterable[str]) -> None:
    """Fetch the sources of every module not built yet; the network works while nothing compiles."""
    missing = [name for name in names if not is_built(name)]
    if not missing:
        return
    with progress.step(f"downloading sources: {', '.join(missing)}"):
        for name in missing:
            run_go(
                ["go", "mod", "download"],
                directory=MODULES[name].directory,
                output=None,
                settings=build_settings(),
                timeout=_BUILD_SECONDS,
            )


def build(names: Iterable[str]) -> None:
    """Build what is missing of the modules `names`, one after the other, each on all cores."""
    for name in names:
        target = binaries_directory(name)
        with exclusive(
            cache_directory() / "locks" / f"build-{name}", f"the build of {name}", _BUILD_SECONDS
        ):
            if not target.is_dir():
                with progress.step(f"building {name} {MODULES[name].version}"):
                    _build_into(MODULES[name], target)


def _build_into(module: Module, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in target.parent.glob(f".{module.name}-*"):
        shutil.rmtree(abandoned)
    work = Path(tempfile.mkdtemp(prefix=f".{module.name}-", dir=target.parent))
    try:
        run_go(
            build_command(module, work),
            directory=module.directory,
            output=work,
            settings=build_settings(),
            timeout=_BUILD_SECONDS,
        )
        for built, names in module.outputs.items():
            for name in names:
                if name != built:
                    os.link(work / built, work / name)
            if built not in names:
                (work / built).unlink()
        work.chmod(0o755)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)

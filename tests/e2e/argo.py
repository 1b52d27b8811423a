"""A real Argo CD that watches a real git repository: all of it as processes on loopback.

Application controller, repository server, API server and redis are started for one test; what they
manage is the end-to-end cluster. Its own settings are those that `examples/argocd` gives people.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hack.argocd import customizations
from hack.cluster import Cluster
from hack.cluster.binaries import MODULES, build, build_settings, download_modules, program
from hack.cluster.commands import run
from hack.cluster.packages import install_command
from hack.cluster.processes import wait_until

NAMESPACE = "argocd"
MODULE = "argocd"
GROUP, VERSION, KIND = "headgate.dev", "v1alpha1", "ModelDeployment"
PATIENCE = 150.0
_APT_SECONDS = 900


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Repository:
    """A git repository with one directory, served on loopback by git's own daemon."""

    work: Path
    url: str

    def commit(self, words: str, files: Mapping[str, str | None]) -> str:
        """Commit files (None: removed) to main, and give the commit."""
        for name, text in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", words)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        """Run git in it, as an author of the test."""
        author = ("-c", "user.name=author", "-c", "user.email=author@example.com")
        return run(["git", *author, *arguments], directory=self.work, timeout=60)


@contextlib.contextmanager
def repository(directory: Path) -> Iterator[Repository]:
    """Serve a new repository until the block ends."""
    work, port = directory / "models", free_port()
    run(["git", "init", "--quiet", "--initial-branch=main", work], timeout=60)
    daemon = subprocess.Popen(
        [
            *("git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--export-all"),
            *(f"--base-path={directory}", "--reuseaddr", str(directory)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Repository(work, f"git://127.0.0.1:{port}/models")
    finally:
        _end(daemon)


@dataclass
class Argo:
    """A running Argo CD."""

    cluster: Cluster
    url: str
    directory: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def application(self, name: str, repository: Repository, namespace: str) -> None:
        """Sync a repository into a namespace by itself, prune and self-heal included."""
        document = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "project": "default",
                "source": {"repoURL": repository.url, "targetRevision": "main", "path": "."},
                "destination": {
                    "server": "https://kubernetes.default.svc",
                    "namespace": namespace,
                },
                "syncPolicy": {"automated": {"prune": True, "selfHeal": True, "allowEmpty": True}},
            },
        }
        self.cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump(document))

    def ask(self, path: str, body: object | None = None) -> Any:
        """An answer of its API. Raises AssertionError with what it says."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from error

    def seen(self, name: str, *, anew: bool = False) -> Any:
        """The Application; `anew` has it look at git first."""
        return self.ask(f"applications/{name}" + ("?refresh=normal" if anew else ""))

    def wait(self, name: str, what: str, holds: Callable[[Any], bool]) -> Any:
        """The Application as soon as it is so; says what was seen last when it never is."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                found = self.seen(name, anew=True)
            except TimeoutError:
                # It answers when it has compared everything, which a busy machine delays.
                found = {}
            if "status" in found and holds(found):
                return found
            if time.monotonic() > deadline:
                shown = yaml.safe_dump(found.get("status"))
                raise AssertionError(f"{what}: not within {PATIENCE:.0f} s\n{shown}")
            time.sleep(0.5)

    def model(self, application: Any) -> dict[str, Any]:
        """What an Application says of its ModelDeployment."""
        (found,) = [
            each for each in application["status"].get("resources", []) if each["kind"] == KIND
        ]
        return dict(found)

    def health(self, application: Any) -> tuple[str, str]:
        """The status and the message of the ModelDeployment's health."""
        health = self.model(application).get("health") or {}
        return health.get("status", ""), health.get("message", "")

    def tree(self, name: str) -> list[Any]:
        """Everything that belongs to an Application, with its parents."""
        return list(self.ask(f"applications/{name}/resource-tree")["nodes"])

    def actions(self, name: str, namespace: str, model: str) -> dict[str, bool]:
        """What can be asked of the ModelDeployment now, and whether it is offered."""
        target = self._target(namespace, model)
        query = "&".join(f"{key}={value}" for key, value in target.items())
        answer = self.ask(f"applications/{name}/resource/actions?{query}")
        return {each["name"]: not each.get("disabled", False) for each in answer["actions"]}

    def act(self, name: str, namespace: str, model: str, action: str) -> None:
        """Ask for one of them, as its button does."""
        body = {**self._target(namespace, model), "name": name, "action": action}
        self.ask(f"applications/{name}/resource/actions/v2", body)

    def _target(self, namespace: str, model: str) -> dict[str, str]:
        return {
            "namespace": namespace,
            "resourceName": model,
            "group": GROUP,
            "version": VERSION,
            "kind": KIND,
        }


@contextlib.contextmanager
def argo_cd(cluster: Cluster, directory: Path) -> Iterator[Argo]:
    """Start Argo CD, built if need be, and end it with the block."""
    redis = _redis()
    download_modules([MODULE])
    build([MODULE])
    _install(cluster)
    ports = {name: free_port() for name in ("redis", "repository", "server", *_METRICS)}
    argo = Argo(cluster, f"http://127.0.0.1:{ports['server']}", directory)
    try:
        for name, argv, executable in _programs(ports, redis):
            log = (directory / f"{name}.log").open("wb")
            argo.processes.append(
                subprocess.Popen(
                    argv,
                    executable=executable,
                    cwd=directory,
                    env=_environment(cluster, directory),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
        wait_until(lambda: _answers(argo), 90, lambda: _last_words(directory), 0.5)
        yield argo
    finally:
        for process in reversed(argo.processes):
            _end(process)


_METRICS = ("controller-metrics", "repository-metrics", "server-metrics")


def _programs(
    ports: Mapping[str, int], redis: Path
) -> Sequence[tuple[str, Sequence[str], str | None]]:
    shared = [f"--redis=127.0.0.1:{ports['redis']}", "--loglevel=info"]
    reads = [f"--repo-server=127.0.0.1:{ports['repository']}", "--repo-server-plaintext"]
    here = "127.0.0.1"

    def argo(name: str, *flags: str) -> tuple[str, Sequence[str], str | None]:
        return name, [str(program(MODULE, f"argocd-{name}")), *flags, *shared], None

    return (
        (
            "redis",
            ["redis-server", "--port", str(ports["redis"]), "--bind", here, "--save", ""],
            str(redis),
        ),
        argo(
            "repo-server",
            *(f"--address={here}", f"--port={ports['repository']}", "--disable-tls"),
            *(f"--metrics-address={here}", f"--metrics-port={ports['repository-metrics']}"),
        ),
        argo(
            "application-controller",
            *("--namespace", NAMESPACE, *reads),
            f"--metrics-port={ports['controller-metrics']}",
        ),
        argo(
            "server",
            *("--namespace", NAMESPACE, "--insecure", "--disable-auth", "--dex-server="),
            *(f"--address={here}", f"--port={ports['server']}", *reads),
            *(f"--metrics-address={here}", f"--metrics-port={ports['server-metrics']}"),
        ),
    )


def _environment(cluster: Cluster, directory: Path) -> dict[str, str]:
    own = {name: directory / name for name in ("tls", "ssh", "gnupg", "home", "tmp")}
    for each in own.values():
        each.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(own["home"]),
        "TMPDIR": str(own["tmp"]),
        "KUBECONFIG": str(cluster.kubeconfig),
        # It is no pod: what it calls the cluster that it runs in is that of the kubeconfig.
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_GNUPGHOME": str(own["gnupg"]),
        "ARGOCD_TLS_DATA_PATH": str(own["tls"]),
        "ARGOCD_SSH_DATA_PATH": str(own["ssh"]),
    }


def _install(cluster: Cluster) -> None:
    """Its definitions and settings, ours among them."""
    manifests = _sources() / "manifests"
    place = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.kubectl("apply", "-f", "-", input=json.dumps(place))
    for name in ("application", "appproject", "applicationset"):
        file = manifests / "crds" / f"{name}-crd.yaml"
        cluster.kubectl("apply", "--server-side", "-f", str(file))
    settings = manifests / "base" / "config"
    for file in sorted(settings.glob("argocd-*.yaml")):
        cluster.kubectl("apply", "--namespace", NAMESPACE, "-f", str(file))
    # Of a run before this one on a cluster that was kept.
    cluster.kubectl("delete", "applications", "--all", "--namespace", NAMESPACE)
    ours = {"data": {**customizations(), "timeout.reconciliation": "10s"}}
    cluster.kubectl(
        *("patch", "configmap", "argocd-cm", "--namespace", NAMESPACE),
        *("--type=merge", "--patch", json.dumps(ours)),
    )


def _sources() -> Path:
    """The module's own files, which the build has fetched and checked."""
    module = MODULES[MODULE]
    found = run(
        ["go", "mod", "download", "-json", "github.com/argoproj/argo-cd/v3"],
        directory=module.directory,
        environment=os.environ | build_settings(),
        timeout=600,
    )
    return Path(json.loads(found)["Dir"])


def _redis() -> Path:
    """Redis of Debian: one program under several names, of which the package without a service has
    this one."""
    if shutil.which("redis-check-rdb") is None:
        run(["apt-get", "update"], timeout=_APT_SECONDS)
        run(install_command(["redis-tools"]), timeout=_APT_SECONDS)
    found = shutil.which("redis-check-rdb")
    assert found is not None
    return Path(found)


def _answers(argo: Argo) -> bool:
    ended = [each.args for each in argo.processes if each.poll() is not None]
    assert not ended, f"{ended}\n{_last_words(argo.directory)}"
    try:
        argo.ask("applications")
    except (OSError, AssertionError):
        return False
    return True


def _last_words(directory: Path) -> str:
    return "\n".join(
        f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in directory.glob("*.log")
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=15)

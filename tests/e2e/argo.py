"""A real Argo CD that watches a real git repository: all of it as processes on loopback.

Its controllers, repository server, API server and redis are started for one test; what they manage
is the end-to-end cluster. Its own settings are those that `examples/argocd` gives people.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
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
from hack.cluster.errors import ClusterError
from hack.cluster.packages import install_command
from hack.cluster.processes import wait_until
from tests.e2e.git_repository import Repository, end_process, free_port

NAMESPACE = "argocd"
MODULE = "argocd"
GROUP, VERSION, KIND = "headgate.dev", "v1alpha1", "ModelDeployment"
PATIENCE = 150.0
_APT_SECONDS = 900


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

    def application_set(self, text: str) -> None:
        """Have an ApplicationSet make Applications."""
        self.cluster.kubectl("apply", "-f", "-", input=text)

    def look_anew(self, name: str) -> None:
        """Have an ApplicationSet look at git now, and not within its three minutes."""
        mark = "argocd.argoproj.io/application-set-refresh=true"
        self._kubectl("annotate", "applicationset", name, mark, "--overwrite")

    def wait_for_applications(self, made_by: str, names: set[str]) -> None:
        """Until an ApplicationSet has made these Applications and no others."""

        def found() -> set[str]:
            listed = json.loads(self._kubectl("get", "applications", "--output=json"))["items"]
            return {
                each["metadata"]["name"]
                for each in listed
                for owner in each["metadata"].get("ownerReferences", ())
                if owner["name"] == made_by
            }

        wait_until(
            lambda: found() == names,
            PATIENCE,
            lambda: (
                f"not {names} but {found()}\n{self._kubectl('get', 'applicationsets', '-oyaml')}"
            ),
            0.5,
        )

    def _kubectl(self, *arguments: str) -> str:
        return self.cluster.kubectl("--namespace", NAMESPACE, *arguments)

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
            end_process(process)


_METRICS = (
    *("controller-metrics", "repository-metrics", "server-metrics"),
    *("sets-metrics", "sets-probes", "sets-webhooks"),
)


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
        (
            "applicationset-controller",
            [
                str(program(MODULE, "argocd-applicationset-controller")),
                *("--namespace", NAMESPACE, "--repo-server-plaintext"),
                f"--argocd-repo-server={here}:{ports['repository']}",
                f"--metrics-addr={here}:{ports['sets-metrics']}",
                f"--probe-addr={here}:{ports['sets-probes']}",
                f"--webhook-addr={here}:{ports['sets-webhooks']}",
            ],
            None,
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
        # The repository server runs kustomize by its name.
        "PATH": f"{program(MODULE, 'kustomize').parent}:{os.environ['PATH']}",
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
    wait_until(lambda: _are_deleted(cluster), 60, lambda: "Applications of another run stay", 0.5)
    ours = {"data": {**customizations(), "timeout.reconciliation": "10s"}}
    cluster.kubectl(
        *("patch", "configmap", "argocd-cm", "--namespace", NAMESPACE),
        *("--type=merge", "--patch", json.dumps(ours)),
    )


def _are_deleted(cluster: Cluster) -> bool:
    kinds = "applicationsets,applications"
    try:
        cluster.kubectl("delete", kinds, "--all", "--namespace", NAMESPACE)
    except ClusterError:
        return False  # it takes a while until clients are told of a new kind
    return True


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

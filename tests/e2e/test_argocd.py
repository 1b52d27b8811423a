"""Argo CD feeds the models from git: a whole story with real commits, automated sync, prune and
self-heal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.cluster import Cluster
from hack.load.report import failed, failures_by_cause
from headgate.api.environments import ENVIRONMENTS
from headgate.api.spec import EnvironmentName
from tests.e2e.argo import NAMESPACE, Argo, argo_cd
from tests.e2e.git_repository import Repository, repository
from tests.e2e.model import ROOT, Model, manifest

pytestmark = pytest.mark.alone
NAME = "models"


@pytest.fixture(scope="module")
def argo(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Argo]:
    with argo_cd(cluster, tmp_path_factory.mktemp("argo")) as found:
        yield found


@pytest.fixture
def git(tmp_path: Path) -> Iterator[Repository]:
    with repository(tmp_path) as found:
        yield found


def committed(version: str, **changes: object) -> dict[str, str | None]:
    document = {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "digits"},
        "spec": manifest(version, **changes),
    }
    return {"digits.yaml": yaml.safe_dump(document)}


APPROVED = {
    "type": "Canary",
    "canary": {"steps": [{"weight": 50, "hold": "6s"}, {"approval": {}}]},
}


def test_models_are_released_reverted_and_removed_by_commits(
    argo: Argo, git: Repository, model: Model
) -> None:
    place = (NAME, model.namespace, model.name)
    git.commit("the first version", committed("1.0.0"))
    argo.application(NAME, git, model.namespace)
    argo.wait(NAME, "the first version", lambda app: argo.health(app)[0] == "Healthy")
    model.written = manifest("1.0.0")
    model.wait_until_stable("1.0.0")

    # Its children are shown under it, and are nothing that git lacks.
    nodes = argo.tree(NAME)
    (root,) = [each for each in nodes if each["kind"] == "ModelDeployment"]
    under = {
        each["kind"]
        for each in nodes
        if any(parent["uid"] == root["uid"] for parent in each.get("parentRefs", ()))
    }
    assert {"Deployment", "Service", "ControllerRevision"} <= under

    out_of_sync: list[str] = []

    def in_sync(app: object) -> bool:
        """Note whether anything differs from git but a commit that was not synced yet."""
        status = json.loads(json.dumps(app))["status"]
        revisions = status.get("sync", {}).get("revision")
        synced = status.get("operationState", {}).get("syncResult", {}).get("revision")
        if status["sync"]["status"] == "OutOfSync" and revisions == synced:
            out_of_sync.append(json.dumps(status["resources"]))
        return True

    with model.users() as users:
        # A good version, which a person approves by Argo CD's button.
        git.commit("a better version", committed("2.0.0", strategy=APPROVED))
        argo.wait(
            NAME,
            "it waits for an approval",
            lambda app: in_sync(app) and argo.health(app)[0] == "Suspended",
        )
        offered = argo.actions(*place)
        assert offered["approve"]
        assert offered["abort"]
        assert not offered["retry"]
        assert not offered["resume"]
        argo.act(*place, "pause")
        model.wait("paused", lambda _: model.get("mdep", model.name)["spec"]["suspend"] is True)
        assert argo.actions(*place)["resume"]
        argo.act(*place, "resume")
        argo.act(*place, "approve")
        argo.wait(
            NAME,
            "2.0.0 serves",
            lambda app: in_sync(app) and argo.health(app)[0] == "Healthy",
        )
        good = model.wait_until_stable("2.0.0")
        assert good["action"]["outcome"] == "Done"
        assert not failed(users.answers()), failures_by_cause(users.answers())

        # A bad one: taken back, and Argo CD says why.
        git.commit("a version that fails", committed("3.0.0"))
        app = argo.wait(
            NAME,
            "3.0.0 was taken back",
            lambda app: (
                in_sync(app)
                and argo.health(app)[0] == "Degraded"
                and "Reverted 3.0.0" in argo.health(app)[1]
            ),
        )
        assert "2.0.0 serves" in argo.health(app)[1]
        assert argo.actions(*place)["retry"]

        # Syncing again tries it no second time.
        before = model.status()["releases"]
        argo.ask(f"applications/{NAME}/sync", {"revision": "main"})
        argo.wait(
            NAME,
            "it is synced again",
            lambda app: app["status"]["operationState"]["phase"] == "Succeeded",
        )
        model.wait("still reverted", lambda status: status["phase"] == "Reverted")
        assert model.status()["releases"] == before

        # `git revert` is going back to stable: at once, without a release.
        git.git("revert", "--no-edit", "HEAD")
        argo.wait(NAME, "reverted in git", lambda app: argo.health(app)[0] == "Healthy")
        status = model.wait_for_phase("Stable")
        assert status["stable"]["version"] == "2.0.0"
        assert status["releases"] == before

    # A hand edit of what git says is healed, and of what is ours restored.
    model.kubectl("patch", "mdep", model.name, "--type=merge", "--patch", '{"spec":{"replicas":2}}')
    argo.wait(
        NAME,
        "replicas as in git",
        lambda _: model.get("mdep", model.name)["spec"]["replicas"] == 3,
    )
    model.wait_until_stable("2.0.0")
    argo.act(*place, "restart")
    model.wait("restart asked", lambda _: "restartAt" in model.get("mdep", model.name)["spec"])
    app = argo.wait(NAME, "in sync", lambda app: app["status"]["sync"]["status"] == "Synced")
    assert not out_of_sync, out_of_sync[0]

    # What leaves git leaves the cluster, with everything that was made for it.
    git.commit("no model any more", {"digits.yaml": None, "README": "empty"})
    model_gone = "the ModelDeployment is gone"
    argo.wait(NAME, model_gone, lambda app: not app["status"].get("resources"))
    kinds = "deployments,services,pods,controllerrevisions,poddisruptionbudgets"

    def left() -> list[str]:
        found = json.loads(model.kubectl("get", kinds, "-o", "json"))["items"]
        return [f"{each['kind']}/{each['metadata']['name']}" for each in found]

    argo.wait(NAME, f"nothing is left of {model.name}", lambda _: not left())


EXAMPLE = ROOT / "examples" / "kustomize"
SET = ROOT / "examples" / "argocd" / "applicationset.yaml"
ELSEWHERE = "https://git.example/models.git"
FRAUD = "fraud"
IMAGE = {"name": "registry.example/fraud-server", "newName": "headgate.local/digits-server"}


def application(environment: str) -> str:
    """The name of an Application, and of the namespace that it releases into."""
    return f"{FRAUD}-{environment}"


def every_environment() -> dict[str, str | None]:
    """The example's own files, with an image that there is, and what its server has to be told."""
    files: dict[str, str | None] = {}
    for path in sorted(EXAMPLE.rglob("*.yaml")):
        document = yaml.safe_load(path.read_text())
        if path.parent.parent.name == "environments":
            document["images"] = [{**IMAGE, "newTag": "1.0.0"}]
        if document.get("kind") == "ModelDeployment":
            (container,) = document["spec"]["template"]["spec"]["containers"]
            container["env"] = [{"name": "MODEL_PATH", "value": "/models/model.joblib"}]
            container["resources"] = {"requests": {"cpu": "20m", "memory": "96Mi"}}
        files[str(path.relative_to(ROOT))] = yaml.safe_dump(document)
    return files


@pytest.fixture
def environments(argo: Argo, cluster: Cluster, git: Repository) -> Iterator[set[str]]:
    """The names of the environments in git, once the example is applied to it."""
    git.commit("a model for every environment", every_environment())
    text = SET.read_text()
    assert text.count(ELSEWHERE) == 2
    argo.application_set(text.replace(ELSEWHERE, git.url))
    names = {each.name for each in (EXAMPLE / "environments").iterdir()}
    yield names
    cluster.kubectl("delete", "applicationset", FRAUD, "--namespace", NAMESPACE)
    argo.wait_for_applications(FRAUD, set())
    namespaces = map(application, names)
    cluster.kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--wait=false")


def deployment(cluster: Cluster, namespace: str) -> Mapping[str, Any]:
    listed = cluster.kubectl("get", "deployments", "--namespace", namespace, "--output=json")
    (found,) = json.loads(listed)["items"]
    return dict(found)


def test_every_directory_is_an_environment_and_leaves_with_it(
    argo: Argo, cluster: Cluster, git: Repository, environments: set[str]
) -> None:
    assert environments == {each.value for each in EnvironmentName}
    argo.wait_for_applications(FRAUD, set(map(application, environments)))
    for environment in EnvironmentName:
        name = application(environment.value)
        argo.wait(name, f"{name} serves", lambda app: argo.health(app)[0] == "Healthy")
        preset = ENVIRONMENTS[environment]
        made = deployment(cluster, name)
        assert made["status"]["readyReplicas"] == made["spec"]["replicas"] == preset.replicas
        (container,) = made["spec"]["template"]["spec"]["containers"]
        assert {"name": "LOG_LEVEL", "value": preset.log_level} in container["env"]
        assert container["resources"]["limits"]["memory"] == preset.memory_limit

    # What leaves git leaves the cluster; the other environments stay as they are.
    left = Path("examples/kustomize/environments/staging/kustomization.yaml")
    git.commit("no staging any more", {str(left): None})
    argo.look_anew(FRAUD)
    argo.wait_for_applications(FRAUD, set(map(application, environments - {"staging"})))
    models = "modeldeployments,deployments"
    gone = cluster.kubectl("get", models, "--namespace", application("staging"), "--output=name")
    assert not gone
    for environment_name in environments - {"staging"}:
        app = argo.seen(application(environment_name))
        assert argo.health(app)[0] == "Healthy"

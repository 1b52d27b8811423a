"""Installed, upgraded and rolled back in the middle of releases, removed, and installed again for
one namespace: models serve all the while."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from hack.cluster import Cluster
from hack.cluster.processes import wait_until
from hack.demo.installing import CHART, OPERATOR_NAMESPACE, RELEASE, install_operator
from hack.load.report import failed, failures_by_cause
from tests.e2e.conftest import HERE
from tests.e2e.model import Model, manifest

pytestmark = pytest.mark.alone

Helm = Callable[..., str]


@pytest.fixture
def helm(cluster: Cluster) -> Iterator[Helm]:
    """Helm in the operator's namespace; afterwards it is installed as all other stories have it."""

    def run(command: str, *arguments: str) -> str:
        return cluster.helm(command, RELEASE, *arguments, "--namespace", OPERATOR_NAMESPACE)

    yield run
    install_operator(cluster, HERE / "values.yaml")


def operators(cluster: Cluster) -> set[str]:
    found = cluster.kubectl(
        *("get", "pods", "--namespace", OPERATOR_NAMESPACE, "--output=name"),
        *("--selector", "app.kubernetes.io/name=headgate"),
    )
    return set(found.split())


def rolled_out(cluster: Cluster) -> None:
    cluster.kubectl(
        *("rollout", "status", "deployment/headgate", "--namespace", OPERATOR_NAMESPACE),
        "--timeout=120s",
        timeout=130,
    )


def test_an_installation_is_upgraded_rolled_back_removed_and_made_again(
    helm: Helm, cluster: Cluster, model: Model
) -> None:
    rolled_out(cluster)
    helm("test", "--timeout=90s")
    model.apply("1.0.0")
    model.wait_until_stable("1.0.0")
    with model.users() as users:
        # Another operator in the middle of a release: it goes on where the other stopped.
        before = operators(cluster)
        model.again("2.0.0")
        model.wait("traffic shared", lambda status: status.get("weight") == "25%")
        helm("upgrade", str(CHART), "--reuse-values", "--set-string=podAnnotations.upgraded=yes")
        rolled_out(cluster)
        good = model.wait_until_stable("2.0.0")
        assert operators(cluster).isdisjoint(before)
        told = model.reasons()
        # Nothing was begun, entered or promoted twice, and no pod started a second time.
        assert (told.count("ReleaseStarted"), told.count("Promoted")) == (2, 1)
        assert told.count("StepEntered") == len(set(_steps(model)))
        assert restarts(model) == 0

        # Back to the operator before, in the middle of a bad release, which is taken back.
        model.again("3.0.0")
        model.wait("traffic shared", lambda status: status.get("weight") in ("25%", "0%"))
        helm("rollback", "1")
        rolled_out(cluster)
        reverted = model.wait_for_phase("Reverted")
        assert reverted["stable"] == good["stable"]
        bad = [each for each in failed(users.answers()) if each.version not in ("3.0.0", None)]
        assert not bad, failures_by_cause(bad)

        # Without an operator the models serve, the definition stays and nothing is stuck.
        served = len(users.answers())
        helm("uninstall", "--wait")
        wait_until(lambda: not operators(cluster), 60, lambda: "operators are still there")
        users.wait_for_answers(served + 40, "2.0.0")
        model.apply_object("another", manifest("1.0.0"))
        model.kubectl("delete", "mdep", "another", "--timeout=30s")

        # For this namespace alone, with a Role and nothing cluster-scoped.
        install_for(helm, model.namespace)
        rolled_out(cluster)
        kinds = "clusterroles,clusterrolebindings,validatingadmissionpolicies"
        names = cluster.kubectl("get", kinds, "--output=name").split()
        charts = {each.rpartition("/")[2] for each in names}
        assert charts.isdisjoint({"headgate", "headgate-view", "headgate-edit"})
        model.again("2.0.0")
        model.wait_until_stable("2.0.0")
        model.again("1.0.0")
        model.wait_until_stable("1.0.0")
        cluster.kubectl("create", "namespace", f"{model.namespace}-other")
        elsewhere = Model(cluster, f"{model.namespace}-other", model.directory)
        elsewhere.apply("1.0.0")
        assert elsewhere.status() == {}
        cluster.kubectl("delete", "namespace", elsewhere.namespace, "--wait=false")
        late = users.answers()[served:]
        assert not failed(late), failures_by_cause(late)
    assert elsewhere.status() == {}


def install_for(helm: Helm, namespace: str) -> None:
    helm(
        "install",
        str(CHART),
        *("--values", str(HERE / "values.yaml"), "--create-namespace"),
        f"--set=watchNamespaces={{{namespace}}},crds.enabled=false",
    )


def _steps(model: Model) -> list[str]:
    events = json.loads(
        model.kubectl("get", "events", "--field-selector", "reason=StepEntered", "--output=json")
    )
    return [each["message"] for each in events["items"]]


def restarts(model: Model) -> int:
    return sum(
        each["restartCount"]
        for pod in model.get("pods")["items"]
        for each in pod["status"].get("containerStatuses", ())
    )

"""The operator killed in the middle, children edited by hand, and nothing left behind."""

from __future__ import annotations

import json
import time

from hack.cluster import Cluster
from hack.load.report import failed, failures_by_cause
from tests.e2e.model import Model, manifest


def kill_operator(cluster: Cluster) -> None:
    """As a node that dies: no grace, no goodbye."""
    cluster.kubectl(
        "-n",
        "headgate-system",
        "delete",
        "pod",
        "-l",
        "app.kubernetes.io/name=headgate",
        "--grace-period=0",
        "--force",
        "--wait=false",
    )


def test_killing_the_operator_in_a_good_and_in_a_bad_release(model: Model) -> None:
    model.apply("1.0.0")
    model.wait_until_stable("1.0.0")
    with model.users() as users:
        model.again("2.0.0")
        model.wait("traffic shared", lambda status: status.get("weight") == "25%")
        kill_operator(model.cluster)
        model.wait("the second step", lambda status: status.get("weight") in ("50%", "100%"))
        kill_operator(model.cluster)
        model.wait_until_stable("2.0.0")
        answers = users.answers()
        assert not failed(answers), failures_by_cause(answers)

        model.again("3.0.0")
        model.wait("traffic shared", lambda status: status.get("weight") in ("25%", "0%"))
        kill_operator(model.cluster)
        reverted = model.wait_for_phase("Reverted")
    assert reverted["stable"]["version"] == "2.0.0"
    assert reverted["rejected"]["version"] == "3.0.0"


def test_hand_edits_are_undone_and_a_foreign_service_is_a_conflict(model: Model) -> None:
    model.apply("1.0.0", replicas=1)
    stable = model.wait_until_stable("1.0.0")["stable"]["revision"]
    deployment = f"digits-{stable}"

    model.kubectl("patch", "service", "digits", "--type=json", "-p", _SELECT_NOTHING)
    model.kubectl("set", "image", f"deployment/{deployment}", "server=headgate.local/other:1")
    model.kubectl("delete", "service", "digits-stable")
    model.wait("restored", lambda status: _restored(model, deployment, stable))
    model.kubectl("delete", "deployment", deployment)
    model.wait("restored", lambda status: _restored(model, deployment, stable))
    assert "Restored" in model.reasons()

    model.kubectl("create", "service", "clusterip", "taken", "--tcp=80:80")
    model.apply_object("taken", manifest("1.0.0"))
    deadline = time.monotonic() + 60
    while (phase := (model.get("mdep", "taken").get("status") or {}).get("phase")) != "Conflict":
        assert time.monotonic() < deadline, f"phase {phase}"
        time.sleep(0.3)
    message = model.get("mdep", "taken")["status"]["message"]
    assert "Service taken exists and belongs to nobody" in message
    names = [each["metadata"]["name"] for each in model.get("deployments")["items"]]
    assert names == [deployment]


_SELECT_NOTHING = json.dumps(
    [{"op": "replace", "path": "/spec/selector", "value": {"headgate.dev/revision": "nothing"}}]
)


def _restored(model: Model, deployment: str, revision: str) -> bool:
    names = [each["metadata"]["name"] for each in model.get("deployments")["items"]]
    services = [each["metadata"]["name"] for each in model.get("services")["items"]]
    if deployment not in names or "digits-stable" not in services:
        return False
    container = model.get("deployment", deployment)["spec"]["template"]["spec"]["containers"][0]
    return (
        model.live_selector().get("headgate.dev/revision") == revision
        and container["image"] == "headgate.local/digits-server:1.0.0"
    )


def test_deleting_it_in_the_middle_of_a_release_leaves_nothing_behind(model: Model) -> None:
    model.apply("1.0.0", replicas=2)
    model.wait_until_stable("1.0.0")
    with model.users(rate=5.0):
        model.again("2.0.0")
        model.wait("traffic shared", lambda status: status.get("weight") == "25%")
    model.kubectl("delete", "mdep", "digits", "--timeout=60s")
    kinds = "deployments,replicasets,services,pods,controllerrevisions,configmaps,endpointslices"
    deadline = time.monotonic() + 120
    while left := [
        f"{each['kind']}/{each['metadata']['name']}"
        for each in model.get(kinds)["items"]
        if each["metadata"]["name"] != "kube-root-ca.crt"
    ]:
        assert time.monotonic() < deadline, left
        time.sleep(0.5)

"""The chart's admission policy on a real API server: no pods for those who may start none."""

from collections.abc import Iterator

import pytest
import yaml

from hack.cluster import Cluster
from hack.cluster.errors import ClusterError
from hack.cluster.processes import wait_until
from tests.chart.conftest import Render

NAMESPACE = "policy"
ROLES = """\
apiVersion: v1
kind: Namespace
metadata: {name: policy}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: releases, namespace: policy}
rules:
  - {apiGroups: [headgate.dev], resources: [modeldeployments], verbs: [get, create, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployments, namespace: policy}
rules:
  - {apiGroups: [apps], resources: [deployments], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: releases, namespace: policy}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: releases}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: User, name: may}
  - {apiGroup: rbac.authorization.k8s.io, kind: User, name: may-not}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployments, namespace: policy}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployments}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: User, name: may}
"""


def manifest(name: str, version: str = "1") -> str:
    template = {"spec": {"containers": [{"name": "server", "image": "registry.example/f:1"}]}}
    return yaml.safe_dump(
        {
            "apiVersion": "headgate.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"model": {"name": "fraud", "version": version}, "template": template},
        }
    )


@pytest.fixture(scope="module")
def policed(established_crd: Cluster, render: Render) -> Iterator[Cluster]:
    """The API server with the policy in force."""
    policy = [each for each in render() if each["kind"].startswith("ValidatingAdmissionPolicy")]
    assert len(policy) == 2
    text = yaml.safe_dump_all(policy)
    established_crd.kubectl("apply", "-f", "-", input=ROLES)
    established_crd.kubectl("apply", "-f", "-", input=text)
    # A policy takes effect a moment after it is stored. Asked without storing: an object that had
    # slipped through before would be unchanged from then on, and never be asked about again.
    wait_until(
        lambda: (
            "may not create Deployments"
            in refusal(established_crd, "may-not", manifest("x"), "--dry-run=server")
        ),
        60,
        lambda: "the policy did not take effect",
        0.2,
    )
    yield established_crd
    established_crd.kubectl("delete", "-f", "-", input=text)
    established_crd.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def refusal(cluster: Cluster, user: str, text: str, *options: str) -> str:
    """What the API server says against it, or nothing."""
    try:
        cluster.kubectl("apply", "-f", "-", f"--as={user}", *options, input=text)
    except ClusterError as error:
        return str(error)
    return ""


@pytest.mark.control_plane
def test_who_may_not_start_pods_may_not_have_them_started(policed: Cluster) -> None:
    assert refusal(policed, "may", manifest("fraud")) == ""
    said = refusal(policed, "may-not", manifest("fraud", "2"))
    assert "may-not may not create Deployments in namespace policy" in said
    assert refusal(policed, "may", manifest("fraud", "2")) == ""


def asked_by(name: str, version: str = "1") -> str:
    written = yaml.safe_load(manifest("asked", version))
    written["spec"]["action"] = {
        "type": "Abort",
        "revision": "abc",
        "by": name,
        "at": "2026-11-26T10:00:00Z",
    }
    return yaml.safe_dump(written)


@pytest.mark.control_plane
def test_nobody_acts_in_the_name_of_another(policed: Cluster) -> None:
    said = refusal(policed, "may", asked_by("jane"))
    assert "spec.action.by names jane, but may asks" in said
    assert refusal(policed, "may", asked_by("may")) == ""
    # Somebody else may change other fields: the action is still who asked it.
    policed.kubectl("apply", "-f", "-", input=asked_by("may", version="2"))


@pytest.mark.control_plane
def test_a_label_is_not_a_release(policed: Cluster) -> None:
    policed.kubectl("apply", "-f", "-", input=manifest("labelled"))
    policed.kubectl(
        "label", "modeldeployment/labelled", "team=risk", "-n", NAMESPACE, "--as=may-not"
    )

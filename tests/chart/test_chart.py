"""What `helm install` gives the operator: no right too many, none too few, a locked-down pod."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from headgate.cli import parser
from headgate.metrics import Providers
from headgate.runtime.leader import LEAVE_SECONDS
from headgate.runtime.operator import DRAIN_SECONDS
from tests.chart.conftest import CHART, Object, Render

RIGHTS = {
    ("headgate.dev", "modeldeployments"): {"get", "list", "watch"},
    ("headgate.dev", "modeldeployments/status"): {"patch", "update"},
    ("headgate.dev", "modeldeployments/scale"): {"patch"},
    ("headgate.dev", "modeldeployments/finalizers"): {"update"},
    ("apps", "deployments"): {"get", "list", "watch", "create", "patch", "delete"},
    ("apps", "controllerrevisions"): {"get", "list", "watch", "create", "patch", "delete"},
    ("policy", "poddisruptionbudgets"): {"get", "list", "watch", "create", "patch", "delete"},
    ("", "services"): {"get", "list", "watch", "create", "patch"},
    ("", "pods"): {"get", "list", "watch", "delete"},
    ("", "pods/status"): {"patch"},
    ("", "configmaps"): {"get", "list", "watch", "create", "patch", "delete"},
    ("", "events"): {"create"},
}
"""All that the operator may do, but lead. Another request in `headgate.kube` needs a line here:
think twice before adding one."""


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def rights(role: Object) -> dict[tuple[str, str], set[str]]:
    return {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def container(objects: list[Object]) -> dict[str, Any]:
    (deployment,) = of_kind(objects, "Deployment")
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_the_chart_is_well_formed(run_helm: Callable[..., Any]) -> None:
    done: subprocess.CompletedProcess[str] = run_helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


def test_the_operator_may_do_what_it_does_and_no_more(render: Render) -> None:
    (role,) = of_kind(render(), "ClusterRole")
    assert rights(role) == RIGHTS


@pytest.mark.parametrize("values", [(), ("watchNamespaces={risk,fraud}",)])
def test_no_right_is_a_wildcard_or_reaches_secrets_and_shells(
    render: Render, values: tuple[str, ...]
) -> None:
    objects = render(*values)
    roles = of_kind(objects, "ClusterRole") + of_kind(objects, "Role")
    assert roles
    for role in roles:
        assert "*" not in json.dumps(role["rules"])
        resources = {resource for rule in role["rules"] for resource in rule["resources"]}
        assert not resources & {"secrets", "pods/exec", "pods/attach", "serviceaccounts/token"}


def test_for_some_namespaces_nothing_is_cluster_scoped(render: Render) -> None:
    objects = render("watchNamespaces={risk,fraud}")
    roles = {each["metadata"]["namespace"]: each for each in of_kind(objects, "Role")}
    assert roles.keys() == {"risk", "fraud", "headgate-system"}
    assert rights(roles["risk"]) == rights(roles["fraud"]) == RIGHTS
    assert {each["metadata"].get("namespace") for each in objects} == {
        "risk",
        "fraud",
        "headgate-system",
    }
    arguments = container(objects)["args"]
    assert parser().parse_args(arguments).namespace == ["risk", "fraud"]


@pytest.mark.parametrize("values", [(), ("watchNamespaces={risk,fraud}",)])
def test_every_binding_is_for_the_operators_account(
    render: Render, values: tuple[str, ...]
) -> None:
    objects = render(*values)
    (account,) = of_kind(objects, "ServiceAccount")
    (deployment,) = of_kind(objects, "Deployment")
    name = account["metadata"]["name"]
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == name
    bindings = of_kind(objects, "ClusterRoleBinding") + of_kind(objects, "RoleBinding")
    assert bindings
    for binding in bindings:
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": name, "namespace": "headgate-system"}
        ]


def test_the_pod_meets_the_restricted_standard(render: Render) -> None:
    objects = render()
    (deployment,) = of_kind(objects, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert all({"configMap", "emptyDir"} & each.keys() for each in pod["volumes"])
    context = container(objects)["securityContext"]
    assert context == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_two_operators_stand_ready_and_one_lease_says_who_leads(render: Render) -> None:
    objects = render()
    (deployment,) = of_kind(objects, "Deployment")
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }
    arguments = parser().parse_args(container(objects)["args"])
    assert arguments.lease == "headgate-system/headgate"
    (role,) = of_kind(objects, "Role")
    assert role["metadata"]["namespace"] == "headgate-system"
    assert role["rules"] == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": ["headgate"],
            "verbs": ["get", "update"],
        },
    ]


def test_the_grace_of_the_pod_covers_an_orderly_end(render: Render) -> None:
    (deployment,) = of_kind(render(), "Deployment")
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > DRAIN_SECONDS + LEAVE_SECONDS


def test_two_operators_are_on_different_nodes_and_drained_one_by_one(render: Render) -> None:
    objects = render()
    (deployment,) = of_kind(objects, "Deployment")
    selector = deployment["spec"]["selector"]
    (budget,) = of_kind(objects, "PodDisruptionBudget")
    assert budget["spec"] == {"maxUnavailable": 1, "selector": selector}
    apart = deployment["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
    ((preferred,),) = apart.values()
    assert preferred["podAffinityTerm"]["labelSelector"] == selector


def test_one_operator_needs_neither_but_still_the_lease(render: Render) -> None:
    objects = render("replicas=1")
    (deployment,) = of_kind(objects, "Deployment")
    assert "affinity" not in deployment["spec"]["template"]["spec"]
    assert not of_kind(objects, "PodDisruptionBudget")
    # During its rollout there are two.
    assert parser().parse_args(container(objects)["args"]).lease == "headgate-system/headgate"


def test_an_affinity_of_ones_own_takes_the_place_of_the_charts(render: Render) -> None:
    (deployment,) = of_kind(render("affinity.nodeAffinity.a=b"), "Deployment")
    assert deployment["spec"]["template"]["spec"]["affinity"] == {"nodeAffinity": {"a": "b"}}


def test_the_operator_understands_its_arguments_and_its_providers(
    render: Render, tmp_path: Path
) -> None:
    objects = render("providers.other.url=https://metrics.example", "logLevel=DEBUG")
    arguments = parser().parse_args(container(objects)["args"])
    assert arguments.log_level == "DEBUG"
    (configuration,) = of_kind(objects, "ConfigMap")
    file = tmp_path / arguments.providers.name
    file.write_text(configuration["data"][file.name])
    providers = Providers.load(file)
    assert set(providers.providers) == {"default", "other"}
    mounted = {each["mountPath"] for each in container(objects)["volumeMounts"]}
    assert str(arguments.providers.parent) in mounted


def test_other_providers_mean_another_pod(render: Render) -> None:
    def annotations(*values: str) -> Any:
        (deployment,) = of_kind(render(*values), "Deployment")
        return deployment["spec"]["template"]["metadata"]["annotations"]

    assert annotations() == annotations("logLevel=DEBUG")
    assert annotations() != annotations("providers.default.url=https://metrics.example")


def test_caps_on_releases_are_arguments_only_when_there_are_any(render: Render) -> None:
    arguments = parser().parse_args(container(render())["args"])
    assert arguments.max_releases is arguments.max_releases_per_namespace is None
    arguments = parser().parse_args(
        container(render("maxReleases=20", "maxReleasesPerNamespace=3"))["args"]
    )
    assert (arguments.max_releases, arguments.max_releases_per_namespace) == (20, 3)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("providers.default.adress=http://a", "adress"),
        ("providers.default.url=ftp://a", "url"),
        ("watchNamespaces={Risk}", "watchNamespaces"),
        ("logLevel=LOUD", "logLevel"),
        ("replicas=0", "replicas"),
        ("leaseDuration=soon", "leaseDuration"),
        ("replica=2", "replica"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(
    run_helm: Callable[..., Any], value: str, field: str
) -> None:
    done = run_helm("template", "headgate", str(CHART), "--set", value)
    assert done.returncode != 0
    assert field in done.stderr


def test_every_value_has_a_schema_and_a_comment() -> None:
    text = (CHART / "values.yaml").read_text()
    values = yaml.safe_load(text)
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(values, schema)
    assert set(values) == set(schema["properties"]) - {"global"}
    blocks = text.split("\n\n")
    assert all("#" in block for block in blocks), "a block of values.yaml says nothing"

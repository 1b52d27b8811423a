"""What `helm install` gives the operator: no right too many, none too few, a locked-down pod."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hack import chart_values
from headgate.api.crd import definition
from headgate.cli import parser
from headgate.metrics import Providers
from headgate.runtime.leader import LEAVE_SECONDS
from headgate.runtime.operator import DRAIN_SECONDS
from tests.chart.conftest import CHART, Object, Render

RIGHTS = {
    ("headgate.dev", "modeldeployments"): {"get", "list", "watch"},
    ("headgate.dev", "modeldeployments/status"): {"update"},
    ("headgate.dev", "modeldeployments/scale"): {"patch"},
    ("headgate.dev", "modeldeployments/finalizers"): {"update"},
    ("apps", "deployments"): {"get", "list", "watch", "create", "patch", "delete"},
    ("apps", "controllerrevisions"): {"get", "list", "watch", "create", "patch", "delete"},
    ("policy", "poddisruptionbudgets"): {"list", "watch", "create", "patch", "delete"},
    ("", "services"): {"get", "list", "watch", "create", "patch"},
    ("", "pods"): {"list", "watch", "delete"},
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


def operator_role(objects: list[Object]) -> Object:
    """The ClusterRole that the operator is bound to."""
    (binding,) = of_kind(objects, "ClusterRoleBinding")
    name = binding["roleRef"]["name"]
    (role,) = [e for e in of_kind(objects, "ClusterRole") if e["metadata"]["name"] == name]
    return role


def container(objects: list[Object]) -> dict[str, Any]:
    (deployment,) = of_kind(objects, "Deployment")
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_the_chart_is_well_formed(run_helm: Callable[..., Any]) -> None:
    done: subprocess.CompletedProcess[str] = run_helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


def test_the_operator_may_do_what_it_does_and_no_more(render: Render) -> None:
    assert rights(operator_role(render())) == RIGHTS


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
    objects = render("watchNamespaces={risk,fraud}", "crds.enabled=false")
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


def test_helm_renews_the_definition_and_keeps_it(render: Render) -> None:
    """As Helm's folder crds would not: `helm upgrade` applies what is rendered."""
    (found,) = of_kind(render(), "CustomResourceDefinition")
    assert found["spec"] == definition()["spec"]
    assert found["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert found["metadata"]["labels"]["app.kubernetes.io/instance"] == "headgate"
    (found,) = of_kind(render("crds.keep=false"), "CustomResourceDefinition")
    assert "helm.sh/resource-policy" not in found["metadata"].get("annotations", {})
    assert not of_kind(render("crds.enabled=false"), "CustomResourceDefinition")


def test_people_with_rights_in_a_namespace_have_them_on_its_modeldeployments(
    render: Render,
) -> None:
    roles = {each["metadata"]["name"]: each for each in of_kind(render(), "ClusterRole")}
    view, edit = roles["headgate-view"], roles["headgate-edit"]
    to = "rbac.authorization.k8s.io/aggregate-to-"
    assert {f"{to}{each}" for each in ("view", "edit", "admin")} <= view["metadata"][
        "labels"
    ].keys()
    assert f"{to}view" not in edit["metadata"]["labels"]
    assert {verb for rule in view["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    # Status is the operator's own.
    assert "modeldeployments/status" not in rights_of(edit)
    assert not of_kind(render("watchNamespaces={risk}"), "ClusterRole")


def rights_of(role: Object) -> set[str]:
    return {resource for rule in role["rules"] for resource in rule["resources"]}


def test_nothing_but_what_it_needs_is_reached(render: Render) -> None:
    objects = render("networkPolicy.apiServerPorts={6443}")
    (policy,) = of_kind(objects, "NetworkPolicy")
    (deployment,) = of_kind(objects, "Deployment")
    spec = policy["spec"]
    assert spec["podSelector"] == deployment["spec"]["selector"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    (scraped,) = spec["ingress"]
    assert [each["port"] for each in scraped["ports"]] == ["health"]
    names, server, pods = spec["egress"]
    assert {each["port"] for each in names["ports"]} == {53}
    assert [each["port"] for each in server["ports"]] == [6443]
    # Where a cloud hands out credentials.
    assert server["to"][0]["ipBlock"]["except"] == ["169.254.169.254/32"]
    assert pods == {"to": [{"namespaceSelector": {}}]}
    assert not of_kind(render("networkPolicy.enabled=false"), "NetworkPolicy")


def test_the_image_can_be_pinned_by_its_digest(render: Render) -> None:
    assert container(render("image.tag=1.2.3"))["image"].endswith("/headgate:1.2.3")
    digest = "sha256:" + "ab" * 32
    pinned = render("image.tag=1.2.3", f"image.digest={digest}")
    assert container(pinned)["image"].endswith(f"/headgate@{digest}")
    (test,) = of_kind(pinned, "Pod")
    assert test["spec"]["containers"][0]["image"] == container(pinned)["image"]


def test_an_account_that_is_there_is_used(render: Render) -> None:
    objects = render("serviceAccount.create=false", "serviceAccount.name=mine")
    assert not of_kind(objects, "ServiceAccount")
    (deployment,) = of_kind(objects, "Deployment")
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == "mine"
    for binding in of_kind(objects, "ClusterRoleBinding") + of_kind(objects, "RoleBinding"):
        assert [each["name"] for each in binding["subjects"]] == ["mine"]


def test_the_pod_of_helm_test_has_no_rights_and_is_no_operator(render: Render) -> None:
    objects = render()
    (test,) = of_kind(objects, "Pod")
    assert test["spec"]["automountServiceAccountToken"] is False
    (service,) = of_kind(objects, "Service")
    assert not service["spec"]["selector"].items() <= test["metadata"]["labels"].items()
    address = test["spec"]["containers"][0]["args"][1]
    assert address == f"http://{service['metadata']['name']}.headgate-system:8080"


def test_two_operators_are_on_different_nodes_and_drained_one_by_one(render: Render) -> None:
    objects = render()
    (deployment,) = of_kind(objects, "Deployment")
    selector = deployment["spec"]["selector"]
    (budget,) = of_kind(objects, "PodDisruptionBudget")
    assert budget["spec"] == {"maxUnavailable": 1, "selector": selector}
    apart = deployment["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
    ((preferred,),) = apart.values()
    assert preferred["podAffinityTerm"]["labelSelector"] == selector
    (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"] == selector
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"


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
        ("image.digest=latest", "digest"),
        ("networkPolicy.apiServerPorts={0}", "apiServerPorts"),
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
    described = [tuple(name.split(".")) for name, _, _ in chart_values.table(text)]
    for path in leaves(values):
        # Itself, or a group that is described as a whole.
        group = max((each for each in described if path[: len(each)] == each), key=len)
        assert group == path or not any(each[:-1] == group for each in described), path


def leaves(values: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(values, dict) or not values:
        return [path]
    return [leaf for name, each in values.items() for leaf in leaves(each, (*path, name))]

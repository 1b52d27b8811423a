"""Services with several ports and annotations, and the two sides kept on different nodes."""

from typing import Any

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.revision import revision_of
from headgate.render import service
from headgate.render.revision import Kept, keep
from headgate.render.template import port_names

OWNER = {"uid": "u"}
PORTS = [
    {"name": "predict", "port": 80, "targetPort": 9000, "appProtocol": "http"},
    {"name": "metrics", "port": 9090},
    {"name": "debug", "port": 7000, "targetPort": 7001, "protocol": "UDP"},
]
SERVER: dict[str, Any] = {
    "name": "server",
    "image": "registry.example/f:1",
    "ports": [{"name": "scrape", "containerPort": 9090}, {"name": "bare", "containerPort": 7001}],
}


def spec_of(pod: dict[str, Any] | None = None, **fields: Any) -> ModelDeploymentSpec:
    written = {
        "model": {"name": "fraud", "version": "1"},
        "template": {"spec": {"containers": [SERVER], **(pod or {})}},
        **fields,
    }
    return resolve(ModelDeploymentSpec.model_validate(written))


def address(spec: ModelDeploymentSpec) -> service.Address:
    found = spec.service
    return service.Address(
        "risk", "fraud", "fraud", found.port, OWNER, found.ports or (), found.annotations
    )


def rendered(spec: ModelDeploymentSpec, kept: Kept) -> dict[str, Any]:
    names = port_names(kept.template)
    return service.live(address(spec), "aaaa", kept.port, {"stable": "aaaa"}, names)


def test_each_port_targets_the_container_port_by_name_and_else_by_number() -> None:
    spec = spec_of(service={"ports": PORTS})
    body = rendered(spec, keep(spec, "fraud"))
    assert body["spec"]["ports"] == [
        {
            "name": "predict",
            "port": 80,
            "protocol": "TCP",
            "targetPort": "http",
            "appProtocol": "http",
        },
        {"name": "metrics", "port": 9090, "protocol": "TCP", "targetPort": "scrape"},
        {"name": "debug", "port": 7000, "protocol": "UDP", "targetPort": 7001},
    ]


def test_probes_ask_the_first_port() -> None:
    spec = spec_of(service={"ports": PORTS})
    (server,) = keep(spec, "fraud").template["spec"]["containers"]
    assert {"containerPort": 9000, "protocol": "TCP", "name": "http"} in server["ports"]
    assert server["readinessProbe"]["httpGet"]["port"] == "http"


def test_one_port_is_rendered_as_ever() -> None:
    spec = spec_of(service={"port": 81, "targetPort": 9090})
    body = rendered(spec, keep(spec, "fraud"))
    assert body["spec"]["ports"] == [
        {"name": "http", "port": 81, "protocol": "TCP", "targetPort": "scrape"}
    ]
    assert body["metadata"]["annotations"] == {"headgate.dev/stable": "aaaa"}


def test_annotations_stand_on_the_live_service_and_not_on_those_of_roles() -> None:
    spec = spec_of(service={"annotations": {"example.com/team": "risk"}})
    kept = keep(spec, "fraud")
    found = rendered(spec, kept)["metadata"]["annotations"]
    assert found["example.com/team"] == "risk"
    assert found["headgate.dev/stable"] == "aaaa"
    assert "annotations" not in service.role(address(spec), "stable", "a", "http")["metadata"]
    fewer = rendered(spec_of(service={"annotations": {"other": "b"}}), kept)
    assert (
        fewer["metadata"]["annotations"]["headgate.dev/annotated"]
        != (found["headgate.dev/annotated"])
    )


def test_services_are_no_part_of_the_revision() -> None:
    assert revision_of(spec_of()) == revision_of(
        spec_of(service={"ports": PORTS, "annotations": {"a": "b"}})
    )


def test_sides_are_kept_apart_on_wish_beside_what_the_author_prefers() -> None:
    theirs = {"weight": 1, "podAffinityTerm": {"topologyKey": "zone"}}
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    pod = {"affinity": {"nodeAffinity": {}, "podAntiAffinity": {preferred: [theirs]}}}
    spec = spec_of(pod, separateSides=True)
    kept = keep(spec, "fraud")
    affinity = kept.template["spec"]["affinity"]
    assert affinity["nodeAffinity"] == {}
    first, ours = affinity["podAntiAffinity"][preferred]
    assert first == theirs
    assert ours["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    assert ours["podAffinityTerm"]["labelSelector"] == {
        "matchLabels": {"headgate.dev/model-deployment": "fraud"},
        "matchExpressions": [
            {"key": "headgate.dev/revision", "operator": "NotIn", "values": [kept.revision]}
        ],
    }
    assert spec.template["spec"]["affinity"]["podAntiAffinity"][preferred] == [theirs]


def test_keeping_sides_apart_is_a_release_and_leaving_it_out_is_none() -> None:
    assert revision_of(spec_of()) == revision_of(spec_of(separateSides=False))
    assert revision_of(spec_of()) != revision_of(spec_of(separateSides=True))
    assert "affinity" not in keep(spec_of(), "fraud").template["spec"]

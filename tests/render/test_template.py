"""The pod template gets what R7 asks for exactly where its author left it out."""

from copy import deepcopy
from typing import Any

import pytest

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.revision import revision_of
from headgate.render.template import pod_template, port_name

Object = dict[str, Any]


def spec_of(container: Object | None = None, pod: Object | None = None, **more: Any) -> Any:
    server = {"name": "server", "image": "registry.example/fraud:1", **(container or {})}
    template = more.pop("template", {"spec": {"containers": [server], **(pod or {})}})
    raw = {"model": {"name": "fraud", "version": "2.3.0+cu121"}, "template": template, **more}
    return resolve(ModelDeploymentSpec.model_validate(raw))


def server_of(spec: ModelDeploymentSpec) -> Object:
    container: Object = pod_template(spec, "fraud")["spec"]["containers"][0]
    return container


def variables(container: Object) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in container["env"]}


def test_everything_of_r7_is_filled_in_when_nothing_is_written() -> None:
    container = server_of(spec_of())
    assert container["ports"] == [{"containerPort": 8080, "name": "http", "protocol": "TCP"}]
    assert variables(container) == {"MODEL_PATH": "/models/fraud", "LOG_LEVEL": "INFO"}
    assert container["resources"] == {
        "requests": {"memory": "512Mi", "cpu": "250m"},
        "limits": {"memory": "1Gi", "cpu": "500m"},
    }
    assert container["livenessProbe"] == {
        "httpGet": {"path": "/health", "port": "http"},
        "initialDelaySeconds": 30,
        "periodSeconds": 10,
    }
    assert container["readinessProbe"] == {
        "httpGet": {"path": "/ready", "port": "http"},
        "initialDelaySeconds": 5,
        "periodSeconds": 5,
    }
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 3}}}


@pytest.mark.parametrize(
    ("environment", "level", "memory", "cpu"),
    [
        ("dev", "DEBUG", "512Mi", "250m"),
        ("staging", "INFO", "1Gi", "500m"),
        ("production", "WARN", "2Gi", "1000m"),
    ],
)
def test_the_environment_decides_log_level_and_limits(
    environment: str, level: str, memory: str, cpu: str
) -> None:
    container = server_of(spec_of(environment=environment))
    assert variables(container)["LOG_LEVEL"] == level
    assert container["resources"]["limits"] == {"memory": memory, "cpu": cpu}


def test_the_startup_probe_has_the_patience_of_the_progress_deadline() -> None:
    startup = server_of(spec_of(progressDeadline="15m"))["startupProbe"]
    assert startup["httpGet"] == {"path": "/health", "port": "http"}
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 15 * 60


def test_the_startup_probe_asks_what_the_authors_liveness_probe_asks() -> None:
    startup = server_of(spec_of({"livenessProbe": {"exec": {"command": ["true"]}}}))["startupProbe"]
    assert startup["exec"] == {"command": ["true"]}
    assert "httpGet" not in startup


@pytest.mark.parametrize(
    ("written", "requests", "limits"),
    [
        (
            {"limits": {"memory": "256Mi"}},
            {"memory": "256Mi", "cpu": "250m"},
            {"memory": "256Mi", "cpu": "500m"},
        ),
        (
            {"limits": {"cpu": "0.1", "memory": "8Gi"}},
            {"memory": "512Mi", "cpu": "0.1"},
            {"memory": "8Gi", "cpu": "0.1"},
        ),
        (
            {"requests": {"memory": "4Gi", "cpu": "2"}},
            {"memory": "4Gi", "cpu": "2"},
            {"memory": "4Gi", "cpu": "2"},
        ),
        (
            {"limits": {"nvidia.com/gpu": "1"}},
            {"memory": "512Mi", "cpu": "250m"},
            {"nvidia.com/gpu": "1", "memory": "1Gi", "cpu": "500m"},
        ),
    ],
)
def test_a_request_is_never_above_its_limit(
    written: Object, requests: Object, limits: Object
) -> None:
    resources = server_of(spec_of({"resources": written}))["resources"]
    assert resources["requests"] == requests
    assert resources["limits"] == limits


def test_what_the_author_wrote_stays() -> None:
    written: Object = {
        "env": [
            {"name": "MODEL_PATH", "value": "/elsewhere"},
            {"name": "LOG_LEVEL", "value": "TRACE"},
        ],
        "ports": [{"name": "api", "containerPort": 8080, "protocol": "TCP"}],
        "livenessProbe": {"tcpSocket": {"port": 8080}},
        "readinessProbe": {"tcpSocket": {"port": 8080}},
        "startupProbe": {"tcpSocket": {"port": 8080}},
        "lifecycle": {"preStop": {"exec": {"command": ["drain"]}}},
        "resources": {
            "requests": {"memory": "1Gi", "cpu": "1"},
            "limits": {"memory": "2Gi", "cpu": "2"},
        },
    }
    spec = spec_of(deepcopy(written))
    container = server_of(spec)
    assert {key: container[key] for key in written} == written
    assert port_name(pod_template(spec, "fraud"), 8080) == "api"


def test_rendering_leaves_the_spec_alone() -> None:
    spec = spec_of({"ports": [{"containerPort": 8080}]})
    before = deepcopy(spec.template)
    pod_template(spec, "fraud")
    assert spec.template == before


def test_labels_are_valid_and_the_authors_are_kept() -> None:
    template = {
        "metadata": {"labels": {"team": "risk"}, "annotations": {"note": "hello"}},
        "spec": {"containers": [{"name": "server", "image": "registry.example/fraud:1"}]},
    }
    spec = spec_of(template=template)
    metadata = pod_template(spec, "fraud")["metadata"]
    assert metadata == {
        "labels": {
            "team": "risk",
            "headgate.dev/model-deployment": "fraud",
            "headgate.dev/revision": revision_of(spec),
            "headgate.dev/model-version": "2.3.0_cu121",
            "app.kubernetes.io/managed-by": "headgate",
            "app.kubernetes.io/name": "fraud",
        },
        "annotations": {"note": "hello"},
    }


def test_the_container_that_declares_the_port_serves() -> None:
    template = {
        "spec": {
            "containers": [
                {"name": "proxy", "image": "registry.example/proxy:1"},
                {
                    "name": "server",
                    "image": "registry.example/fraud:1",
                    "ports": [{"containerPort": 9000}],
                },
            ]
        }
    }
    proxy, server = pod_template(spec_of(template=template, service={"targetPort": 9000}), "fraud")[
        "spec"
    ]["containers"]
    assert proxy == {"name": "proxy", "image": "registry.example/proxy:1"}
    assert server["ports"] == [{"containerPort": 9000, "protocol": "TCP", "name": "http"}]
    assert variables(server)["MODEL_PATH"] == "/models/fraud"


def test_a_port_name_is_never_used_twice() -> None:
    spec = spec_of({"ports": [{"name": "http", "containerPort": 9090}]})
    ports = server_of(spec)["ports"]
    assert [port["name"] for port in ports] == ["http", "headgate-http"]
    assert port_name(pod_template(spec, "fraud"), 8080) == "headgate-http"


@pytest.mark.parametrize(("grace", "sleep"), [(30, 3), (4, 3), (3, 2), (2, 1), (1, None)])
def test_the_sleep_before_stopping_is_shorter_than_the_grace(grace: int, sleep: int | None) -> None:
    container = server_of(spec_of(pod={"terminationGracePeriodSeconds": grace}))
    expected = None if sleep is None else {"preStop": {"sleep": {"seconds": sleep}}}
    assert container.get("lifecycle") == expected


def test_resources_of_the_whole_pod_are_left_to_the_author() -> None:
    container = server_of(spec_of(pod={"resources": {"limits": {"memory": "256Mi"}}}))
    assert "resources" not in container


WARM = {"conditionType": "headgate.dev/Warm"}


@pytest.mark.parametrize(
    ("authored", "rendered"),
    [
        ([], [WARM]),
        ([{"conditionType": "example.com/a"}], [{"conditionType": "example.com/a"}, WARM]),
        ([WARM], [WARM]),
    ],
)
def test_a_pod_that_is_to_be_warmed_up_has_a_gate_beside_the_authors(
    authored: list[Object], rendered: list[Object]
) -> None:
    pod = {"readinessGates": authored} if authored else {}
    spec = spec_of(pod=pod, smoke={"warmUp": {"requests": [{}]}})
    assert pod_template(spec, "fraud")["spec"]["readinessGates"] == rendered
    assert pod_template(spec_of(pod=pod), "fraud")["spec"].get("readinessGates", []) == authored

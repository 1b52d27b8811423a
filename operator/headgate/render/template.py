"""The pod template of a revision: the author's, with what R7 asks for where it was left out.

Rendered once per revision and then kept (`headgate.render.revision`), so that an operator upgrade
with other defaults restarts nothing. Roles and weights never appear here.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

from headgate.api.config_maps import config_maps_of
from headgate.api.environments import Environment, environment_of
from headgate.api.quantities import parse_duration
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.revision import NO_CONFIG_MAPS, revision_of
from headgate.render.config_maps import copy_names, refer_to_copies
from headgate.render.names import REVISION, WARM, pod_selector, version_labels
from headgate.render.quantities import larger, smaller

PORT_NAME = "http"
OTHER_PORT_NAME = "headgate-http"
GRACE_PERIOD_SECONDS = 30
SLEEP_SECONDS = 3
"""How long a pod that is to stop still answers, while everybody learns that it is no endpoint."""

STARTUP_PERIOD_SECONDS = 2
LIVENESS = {"initialDelaySeconds": 30, "periodSeconds": 10}
READINESS = {"initialDelaySeconds": 5, "periodSeconds": 5}
HANDLERS = ("httpGet", "tcpSocket", "grpc", "exec")


def pod_template(
    spec: ModelDeploymentSpec, name: str, config_maps: Mapping[str, str] = NO_CONFIG_MAPS
) -> dict[str, Any]:
    """The pod template for the spec's model and template; `name` is the ModelDeployment's.

    `config_maps` are the digests of the ConfigMaps in use that exist. What the author wrote stays,
    except for Headgate's own labels, and that it refers to the revision's copies of ConfigMaps.
    """
    authored = copy.deepcopy(dict(spec.template))
    metadata = authored.get("metadata") or {}
    revision = revision_of(spec, config_maps)
    labels = version_labels(name, spec.model.name, spec.model.version, revision)
    rendered: dict[str, Any] = {
        "metadata": {"labels": {**(metadata.get("labels") or {}), **labels}},
        "spec": authored.get("spec") or {},
    }
    if metadata.get("annotations"):
        rendered["metadata"]["annotations"] = metadata["annotations"]

    pod = rendered["spec"]
    if pod.get("terminationGracePeriodSeconds") is None:
        pod["terminationGracePeriodSeconds"] = GRACE_PERIOD_SECONDS
    container = serving_container(pod, spec.service.target_port)
    environment = environment_of(spec)
    _fill_port(container, spec.service.target_port, pod)
    _fill_variables(container, spec, environment)
    if not pod.get("resources"):
        _fill_resources(container, environment)
    _fill_probes(container, spec)
    _fill_lifecycle(container, int(pod["terminationGracePeriodSeconds"]))
    if spec.separate_sides:
        _keep_apart(pod, name, revision)
    refer_to_copies(rendered, copy_names(name, revision, config_maps_of(spec.template)))
    if spec.smoke.warm_up is not None:
        _fill_gate(pod)
    return rendered


def _keep_apart(pod: dict[str, Any], name: str, revision: str) -> None:
    """Prefer other nodes than those with pods of another revision."""
    affinity = pod["affinity"] = dict(pod.get("affinity") or {})
    against = affinity["podAntiAffinity"] = dict(affinity.get("podAntiAffinity") or {})
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    others = {
        "matchLabels": pod_selector(name, None),
        "matchExpressions": [{"key": REVISION, "operator": "NotIn", "values": [revision]}],
    }
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": others}
    against[preferred] = [*(against.get(preferred) or []), {"weight": 100, "podAffinityTerm": term}]


def port_names(template: Mapping[str, Any]) -> dict[tuple[int, str], str]:
    """Names of the ports that a template declares, by number and protocol."""
    found: dict[tuple[int, str], str] = {}
    for container in template["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name"):
                key = (int(port["containerPort"]), str(port.get("protocol", "TCP")))
                found.setdefault(key, str(port["name"]))
    return found


def serving_container(pod: Mapping[str, Any], target_port: int) -> dict[str, Any]:
    """The container that answers requests: the one that declares the port, else the first."""
    containers: list[dict[str, Any]] = pod["containers"]
    declaring = (each for each in containers if _declared(each, target_port) is not None)
    return next(declaring, containers[0])


def port_name(template: Mapping[str, Any], target_port: int) -> str:
    """The name by which Services target the port of a rendered template."""
    container = serving_container(template["spec"], target_port)
    port = _declared(container, target_port)
    return PORT_NAME if port is None else str(port["name"])


def _declared(container: Mapping[str, Any], number: int) -> dict[str, Any] | None:
    ports: list[dict[str, Any]] = container.get("ports") or []
    return next(
        (
            port
            for port in ports
            if port.get("containerPort") == number and port.get("protocol", "TCP") == "TCP"
        ),
        None,
    )


def _fill_port(container: dict[str, Any], number: int, pod: Mapping[str, Any]) -> None:
    port = _declared(container, number)
    if port is None:
        port = {"containerPort": number, "protocol": "TCP"}
        container["ports"] = [*(container.get("ports") or []), port]
    if not port.get("name"):
        taken = {
            each.get("name") for other in pod["containers"] for each in other.get("ports") or []
        }
        port["name"] = OTHER_PORT_NAME if PORT_NAME in taken else PORT_NAME


def _fill_variables(
    container: dict[str, Any], spec: ModelDeploymentSpec, environment: Environment
) -> None:
    authored = container.get("env") or []
    names = {each.get("name") for each in authored}
    filled = {
        "MODEL_PATH": f"/models/{spec.model.name}",
        "LOG_LEVEL": environment.log_level,
    }
    # Ours come first, so that the author's variables may refer to them.
    ours = [{"name": key, "value": value} for key, value in filled.items() if key not in names]
    container["env"] = [*ours, *authored]


def _fill_resources(container: dict[str, Any], environment: Environment) -> None:
    resources = container.setdefault("resources", {}) or {}
    requests = dict(resources.get("requests") or {})
    limits = dict(resources.get("limits") or {})
    for resource, request, limit in (
        ("memory", environment.memory_request, environment.memory_limit),
        ("cpu", environment.cpu_request, environment.cpu_limit),
    ):
        if resource not in limits:
            limits[resource] = larger(str(requests.get(resource, limit)), limit)
        if resource not in requests:
            requests[resource] = smaller(str(limits[resource]), request)
    container["resources"] = {**resources, "requests": requests, "limits": limits}


def _fill_probes(container: dict[str, Any], spec: ModelDeploymentSpec) -> None:
    port = _declared(container, spec.service.target_port)
    name = PORT_NAME if port is None else port["name"]
    if not container.get("livenessProbe"):
        container["livenessProbe"] = {"httpGet": {"path": "/health", "port": name}, **LIVENESS}
    if not container.get("readinessProbe"):
        container["readinessProbe"] = {"httpGet": {"path": "/ready", "port": name}, **READINESS}
    if not container.get("startupProbe"):
        # It asks what the liveness probe asks, only with the patience of the progress deadline:
        # a model that takes minutes to load is not killed for it.
        liveness = container["livenessProbe"]
        deadline = parse_duration(spec.progress_deadline)
        container["startupProbe"] = {
            **{key: copy.deepcopy(liveness[key]) for key in HANDLERS if liveness.get(key)},
            "periodSeconds": STARTUP_PERIOD_SECONDS,
            "failureThreshold": max(1, math.ceil(deadline / STARTUP_PERIOD_SECONDS)),
        }


def _fill_lifecycle(container: dict[str, Any], grace_period: int) -> None:
    lifecycle = container.get("lifecycle") or {}
    # The API server refuses a sleep that is not shorter than the grace period.
    seconds = min(SLEEP_SECONDS, grace_period - 1)
    if not lifecycle.get("preStop") and seconds > 0:
        container["lifecycle"] = {**lifecycle, "preStop": {"sleep": {"seconds": seconds}}}


def _fill_gate(pod: dict[str, Any]) -> None:
    gates = pod.get("readinessGates") or []
    if all(each.get("conditionType") != WARM for each in gates):
        pod["readinessGates"] = [*gates, {"conditionType": WARM}]

"""The Services of a ModelDeployment: the live one, and one for each role.

The live Service carries the decision behind its selector as annotations, in the same write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headgate.api.base import GROUP
from headgate.api.service import ServicePort
from headgate.render.names import LIVE, OWNED_BY, ROLE, owned_labels, pod_selector, service_name

DECISIONS = {
    "stable": f"{GROUP}/stable",
    "previous": f"{GROUP}/previous",
    "rejected": f"{GROUP}/rejected",
    "reason": f"{GROUP}/reason",
    "adopted": f"{GROUP}/adopted",
}
"""Annotations of the live Service, by the field of `core.intents.SetTraffic` they hold."""


ANNOTATED = f"{GROUP}/annotated"
"""Annotation of the live Service: a digest of the keys of its author's annotations."""


@dataclass(frozen=True)
class Address:
    """What all Services of a ModelDeployment share; `port` is the one that users call.

    `ports` are all, if the author named several; `annotations` are for the live Service.
    """

    namespace: str
    name: str
    model: str
    port: int
    owner: Mapping[str, Any]
    ports: Sequence[ServicePort] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


PortNames = Mapping[tuple[int, str], str]
"""Names of container ports by number and protocol."""

NO_NAMES: PortNames = {}


def live(
    address: Address,
    revision: str | None,
    port_name: str,
    decisions: Mapping[str, str | None],
    names: PortNames = NO_NAMES,
) -> dict[str, Any]:
    """The live Service, pinned to a revision or, with None, widened to all pods.

    `port_name` is the container port that the (first) port targets; `names` are for the others.
    `decisions` has the keys of `DECISIONS`; None leaves an annotation out.
    """
    body = _service(address, LIVE, revision, port_name, names)
    written = dict(address.annotations)
    if written:
        written[ANNOTATED] = digest(address)
    written |= {DECISIONS[key]: value for key, value in decisions.items() if value is not None}
    if written:
        body["metadata"]["annotations"] = written
    return body


def is_inherited(stored: Mapping[str, Any]) -> bool:
    """Whether a Service of ours was taken over and still selects what it did before."""
    written = stored["metadata"].get("annotations") or {}
    selector = stored["spec"].get("selector") or {}
    return (
        DECISIONS["adopted"] in written
        and DECISIONS["stable"] not in written
        and OWNED_BY not in selector
    )


def with_names_kept(body: dict[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The live Service with the names that the ports of an adopted one have.

    Proxies find the endpoints of a port by its name: they have none for a moment when it changes.
    """
    if DECISIONS["adopted"] not in (stored["metadata"].get("annotations") or {}):
        return body
    found = {_number(port): port.get("name", "") for port in stored["spec"].get("ports") or []}
    ports = body["spec"]["ports"]
    names = [found.get(_number(port), port["name"]) for port in ports]
    if len(names) > 1 and ("" in names or len(set(names)) < len(names)):
        # Several ports need names, and each one of its own.
        return body
    kept = [{**port, "name": name} for port, name in zip(ports, names, strict=True)]
    kept = [{key: value for key, value in port.items() if value != ""} for port in kept]
    return {**body, "spec": {**body["spec"], "ports": kept}}


def _number(port: Mapping[str, Any]) -> tuple[int, str]:
    return port["port"], port.get("protocol", "TCP")


def digest(address: Address) -> str:
    """Written on the Service beside the author's annotations, so that one which the manifest has no
    more is noticed."""
    return hashlib.sha256("\n".join(sorted(address.annotations)).encode()).hexdigest()[:10]


def role(
    address: Address, name: str, revision: str, port_name: str, names: PortNames = NO_NAMES
) -> dict[str, Any]:
    """The Service of a role (stable, candidate), which always selects one revision."""
    return _service(address, name, revision, port_name, names)


def _service(
    address: Address, name: str, revision: str | None, port_name: str, names: PortNames
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": service_name(address.name, name),
            "namespace": address.namespace,
            "labels": {**owned_labels(address.name, address.model), ROLE: name},
            "ownerReferences": [dict(address.owner)],
        },
        "spec": {
            "type": "ClusterIP",
            "selector": pod_selector(address.name, revision),
            "ports": _ports(address, port_name, names),
        },
    }


def _ports(address: Address, port_name: str, names: PortNames) -> list[dict[str, Any]]:
    if not address.ports:
        return [{"name": "http", "port": address.port, "protocol": "TCP", "targetPort": port_name}]
    found = []
    for index, each in enumerate(address.ports):
        protocol, number = each.protocol.value, each.target_port or each.port
        # By name, as two versions may listen on different numbers; what has none, by number.
        target = port_name if index == 0 else names.get((number, protocol), number)
        port = {"name": each.name, "port": each.port, "protocol": protocol, "targetPort": target}
        if each.app_protocol is not None:
            port["appProtocol"] = each.app_protocol
        found.append(port)
    return found

"""The Services of a ModelDeployment: the live one, and one for each role.

The live Service carries the decision behind its selector as annotations, in the same write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headgate.api.base import GROUP
from headgate.render.names import LIVE, ROLE, owned_labels, pod_selector, service_name

DECISIONS = {
    "stable": f"{GROUP}/stable",
    "previous": f"{GROUP}/previous",
    "rejected": f"{GROUP}/rejected",
    "reason": f"{GROUP}/reason",
}
"""Annotations of the live Service, by the field of `core.intents.SetTraffic` they hold."""


@dataclass(frozen=True)
class Address:
    """What all Services of a ModelDeployment share; `port` is the one that users call."""

    namespace: str
    name: str
    model: str
    port: int
    owner: Mapping[str, Any]


def live(
    address: Address,
    revision: str | None,
    port_name: str,
    decisions: Mapping[str, str | None],
) -> dict[str, Any]:
    """The live Service, pinned to a revision or, with None, widened to all pods.

    `decisions` has the keys of `DECISIONS`; None leaves an annotation out.
    """
    body = _service(address, LIVE, revision, port_name)
    written = {DECISIONS[key]: value for key, value in decisions.items() if value is not None}
    if written:
        body["metadata"]["annotations"] = written
    return body


def role(address: Address, name: str, revision: str, port_name: str) -> dict[str, Any]:
    """The Service of a role (stable, candidate), which always selects one revision."""
    return _service(address, name, revision, port_name)


def _service(address: Address, name: str, revision: str | None, port_name: str) -> dict[str, Any]:
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
            "ports": [
                {
                    "name": "http",
                    "port": address.port,
                    "protocol": "TCP",
                    "targetPort": port_name,
                }
            ],
        },
    }

"""A Service and a Deployment that were there before a ModelDeployment: what may be taken over, and
the requests that are only made for it.

`headgate.core.adoption` decides when; `headgate.kube.apply` carries it out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from headgate.kube.client import (
    DEPLOYMENT,
    FIELD_MANAGER,
    SERVICE,
    Conflict,
    KubeClient,
    NotFound,
    Object,
)
from headgate.kube.snapshot import Snapshot
from headgate.render import service
from headgate.render.names import LIVE, service_name, version_labels
from headgate.render.owner import controller_of

OURS_AT_LAST = ("selector", "sessionAffinity", "sessionAffinityConfig", "publishNotReadyAddresses")
"""Fields of a Service's spec that are as we say once it is pinned, besides its type and ports."""


def is_adoptable(snapshot: Snapshot) -> bool:
    """Whether a Service of the ModelDeployment's name is there to be taken over."""
    found = _found(snapshot)
    return found is not None and controller_of(found) is None and obstacle(snapshot, found) is None


def inherited(snapshot: Snapshot) -> str | None:
    """The uid of the Deployment of the ModelDeployment's name, if it is there to be taken over."""
    found = _deployment(snapshot)
    if found is None or controller_of(found) is not None:
        return None
    return str(found["metadata"]["uid"])


def refusal(snapshot: Snapshot) -> str | None:
    """Why nothing can be taken over although it was asked for, in a sentence."""
    found = _found(snapshot)
    if found is None:
        ours = snapshot.service(service_name(snapshot.name, LIVE))
        found = ours if ours is not None and service.is_inherited(ours) else None
    why = None if found is None else obstacle(snapshot, found)
    if why is not None:
        return f"Service {snapshot.name} cannot be taken over: {why}."
    deployment = _deployment(snapshot)
    controller = None if deployment is None else controller_of(deployment)
    if controller is not None:
        return (
            f"Deployment {snapshot.name} cannot be taken over: it belongs to {controller['kind']}"
            f" {controller['name']} (uid {controller['uid']})."
        )
    return None


def obstacle(snapshot: Snapshot, stored: Object) -> str | None:
    """What of a Service would make taking it over unsafe."""
    spec = stored["spec"]
    kind, selector = spec.get("type", "ClusterIP"), spec.get("selector") or {}
    if kind != "ClusterIP":
        return f"it is of type {kind}, and would be a ClusterIP afterwards"
    if spec.get("clusterIP") == "None":
        return "it is headless, and that cannot be changed"
    if not selector:
        return "it has no selector, so its endpoints are somebody else's"
    written = stored["metadata"].get("annotations") or {}
    if not snapshot.owns(stored) and any(name in written for name in service.DECISIONS.values()):
        return "its annotations are of another ModelDeployment; delete those of headgate.dev"
    if selector.items() <= _pod_labels(snapshot).items():
        labels = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
        return (
            f"it selects {labels}, which the template's pods would have as well, so they would get"
            " traffic before they are checked: give the template another label"
        )
    return None


async def own_fields(client: KubeClient, stored: Object) -> str:
    """Become the only manager of an adopted Service's ports and selector, so that the apply that
    pins it takes away what we do not name; the resourceVersion afterwards.

    It changes nothing that anybody else can see, and is repeated after a kill.
    """
    kept = stored["metadata"]
    namespace, name, version = kept["namespace"], kept["name"], kept["resourceVersion"]
    found = await client.get(SERVICE, namespace, name)
    if found["metadata"]["resourceVersion"] != version:
        raise Conflict(f"Service {name} has changed since it was read")
    changes = [
        # A stale version is a 409 here; a failed `test` would be a 422.
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/metadata/managedFields", "value": _managed(found)},
    ]
    answer = await client.patch(SERVICE, namespace, name, changes)
    return str(answer["metadata"]["resourceVersion"])


async def remove_adopted(client: KubeClient, snapshot: Snapshot, uid: str) -> None:
    """Delete the adopted Deployment, unless it is gone or another one, or has got a controller.
    Raises `Conflict` when the live Service is not as it was read."""
    stored = snapshot.service(service_name(snapshot.name, LIVE))
    found = await client.get(SERVICE, snapshot.namespace, service_name(snapshot.name, LIVE))
    version = found["metadata"]["resourceVersion"]
    if stored is None or version != stored["metadata"]["resourceVersion"]:
        raise Conflict(f"Service {snapshot.name} has changed since it was read")
    try:
        deployment = await client.get(DEPLOYMENT, snapshot.namespace, snapshot.name)
    except NotFound:
        return
    if deployment["metadata"]["uid"] == uid and controller_of(deployment) is None:
        await client.delete(DEPLOYMENT, snapshot.namespace, snapshot.name, uid=uid)


def _found(snapshot: Snapshot) -> Object | None:
    return (
        snapshot.stranger(SERVICE, service_name(snapshot.name, LIVE)) if _asked(snapshot) else None
    )


def _deployment(snapshot: Snapshot) -> Object | None:
    return snapshot.stranger(DEPLOYMENT, snapshot.name) if _asked(snapshot) else None


def _asked(snapshot: Snapshot) -> bool:
    """Only before anything of ours serves: what others make later is not ours to take."""
    mine = snapshot.service(service_name(snapshot.name, LIVE))
    return snapshot.spec.adopt and mine is None and snapshot.status.stable is None


def _pod_labels(snapshot: Snapshot) -> dict[str, str]:
    spec = snapshot.spec
    written = (spec.template.get("metadata") or {}).get("labels") or {}
    model = spec.model
    ours = version_labels(snapshot.name, model.name, model.version, snapshot.revision)
    return {**written, **ours}


def _managed(stored: Object) -> list[dict[str, Any]]:
    """The managers of all fields, as they are to be recorded: of the spec, us alone."""
    entries: list[dict[str, Any]] = []
    ours: dict[str, Any] = {"apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}}
    ours |= {"manager": FIELD_MANAGER, "operation": "Apply"}
    for entry in stored["metadata"].get("managedFields") or []:
        fields = {key: value for key, value in entry["fieldsV1"].items() if key != "f:spec"}
        if (entry["manager"], entry["operation"]) == (FIELD_MANAGER, "Apply"):
            ours = {**entry, "fieldsV1": fields}
        elif fields:
            entries.append({**entry, "fieldsV1": fields})
    ours["fieldsV1"] = {**ours["fieldsV1"], "f:spec": _fields_of(stored["spec"])}
    return [*entries, ours]


def _fields_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {f"f:{name}": {} for name in OURS_AT_LAST if name in spec}
    ports: dict[str, Any] = {
        "k:"
        + json.dumps({key: port[key] for key in ("port", "protocol")}, separators=(",", ":")): {
            ".": {},
            **{f"f:{name}": {} for name in port},
        }
        for port in spec.get("ports") or []
    }
    return {**fields, "f:ports": {".": {}, **ports}}

"""The owner reference that ties a child to its ModelDeployment: Kubernetes then collects it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.api.base import API_VERSION, KIND


def owner_reference(name: str, uid: str) -> dict[str, Any]:
    """Marks a ModelDeployment as the controller of a child."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(child: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The owner reference of whoever controls an object, or None."""
    owners = child.get("metadata", {}).get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)

"""The Deployment of one revision."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from headgate.api.base import GROUP
from headgate.core.observation import Pace
from headgate.render.names import pod_selector, version_labels, workload_name
from headgate.render.revision import Kept

NO_DEADLINE = 2**31 - 1
"""Kubernetes reads this as: no deadline. The release has its own."""


RESTARTED_AT = f"{GROUP}/restarted-at"
"""Annotation of a Deployment's pod template: when a person asked for a restart of its pods."""


def deployment(
    kept: Kept,
    namespace: str,
    name: str,
    owner: Mapping[str, Any],
    replicas: int,
    restarted: str = "",
    pace: Pace | None = None,
) -> dict[str, Any]:
    """The Deployment that runs `replicas` pods of a kept revision, last `restarted` at a time and
    at a pace. Without one its template never changes, so Kubernetes' own is as good."""
    template = copy.deepcopy(dict(kept.template))
    if restarted:
        metadata = template["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), RESTARTED_AT: restarted}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": workload_name(name, kept.revision),
            "namespace": namespace,
            "labels": version_labels(name, kept.model, kept.version, kept.revision),
            "ownerReferences": [dict(owner)],
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": pod_selector(name, kept.revision)},
            "strategy": {"type": "RollingUpdate"} | ({} if pace is None else _rolling(pace)),
            "minReadySeconds": 0,
            "progressDeadlineSeconds": NO_DEADLINE,
            "revisionHistoryLimit": 0,
            "template": template,
        },
    }


def _rolling(pace: Pace) -> dict[str, Any]:
    return {"rollingUpdate": {"maxSurge": pace.surge, "maxUnavailable": pace.unavailable}}


def pace_of(stored: Mapping[str, Any]) -> Pace | None:
    """How a Deployment replaces its pods; None while that is Kubernetes' default, in percent."""
    rolling = (stored["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    if not isinstance(surge, int) or not isinstance(unavailable, int):
        return None
    return Pace(surge, unavailable)


def restarted_at(stored: Mapping[str, Any]) -> str:
    """When a person last asked for a restart of a Deployment's pods; an empty string for never."""
    metadata = stored["spec"]["template"].get("metadata") or {}
    return str((metadata.get("annotations") or {}).get(RESTARTED_AT, ""))

"""The Deployment of one revision."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from headgate.render.names import pod_selector, version_labels, workload_name
from headgate.render.revision import Kept

NO_DEADLINE = 2**31 - 1
"""Kubernetes reads this as: no deadline. The release has its own."""


def deployment(
    kept: Kept, namespace: str, name: str, owner: Mapping[str, Any], replicas: int
) -> dict[str, Any]:
    """The Deployment that runs `replicas` pods of a kept revision."""
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
            "strategy": {"type": "RollingUpdate"},
            "minReadySeconds": 0,
            "progressDeadlineSeconds": NO_DEADLINE,
            "revisionHistoryLimit": 0,
            "template": copy.deepcopy(dict(kept.template)),
        },
    }

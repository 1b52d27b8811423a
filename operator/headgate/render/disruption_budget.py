"""The PodDisruptionBudget of one revision, and whether an author's own already guards its pods.

One for each revision: the eviction of a pod that two budgets select fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.render.names import pod_selector, version_labels, workload_name
from headgate.render.revision import Kept


def disruption_budget(
    kept: Kept, namespace: str, name: str, owner: Mapping[str, Any], max_unavailable: int | str
) -> dict[str, Any]:
    """The budget for the pods of a kept revision."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {
            "name": workload_name(name, kept.revision),
            "namespace": namespace,
            "labels": version_labels(name, kept.model, kept.version, kept.revision),
            "ownerReferences": [dict(owner)],
        },
        "spec": {
            "maxUnavailable": max_unavailable,
            "selector": {"matchLabels": pod_selector(name, kept.revision)},
        },
    }


def guards(budget: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a budget selects pods with these labels. An empty selector selects all, none at all
    selects none."""
    selector = (budget.get("spec") or {}).get("selector")
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _meets(each, labels) for each in selector.get("matchExpressions") or ()
    )


def _meets(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in (expression.get("values") or ()) and value is not None
        case "NotIn":
            return value not in (expression.get("values") or ())
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    # An operator of a later Kubernetes: better no second budget than one that forbids evictions.
    return True

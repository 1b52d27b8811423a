"""Names and labels of everything that belongs to a ModelDeployment.

Services and Deployments select pods by these labels, and `headgate.kube.observe` finds objects by
them; nothing else writes them down.
"""

from __future__ import annotations

import re

from headgate.api.base import GROUP

OWNED_BY = f"{GROUP}/model-deployment"
REVISION = f"{GROUP}/revision"
MODEL_VERSION = f"{GROUP}/model-version"
ROLE = f"{GROUP}/role"
WARM = f"{GROUP}/Warm"
"""Condition in the status of a pod that is warm; with a readiness gate of this type a pod is not
ready before it is true."""

MODEL = "app.kubernetes.io/name"
MANAGED_BY = "app.kubernetes.io/managed-by"
HEADGATE = "headgate"

LIVE = "live"
STABLE = "stable"
CANDIDATE = "candidate"

LONGEST_LABEL = 63
_NOT_IN_A_LABEL = re.compile(r"[^A-Za-z0-9_.-]")
_NOT_AT_AN_END = re.compile(r"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$")


def label_value(text: str) -> str:
    """The nearest valid label value: "2.3.0+cu121" -> "2.3.0_cu121"; may be empty."""
    shortened = _NOT_IN_A_LABEL.sub("_", text)[:LONGEST_LABEL]
    return _NOT_AT_AN_END.sub("", shortened)


def workload_name(name: str, revision: str) -> str:
    """Name of a revision's Deployment and of its ControllerRevision."""
    return f"{name}-{revision}"


def service_name(name: str, role: str) -> str:
    """Name of the live Service, or of the one of a role."""
    return name if role == LIVE else f"{name}-{role}"


def records_name(name: str) -> str:
    """Name of the ConfigMap with the records of releases."""
    return f"{name}-release-records"


def owned_labels(name: str, model: str) -> dict[str, str]:
    """Labels of every child."""
    return {OWNED_BY: name, MANAGED_BY: HEADGATE, MODEL: label_value(model)}


def version_labels(name: str, model: str, version: str, revision: str) -> dict[str, str]:
    """Labels of what belongs to one revision: Deployments, pods, ControllerRevisions."""
    return {
        **owned_labels(name, model),
        REVISION: revision,
        MODEL_VERSION: label_value(version),
    }


def pod_selector(name: str, revision: str | None) -> dict[str, str]:
    """Selects the pods of a revision, or those of all when it is None."""
    return {OWNED_BY: name} if revision is None else {OWNED_BY: name, REVISION: revision}

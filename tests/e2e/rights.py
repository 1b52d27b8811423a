"""What the operator asked of the API server in a whole run, beside what it may ask.

The local cluster's audit log has every request of the operator's account. A right that no story
used is one too many, unless it is explained here; a request that was denied is a right too few.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chart.test_chart import RIGHTS

Right = tuple[str, str, str]
"""API group, resource with its subresource, verb."""

OF_THE_LEADER = {("coordination.k8s.io", "leases", verb) for verb in ("create", "get", "update")}
EVERYBODYS = ("authentication.k8s.io", "authorization.k8s.io")
"""API groups that every account may ask about itself."""

APPLIED = (
    ("", "configmaps"),
    ("", "services"),
    ("apps", "controllerrevisions"),
    ("apps", "deployments"),
    ("policy", "poddisruptionbudgets"),
)
EXPLAINED: dict[Right, str] = {
    ("headgate.dev", "modeldeployments/finalizers", "update"): (
        "asked for by the admission plugin OwnerReferencesPermissionEnforcement, where it is on"
    ),
    **{
        (*each, "create"): "server-side apply of what is not there is a PATCH that needs it as well"
        for each in APPLIED
    },
    ("headgate.dev", "modeldeployments/scale", "patch"): (
        "replicas that an author left out: tests/kube/test_scale.py"
    ),
    ("apps", "controllerrevisions", "delete"): (
        "versions beyond historyLimit, which no story reaches: tests/kube/test_config_maps.py"
    ),
    ("", "configmaps", "delete"): (
        "copies that go with such a version: tests/kube/test_config_maps.py"
    ),
}


MAY_BE_DENIED = {
    "leases": "at `helm uninstall` the rights go while an operator still gives its lease back"
}
"""Resources of which a denied request is explained; an operator without its lease leads nothing."""


@dataclass
class Findings:
    """Rights that were granted and never used, and requests that were denied."""

    unused: list[Right] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    requests: int = 0


def granted() -> set[Right]:
    """All that the chart lets the operator do."""
    rights = {
        (group, resource, verb) for (group, resource), verbs in RIGHTS.items() for verb in verbs
    }
    return rights | OF_THE_LEADER


def look(log: Path) -> Findings:
    """Compare the log with what is granted."""
    findings, used = Findings(), set[Right]()
    for right, denied, what in _requests(log):
        findings.requests += 1
        used.add(right)
        if denied and right[0] not in EVERYBODYS and right[1] not in MAY_BE_DENIED:
            findings.denied.append(what)
    findings.unused = sorted(granted() - used - EXPLAINED.keys())
    return findings


def _requests(log: Path) -> Iterator[tuple[Right, bool, str]]:
    for line in _lines(log):
        event = json.loads(line)
        target = event.get("objectRef")
        if target is None:
            continue  # which versions and kinds there are
        resource = target["resource"]
        if target.get("subresource"):
            resource += f"/{target['subresource']}"
        right = (target.get("apiGroup", ""), resource, event["verb"])
        # Not every 403: a namespace that is being deleted refuses what an account may do.
        decision = event.get("annotations", {}).get("authorization.k8s.io/decision")
        yield right, decision == "forbid", f"{event['verb']} {event['requestURI']}"


def _lines(log: Path) -> Iterable[str]:
    with log.open(encoding="utf-8") as stream:
        yield from (line for line in stream if line.endswith("\n"))

"""The releases that are disturbed: their manifests, and what a person does meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headgate.api.spec import ModelDeploymentSpec
from headgate.core.revision import revision_of
from headgate.kube.client import MODEL_DEPLOYMENT, Object

NAME = "fraud"
REPLICAS = 2

STRATEGIES: Mapping[str, Mapping[str, Any]] = {
    "Canary": {
        "type": "Canary",
        "canary": {"steps": [{"weight": 30, "hold": "300ms"}, {"weight": 60, "hold": "300ms"}]},
    },
    "BlueGreen": {"type": "BlueGreen", "blueGreen": {"hold": "300ms"}},
    "Rolling": {"type": "Rolling", "rolling": {"hold": "300ms"}},
}


@dataclass(frozen=True)
class Act:
    """A person applies a version, once the version applied before is in a state: at `rest`, or
    `under way` (its pods exist, and where the strategy shares traffic it does). `action` is what
    is asked for of that version's release in the same manifest."""

    version: str
    when: str = "rest"
    action: str = ""


@dataclass(frozen=True)
class Story:
    """What is live and at rest, a version or a Deployment and a Service of somebody that are to be
    `adopted`, and then the acts that are disturbed."""

    strategy: str
    title: str
    acts: tuple[Act, ...]
    adopted: bool = False

    @property
    def name(self) -> str:
        """Strategy and title."""
        return f"{self.strategy} {self.title}"

    def versions(self) -> tuple[str, ...]:
        """All versions, the first one included."""
        return (FIRST, *(each.version for each in self.acts))


FIRST = "1.0.0"
GOOD = (Act("2.0.0"),)
FAILING = (Act("2.0.0-failing"),)
UNWELL = (Act("2.0.0-unwell"),)
CRASHING = (Act("2.0.0-crashing"),)
SUPERSEDED = (Act("2.0.0"), Act("3.0.0", "under way"))
ABORTED = (Act("2.0.0"), Act("2.0.0", "under way", "Abort"))
TAKEN_BACK = (Act("2.0.0"), Act(FIRST, "under way"))

TITLES: Mapping[str, tuple[Act, ...]] = {
    "good": GOOD,
    "bad": FAILING,
    "smoke fails": UNWELL,
    "crashes": CRASHING,
    "superseded": SUPERSEDED,
    "aborted": ABORTED,
    "taken back": TAKEN_BACK,
    "adopted": (Act(FIRST),),
}


def story(strategy: str, title: str) -> Story:
    """One of the stories by name. With blue/green a bad version is only found in the watch."""
    return Story(strategy, title, TITLES[title], adopted=title == "adopted")


def stories(strategies: Iterable[str], titles: Iterable[str]) -> list[Story]:
    """The stories of these titles by each strategy. An adoption is told once: it releases a first
    version, which has no steps."""
    return [
        story(strategy, title)
        for strategy in strategies
        for title in titles
        if title != "adopted" or strategy == "Canary"
    ]


def spec(strategy: str, version: str, namespace: str, port: int) -> dict[str, Any]:
    """The spec of a version; its smoke checks go to the played model server."""
    return {
        "model": {"name": NAME, "version": version},
        "replicas": REPLICAS,
        "template": {
            "spec": {"containers": [{"name": "server", "image": f"registry.example/m:{version}"}]}
        },
        "service": {"port": 80, "targetPort": port},
        "strategy": dict(STRATEGIES[strategy]),
        "smoke": {"healthPath": f"/health/{namespace}/{version}", "timeout": "60s"},
        "analysis": {
            "interval": "300ms",
            "unknownTimeout": "5m",
            "rules": {"errorRate": {"max": 0.05}},
            "comparison": {"minSamples": 20},
        },
        "rollback": {
            "conditions": [
                {"name": "high_error_rate", "metric": "errorRate", "above": 0.1, "for": "300ms"}
            ]
        },
        "watch": {"duration": "500ms", "keepPrevious": "100%"},
        "progressDeadline": "5m",
    }


def manifest(
    strategy: str,
    version: str,
    namespace: str,
    port: int,
    action: str = "",
    *,
    adopt: bool = False,
) -> Object:
    """The ModelDeployment of a version, and what a person asks for of its release."""
    body: Object = {
        "apiVersion": MODEL_DEPLOYMENT.api_version,
        "kind": MODEL_DEPLOYMENT.name,
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": spec(strategy, version, namespace, port),
    }
    if adopt:
        body["spec"]["adopt"] = True
    if action:
        body["spec"]["action"] = {
            "type": action,
            "revision": revision(body),
            "by": "jane@example.com",
            "at": "2026-11-26T10:00:00Z",
        }
    return body


FOUND = {"app": "what-was-there"}
"""The labels of an author's own Deployment, Service and pods."""


def found(namespace: str) -> list[Object]:
    """What bears the name before a ModelDeployment does."""
    metadata = {"name": NAME, "namespace": namespace, "labels": FOUND}
    container = {"name": "server", "image": "registry.example/m:0.9.0"}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": REPLICAS,
                "selector": {"matchLabels": FOUND},
                "template": {"metadata": {"labels": FOUND}, "spec": {"containers": [container]}},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": FOUND, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ]


def revision(body: Object) -> str:
    """The revision that a ModelDeployment asks for."""
    return revision_of(ModelDeploymentSpec.model_validate(body["spec"]))

"""The ModelDeployments of the benchmark, spread over namespaces."""

from __future__ import annotations

from typing import Any

from hack.bench.control_plane import NODE

PER_NAMESPACE = 10

Key = tuple[str, str]
"""Namespace and name."""


def key_of(number: int) -> Key:
    """Where the ModelDeployment of a number is."""
    return f"team-{number // PER_NAMESPACE:03}", f"model-{number:04}"


def namespace(name: str) -> dict[str, Any]:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def model_deployment(
    key: Key, port: int, replicas: int, strategy: dict[str, Any], version: str = "1.0.0"
) -> dict[str, Any]:
    """A ModelDeployment whose pods answer on `port`."""
    place, name = key
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"namespace": place, "name": name},
        "spec": {
            "model": {"name": name, "version": version},
            "replicas": replicas,
            "template": {
                "spec": {
                    # In place of a scheduler.
                    "nodeName": NODE,
                    "containers": [{"name": "server", "image": f"registry.example/m:{version}"}],
                }
            },
            "service": {"port": 80, "targetPort": port},
            "strategy": strategy,
            "analysis": {
                "interval": "10s",
                "rules": {"errorRate": {"max": 0.05}, "latencyP99": {"max": "1s"}},
                "comparison": {"minSamples": 50},
            },
            "watch": {"duration": "0s"},
        },
    }


def change(version: str) -> dict[str, Any]:
    """The merge patch that asks for another version."""
    containers = [{"name": "server", "image": f"registry.example/m:{version}"}]
    return {
        "spec": {
            "model": {"version": version},
            "template": {"spec": {"containers": containers}},
        }
    }


def canary(*steps: tuple[int, str]) -> dict[str, Any]:
    """A canary with steps of a weight and a hold."""
    return {
        "type": "Canary",
        "maxSurge": 1,
        "maxUnavailable": 0,
        "canary": {"steps": [{"weight": weight, "hold": hold} for weight, hold in steps]},
    }


LONG = canary((50, "1h"))
"""A release of one replica that stays under way for as long as it is measured."""

FIVE_STEPS = canary((20, "15s"), (40, "15s"), (60, "15s"), (80, "15s"))
"""The release that the peers were measured with, of five replicas."""
HOLDS = 60.0

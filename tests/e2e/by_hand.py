"""What somebody served before there was a ModelDeployment: a Deployment and a Service."""

from __future__ import annotations

import yaml

from tests.e2e.model import Model, manifest

LABELS = {"app": "digits-by-hand"}


def serve_by_hand(model: Model, version: str) -> None:
    """A Deployment and a Service of the digits server, as people make them."""
    template = manifest(version)["template"]
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": model.name, "labels": LABELS},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": template["spec"]},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": model.name, "labels": LABELS},
        "spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    model.kubectl("apply", "-f", "-", input=yaml.safe_dump_all([deployment, service]))
    model.kubectl("rollout", "status", f"deployment/{model.name}", "--timeout=110s")

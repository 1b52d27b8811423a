"""The kustomize example: images, replicas and names of other objects reach a ModelDeployment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.cluster import Cluster
from headgate.api.environments import ENVIRONMENTS, resolve
from headgate.api.spec import EnvironmentName, ModelDeploymentSpec

EXAMPLE = Path(__file__).parents[2] / "examples" / "kustomize"


def built(cluster: Cluster, directory: Path) -> dict[str, dict[str, Any]]:
    text = cluster.kubectl("kustomize", str(directory))
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


@pytest.mark.control_plane
@pytest.mark.parametrize("environment", list(EnvironmentName))
def test_the_same_manifest_serves_every_environment(
    established_crd: Cluster, environment: EnvironmentName
) -> None:
    objects = built(established_crd, EXAMPLE / "environments" / environment.value)
    spec = ModelDeploymentSpec.model_validate(objects["ModelDeployment"]["spec"])
    assert spec.environment is environment
    (container,) = spec.template["spec"]["containers"]
    assert container["image"] == f"registry.example/fraud-server:{spec.model.version}"
    settings = objects["ConfigMap"]["metadata"]["name"]
    assert container["envFrom"] == [{"configMapRef": {"name": settings}}]
    assert resolve(spec).replicas == ENVIRONMENTS[environment].replicas
    document = {**objects["ModelDeployment"], "metadata": {"name": "fraud", "namespace": "default"}}
    established_crd.kubectl("apply", "--dry-run=server", "-f", "-", input=yaml.safe_dump(document))


@pytest.mark.control_plane
def test_every_reference_follows_its_object(established_crd: Cluster, tmp_path: Path) -> None:
    (tmp_path / "headgate.yaml").write_text((EXAMPLE / "base" / "headgate.yaml").read_text())
    secret = {"name": "credentials"}
    container = {
        "name": "server",
        "image": "f",
        "envFrom": [{"secretRef": secret}],
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {**secret, "key": "a"}}}],
    }
    pod = {
        "serviceAccountName": "models",
        "imagePullSecrets": [secret],
        "containers": [container],
        "initContainers": [{**container, "name": "fetch"}],
        "volumes": [
            {"name": "a", "secret": {"secretName": "credentials"}},
            {"name": "b", "persistentVolumeClaim": {"claimName": "weights"}},
            {"name": "c", "projected": {"sources": [{"secret": secret}]}},
        ],
    }
    documents = [
        {
            "apiVersion": "headgate.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": "fraud"},
            "spec": {
                "model": {"name": "fraud", "version": "1"},
                "template": {"spec": pod},
            },
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "models"}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "weights"}},
    ]
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(documents))
    (tmp_path / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "namePrefix": "eu-",
                "configurations": ["headgate.yaml"],
                "resources": ["all.yaml"],
                "images": [{"name": "f", "newTag": "2"}],
                "replicas": [{"name": "fraud", "count": 7}],
            }
        )
    )
    found = built(established_crd, tmp_path)["ModelDeployment"]["spec"]
    assert found["replicas"] == 7
    text = json.dumps(found["template"])
    assert text.count('"f:2"') == 2
    for name, times in (("credentials", 7), ("models", 1), ("weights", 1)):
        assert (name, text.count(f'"eu-{name}"'), text.count(f'"{name}"')) == (name, times, 0)

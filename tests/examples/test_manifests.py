"""The example manifests fit the API and each other, and the image's pins are the tested ones."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from digits_server.features import Array
from digits_server.model import images_of, load

from headgate.api.spec import ModelDeploymentSpec
from headgate.api.strategy import StrategyType
from tests.examples.conftest import EXAMPLES


def documents(path: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / path).read_text()))


def model_deployment() -> ModelDeploymentSpec:
    [found] = [d for d in documents("modeldeployment.yaml") if d["kind"] == "ModelDeployment"]
    return ModelDeploymentSpec.model_validate(found["spec"])


def test_the_first_manifest_is_a_valid_canary_whose_image_is_its_version() -> None:
    spec = model_deployment()
    assert spec.strategy.type is StrategyType.CANARY
    [container] = spec.template["spec"]["containers"]
    assert container["image"].endswith(f":{spec.model.version}")


def test_the_smoke_request_passes_on_every_version(models: Path, images: Array) -> None:
    [request] = model_deployment().smoke.requests
    rows = images_of(json.dumps(request.body).encode())
    for path in sorted(models.glob("*.joblib")):
        assert load(path).predict(rows) == [1]


def test_prometheus_reads_the_targets_that_its_neighbour_writes() -> None:
    manifests = documents("prometheus/prometheus.yaml")
    [config] = [d for d in manifests if d["kind"] == "ConfigMap"]
    [deployment] = [d for d in manifests if d["kind"] == "Deployment"]
    [job] = yaml.safe_load(config["data"]["prometheus.yml"])["scrape_configs"]
    pod = deployment["spec"]["template"]["spec"]
    containers = {container["name"]: container for container in pod["containers"]}
    assert job["file_sd_configs"] == [{"files": [containers["discover"]["command"][-1]]}]
    for container in containers.values():
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts["targets"] == "/targets"


def test_the_image_installs_the_versions_that_the_tests_run_with() -> None:
    def pins(path: Path) -> set[str]:
        return set(re.findall(r"^[\w.-]+==\S+", path.read_text(), re.MULTILINE))

    installed = pins(EXAMPLES / "digits-server" / "requirements.txt")
    assert installed
    assert installed <= pins(EXAMPLES.parent / "requirements-dev.txt")

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


def test_prometheus_scrapes_the_pods_of_the_manifest_with_namespace_and_pod() -> None:
    [config] = [d for d in documents("prometheus/prometheus.yaml") if d["kind"] == "ConfigMap"]
    scraping = yaml.safe_load(config["data"]["prometheus.yml"])
    [job] = scraping["scrape_configs"]
    targets = {rule.get("target_label") for rule in job["relabel_configs"]}
    assert {"namespace", "pod"} <= targets
    annotations = model_deployment().template["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    assert annotations["prometheus.io/port"] == str(model_deployment().service.target_port)


def test_the_image_installs_the_versions_that_the_tests_run_with() -> None:
    def pins(path: Path) -> set[str]:
        return set(re.findall(r"^[\w.-]+==\S+", path.read_text(), re.MULTILINE))

    installed = pins(EXAMPLES / "digits-server" / "requirements.txt")
    assert installed
    assert installed <= pins(EXAMPLES.parent / "requirements-dev.txt")

"""The chart over what an earlier one has installed, on a real API server."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hack.cluster import Cluster
from tests.chart.conftest import CHART

NAMESPACE = "upgraded"
CRD = "modeldeployments.headgate.dev"
BEFORE = """\
  replicas: 1
  strategy: {type: Recreate}
"""
NOW = """\
  replicas: {{ .Values.replicas }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
"""


@pytest.fixture
def installed_before(established_crd: Cluster, tmp_path: Path) -> Iterator[Cluster]:
    """One operator that is recreated, as before there was a lease."""
    chart = tmp_path / "headgate"
    shutil.copytree(CHART, chart)
    deployment = chart / "templates" / "deployment.yaml"
    text = deployment.read_text()
    assert NOW in text
    deployment.write_text(text.replace(NOW, BEFORE))
    options = ("--namespace", NAMESPACE, "--set=crds.enabled=false,admissionPolicy.enabled=false")
    established_crd.helm("install", "headgate", str(chart), "--create-namespace", *options)
    yield established_crd
    established_crd.helm("uninstall", "headgate", "--namespace", NAMESPACE)


@pytest.mark.control_plane
def test_one_recreated_operator_becomes_two_and_can_go_back(installed_before: Cluster) -> None:
    def strategy() -> tuple[int, str]:
        found = installed_before.kubectl(
            *("get", "deployment", "headgate", "--namespace", NAMESPACE, "--output=json")
        )
        spec = json.loads(found)["spec"]
        return spec["replicas"], spec["strategy"]["type"]

    assert strategy() == (1, "Recreate")
    options = ("--namespace", NAMESPACE, "--reuse-values")
    installed_before.helm("upgrade", "headgate", str(CHART), *options)
    assert strategy() == (2, "RollingUpdate")
    installed_before.helm("rollback", "headgate", "1", "--namespace", NAMESPACE)
    assert strategy() == (1, "Recreate")


@pytest.mark.control_plane
def test_an_upgrade_renews_the_definition_and_an_uninstall_keeps_it(
    established_crd: Cluster, tmp_path: Path
) -> None:
    def helm(*arguments: str) -> None:
        established_crd.helm(*arguments, "--namespace", "renewed")

    def columns() -> list[str]:
        found = json.loads(established_crd.kubectl("get", "crd", CRD, "--output=json"))
        (version,) = found["spec"]["versions"]
        return [each["name"] for each in version["additionalPrinterColumns"]]

    now = columns()
    before = tmp_path / "headgate"
    shutil.copytree(CHART, before)
    file = before / "files" / f"{CRD}.yaml"
    document = yaml.safe_load(file.read_text())
    del document["spec"]["versions"][0]["additionalPrinterColumns"][1:]
    file.write_text(yaml.safe_dump(document))
    options = ("--set=admissionPolicy.enabled=false", "--take-ownership", "--force-conflicts")
    helm("install", "headgate", str(before), "--create-namespace", *options)
    assert columns() == now[:1]
    helm("upgrade", "headgate", str(CHART), "--reuse-values")
    assert columns() == now
    helm("uninstall", "headgate")
    assert columns() == now
    # What was kept belongs to an installation of the same name again.
    helm("install", "headgate", str(CHART), "--set=admissionPolicy.enabled=false")
    helm("uninstall", "headgate")

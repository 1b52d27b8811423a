"""The chart over what an earlier one has installed, on a real API server."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.cluster import Cluster
from tests.chart.conftest import CHART

NAMESPACE = "upgraded"
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
    options = ("--namespace", NAMESPACE, "--skip-crds", "--set=admissionPolicy.enabled=false")
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
    options = ("--namespace", NAMESPACE, "--reuse-values", "--skip-crds")
    installed_before.helm("upgrade", "headgate", str(CHART), *options)
    assert strategy() == (2, "RollingUpdate")
    installed_before.helm("rollback", "headgate", "1", "--namespace", NAMESPACE)
    assert strategy() == (1, "Recreate")

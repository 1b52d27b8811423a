"""What the chart brings for monitoring speaks of metrics that the operator really has, and notifies
through a Secret that only the administrator names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate.cli import parser
from headgate.runtime.meters import Meters
from tests.chart.conftest import CHART, Object, Render
from tests.chart.test_chart import container, of_kind

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
NAMES = re.compile(r"headgate_[a-z_]+")


def exposed() -> set[str]:
    """The names on /metrics, and the parts of a histogram."""
    found = set()
    for line in Meters().text().decode().splitlines():
        if line.startswith("# TYPE"):
            _, _, name, kind = line.split()
            parts = ("_bucket", "_count", "_sum") if kind == "histogram" else ()
            found |= {name, *(name + part for part in parts)}
    return {name for name in found if not name.endswith("_created")}


def test_every_metric_that_is_asked_for_exists() -> None:
    rules = (CHART / "files" / "rules.yaml").read_text()
    asked = set(NAMES.findall(rules))
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            asked |= set(NAMES.findall(target["expr"]))
    assert asked
    assert asked <= exposed()


def test_the_document_lists_all_metrics_and_all_alerts() -> None:
    text = DOCUMENT.read_text()
    series = {re.sub("_(bucket|count|sum)$", "", name) for name in exposed()}
    assert series == set(NAMES.findall(text))
    rules = yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert alerts == set(re.findall(r"`(Headgate[A-Za-z]+)`", text))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("metrics.podMonitor.enabled=true", "PodMonitor"),
        ("metrics.serviceMonitor.enabled=true", "ServiceMonitor"),
        ("metrics.rules.enabled=true", "PrometheusRule"),
    ],
)
def test_monitoring_is_there_on_wish_only(render: Render, value: str, kind: str) -> None:
    assert not of_kind(render(), kind)
    (found,) = of_kind(render(value, "metrics.rules.labels.release=prometheus"), kind)
    if kind == "PrometheusRule":
        assert found["metadata"]["labels"]["release"] == "prometheus"
        assert found["spec"] == yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
    else:
        services = of_kind(render(), "Service")
        ports = [*container(render())["ports"], *(each["spec"]["ports"][0] for each in services)]
        spec = found["spec"]
        (port,) = spec.get("podMetricsEndpoints") or spec["endpoints"]
        assert port["port"] in {each["name"] for each in ports}


def test_a_service_monitor_without_a_service_is_refused(run_helm: Callable[..., Any]) -> None:
    values = "metrics.serviceMonitor.enabled=true,metrics.service.enabled=false"
    done = run_helm("template", "headgate", str(CHART), "--set", values)
    assert done.returncode != 0
    assert "metrics.serviceMonitor needs metrics.service.enabled" in done.stderr


def test_the_dashboard_is_a_config_map_that_grafana_finds(render: Render) -> None:
    found = of_kind(render("metrics.dashboard.enabled=true"), "ConfigMap")
    (dashboard,) = [each for each in found if each["metadata"]["name"].endswith("-dashboard")]
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(dashboard["data"]["headgate.json"])["title"] == "Headgate"


def volumes(objects: list[Object]) -> dict[str, Object]:
    (deployment,) = of_kind(objects, "Deployment")
    return {each["name"]: each for each in deployment["spec"]["template"]["spec"]["volumes"]}


def test_receivers_come_from_a_secret_that_is_mounted_and_never_read(render: Render) -> None:
    assert not {"notifications", "credentials"} & volumes(render()).keys()
    objects = render("notifications.secretName=told", "providersSecretName=passwords")
    assert volumes(objects)["credentials"]["secret"] == {"secretName": "passwords"}
    assert volumes(objects)["notifications"]["secret"] == {"secretName": "told"}
    arguments = parser().parse_args(container(objects)["args"])
    mounts = {each["name"]: each["mountPath"] for each in container(objects)["volumeMounts"]}
    assert str(arguments.notifications) == f"{mounts['notifications']}/notifications.yaml"
    rules = [rule for each in objects for rule in each.get("rules", [])]
    assert not any("secrets" in rule["resources"] for rule in rules)

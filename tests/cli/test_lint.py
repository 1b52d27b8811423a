"""`headgate lint`: errors are what a real API server refuses; advice is each told with a cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headgate.api import pod_template
from headgate.cli import main
from headgate.cli.lint import check
from tests.api.samples import (
    ACCEPTED,
    REFUSED,
    TEMPLATE_TYPOS,
    TYPOS,
    canary,
    condition,
    spec,
    template,
)

EXAMPLES = Path(__file__).parents[2] / "examples"


def document(body: dict[str, Any], name: str = "fraud") -> dict[str, Any]:
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name},
        "spec": body,
    }


def errors(body: dict[str, Any], name: str = "fraud") -> list[str]:
    return [each.sentence for each in check(document(body, name)) if each.is_error]


def advice(**changes: Any) -> list[str]:
    """What is advised on a spec that is sound but for the changes."""
    sound = {
        "replicas": 10,
        "smoke": {"requests": [{"body": {"inputs": [1]}}]},
        "strategy": canary({"weight": 10, "hold": "30m"}, {"weight": 50, "hold": "30m"}),
        "analysis": {"rules": {"latencyP99": {"max": "1s"}}},
    }
    found = list(check(document(spec(**{**sound, **changes}))))
    assert not any(each.is_error for each in found), found
    return [each.sentence for each in found]


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_api_server_takes_is_no_error(name: str) -> None:
    assert errors(ACCEPTED[name]) == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_api_server_refuses_is_an_error_at_its_field(name: str) -> None:
    refused = REFUSED[name]
    found = errors(refused.spec)
    assert any(each.startswith(refused.field) and refused.message in each for each in found), found


@pytest.mark.parametrize("name", [*TYPOS, *TEMPLATE_TYPOS])
def test_a_typo_is_an_error_at_its_field(name: str) -> None:
    body, field = {**TYPOS, **TEMPLATE_TYPOS}[name]
    found = errors(body)
    assert any(field in each for each in found), found


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        ({"containers": [{"name": "a", "imgae": "x"}]}, "imgae: there is no such field; did you"),
        ({"containers": [{"image": "x"}]}, "containers[0].name: is missing"),
        ({"containers": "one"}, "spec.template.spec.containers: 'one' is not of type array"),
        (
            {"containers": [{"name": "a", "env": [{"name": "A", "value": 1}]}]},
            'env[0].value: 1 is not of type string: write it in quotes, "1"',
        ),
        ({"containers": [{"name": "a"}, {"name": "a"}]}, "containers[1]: has the same name"),
        ({"containers": [{"name": "a", "image": None}]}, "containers[0].image: is empty"),
        (
            {"containers": [{"name": "a", "resources": {"limits": {"cpu": "lots"}}}]},
            "limits.cpu: 'lots' is not spelled as Kubernetes asks",
        ),
        (
            {"containers": [{"name": "a", "resources": {"limits": {"cpu": True}}}]},
            "limits.cpu: True is neither a whole number nor text",
        ),
    ],
)
def test_a_pod_template_is_checked_against_kubernetes_schema(
    pod: dict[str, Any], said: str
) -> None:
    found = list(pod_template.refusals({"spec": pod}))
    assert any(said in each for each in found), found


def test_a_name_that_services_cannot_have_is_an_error() -> None:
    assert errors(spec(), name="2nd") != []
    assert errors(spec(), name="a" * 54) != []
    assert errors(spec(), name="a" * 53) == []


def test_a_canary_that_no_pods_can_express_is_an_error() -> None:
    body = spec(replicas=1, strategy={**canary({"weight": 5}), "maxSurge": 0, "maxUnavailable": 1})
    assert any("cannot split traffic" in each for each in errors(body))


def test_a_sound_manifest_gets_no_advice() -> None:
    assert advice() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"template": template(containers=[{"name": "s", "image": "f:latest"}])}, "a digest"),
        ({"template": template(containers=[{"name": "s", "image": "reg:5000/f"}])}, "a digest"),
        ({"suspend": True}, "nothing is released while it is true"),
        ({"replicas": 1}, "1 pod cannot share traffic in small parts"),
        (
            {"strategy": canary({"weight": 5, "hold": "30m"})},
            "steps[0].weight: 5 % is 9.09 % in whole pods (1 of 11): 13 replicas come near",
        ),
        (
            {"strategy": canary({"weight": 10, "hold": "30m"}, {"weight": 12, "hold": "30m"})},
            "12 % is 1 of 10 pods, as in the step before, so it moves no traffic",
        ),
        (
            {"strategy": canary({"weight": 50, "hold": "30m"}, {"weight": 10, "hold": "30m"})},
            "10 % is no more than the step before has",
        ),
        (
            {"strategy": canary({"weight": 50, "hold": "90s"})},
            "hold: 1m30s is less than two of analysis.interval (1m)",
        ),
        (
            {"strategy": canary({"weight": 10, "hold": "3m"})},
            "only if the model gets 17 requests per second or more",
        ),
        (
            {
                "strategy": canary(
                    {"weight": 10, "hold": "30m"},
                    {"approval": {"timeout": "1h", "onTimeout": "promote"}},
                )
            },
            "steps[1].approval.onTimeout: promote takes silence for consent",
        ),
        ({"smoke": {}}, "spec.smoke.requests: without a request"),
        (
            {"analysis": {"rules": {"latencyP99": {"max": "800ms"}}}},
            "800ms is no usual bucket boundary, and is then judged at the nearest one: write 750ms",
        ),
        ({"analysis": {"unknownTimeout": "90s"}}, "one lost sample takes a release back"),
        ({"rollback": {"conditions": []}}, "nothing takes a version back once it is live"),
        (
            {"rollback": condition(metric="latencyP99", above="3s")},
            "spec.rollback.conditions[0].above: 3s is no usual bucket boundary",
        ),
        (
            {"rollback": {"conditions": [{**condition(above=0.1)["conditions"][0], "for": "5s"}]}},
            "conditions[0].for: 5s is less than analysis.interval (1m)",
        ),
        ({"watch": {"duration": "0s"}}, "a version is not watched once it is live"),
        ({"watch": {"keepPrevious": 0}}, "going back has to start them"),
    ],
)
def test_what_is_unwise_is_said_with_its_cure(changes: dict[str, Any], said: str) -> None:
    found = advice(**changes)
    assert any(said in each for each in found), found


@pytest.mark.parametrize("image", ["reg:5000/f:1", "f@sha256:0123", "f:2.3.0"])
def test_an_image_that_stays_gets_no_advice(image: str) -> None:
    assert advice(template=template(containers=[{"name": "s", "image": image}])) == []


def test_the_example_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lint", "--strict", "-f", str(EXAMPLES / "modeldeployment.yaml")])
    assert ended.value.code == 0
    assert "nothing found" in capsys.readouterr().out


def test_warnings_fail_only_when_strict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import yaml

    file = tmp_path / "fraud.yaml"
    file.write_text(yaml.safe_dump_all([document(spec()), document(spec(), "other")]))
    codes = []
    for flags in ([], ["--strict"]):
        with pytest.raises(SystemExit) as ended:
            main(["lint", "-f", str(file), *flags])
        codes.append(ended.value.code)
    assert codes == [0, 1]
    out = capsys.readouterr().out
    assert f"{file}: ModelDeployment other" in out
    assert "0 errors" in out

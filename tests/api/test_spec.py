"""What the models accept and refuse. The same tables are put to a real API server elsewhere."""

import pytest
from pydantic import ValidationError

from headgate.api.base import is_name, refusals
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Status
from headgate.api.strategy import StrategyType
from tests.api.samples import ACCEPTED, DESIGN, REFUSED, TYPOS, Refused, Spec, spec


def refusal(manifest: Spec) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        ModelDeploymentSpec.model_validate(manifest)
    return list(refusals(caught.value))


@pytest.mark.parametrize("manifest", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_good_manifest_is_read(manifest: Spec) -> None:
    ModelDeploymentSpec.model_validate(manifest)


@pytest.mark.parametrize("sample", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_manifest_is_refused_where_it_is_bad(sample: Refused) -> None:
    sentences = refusal(sample.spec)
    assert any(
        each.startswith(f"{sample.field}: ") and sample.message in each for each in sentences
    ), sentences


@pytest.mark.parametrize(("manifest", "field"), TYPOS.values(), ids=TYPOS.keys())
def test_a_typo_is_refused_by_its_path(manifest: Spec, field: str) -> None:
    assert any(each.startswith(f"{field}: ") for each in refusal(manifest))


def test_every_refusal_is_reported_at_once() -> None:
    sentences = refusal(spec(replicas=-1, environment="prod"))
    assert [each.split(":")[0] for each in sentences] == ["spec.environment", "spec.replicas"]


def test_the_design_manifest_means_what_it_says() -> None:
    read = ModelDeploymentSpec.model_validate(DESIGN)
    assert read.strategy.type is StrategyType.CANARY
    assert read.strategy.canary is not None
    assert [(step.weight, step.hold) for step in read.strategy.canary.steps] == [
        (5, "30m"),
        (None, None),
        (50, "30m"),
    ]
    assert [(each.limit, each.duration) for each in read.rollback.conditions] == [
        (0.1, "5m"),
        (5.0, "3m"),
        (1.0, "2m"),
    ]


def test_a_manifest_is_written_as_it_was_read() -> None:
    read = ModelDeploymentSpec.model_validate(DESIGN)
    written = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert written == DESIGN


def test_conditions_left_out_are_the_three_of_the_requirements() -> None:
    read = ModelDeploymentSpec.model_validate(spec())
    assert [
        (each.name, each.metric, each.above, each.below, each.duration)
        for each in read.rollback.conditions
    ] == [
        ("high_error_rate", "errorRate", 0.1, None, "5m"),
        ("extreme_latency", "latencyP99", "5s", None, "3m"),
        ("zero_throughput", "throughput", None, 1.0, "2m"),
    ]


def test_a_file_and_the_api_server_give_the_same_template() -> None:
    port = {"containerPort": 8080}
    udp = {"containerPort": 53, "protocol": "UDP"}
    container = {"name": "server", "image": "i", "ports": [port, udp]}
    written = spec(template={"spec": {"containers": [container]}})
    read = ModelDeploymentSpec.model_validate(written)
    assert read.template["spec"]["containers"][0]["ports"] == [{**port, "protocol": "TCP"}, udp]
    assert "protocol" not in port


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("fraud", True),
        ("a" * 53, True),
        ("a" * 54, False),
        *((name, False) for name in ("1a", "A", "a-", "a.b", "", "a\n")),
    ],
)
def test_a_name_must_fit_the_names_made_from_it(name: str, allowed: bool) -> None:
    assert is_name(name) is allowed


def test_a_status_of_another_operator_version_is_read() -> None:
    assert Status.model_validate({"phase": "Stable", "fieldOfTomorrow": [1]}).phase == "Stable"

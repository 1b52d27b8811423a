"""All three strategies as a list of steps, as `headgate plan` prints it."""

from __future__ import annotations

from typing import Any

import pytest

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.offline import plan_steps
from headgate.core.revision import revision_of


def spec(**changes: Any) -> ModelDeploymentSpec:
    manifest: dict[str, Any] = {
        "model": {"name": "fraud", "version": "2.3.0"},
        "replicas": 5,
        "template": {"spec": {"containers": [{"name": "server", "image": "fraud:2.3.0"}]}},
    }
    return resolve(ModelDeploymentSpec.model_validate({**manifest, **changes}))


def rows(of: ModelDeploymentSpec) -> list[tuple[int, int, int, float, bool, str]]:
    return [
        (
            each.weight,
            each.stable,
            each.candidate,
            each.effective_weight,
            each.approximated,
            each.hold,
        )
        for each in plan_steps(of)
    ]


def test_the_canary_of_r5_is_the_default() -> None:
    assert rows(spec()) == [
        (5, 5, 1, 16.67, True, "30m"),
        (10, 5, 1, 16.67, True, "30m"),
        (25, 4, 1, 20.0, True, "30m"),
        (50, 3, 3, 50.0, False, "30m"),
        (100, 0, 5, 100.0, False, "0s"),
    ]


def test_an_approval_step_keeps_the_weight_before_it() -> None:
    steps = [{"weight": 20, "hold": "1m"}, {"approval": {}}, {"weight": 60, "hold": "1m"}]
    planned = plan_steps(spec(strategy={"type": "Canary", "canary": {"steps": steps}}))
    assert [each.weight for each in planned] == [20, 20, 60, 100]
    assert [each.kind for each in planned] == ["weight", "approval", "weight", "promotion"]


def test_blue_green_brings_up_a_whole_side_before_the_switch() -> None:
    assert rows(spec(strategy={"type": "BlueGreen"})) == [
        (0, 5, 5, 0.0, False, "0s"),
        (100, 0, 5, 100.0, False, "0s"),
    ]


def test_rolling_goes_in_batches_of_surge_and_unavailable_together() -> None:
    strategy = {"type": "Rolling", "maxSurge": 1, "maxUnavailable": 1, "rolling": {"hold": "1m"}}
    assert [(each.stable, each.candidate) for each in plan_steps(spec(strategy=strategy))] == [
        (3, 2),
        (1, 4),
        (0, 5),
    ]


def test_without_replicas_there_is_one_step() -> None:
    assert rows(spec(replicas=0)) == [(100, 0, 0, 0.0, False, "0s")]


def test_an_explicit_last_step_at_100_percent_is_not_doubled() -> None:
    steps = [{"weight": 50, "hold": "1m"}, {"weight": 100}]
    planned = plan_steps(spec(strategy={"type": "Canary", "canary": {"steps": steps}}))
    assert [each.weight for each in planned] == [50, 100]


@pytest.mark.parametrize(
    ("changes", "releases"),
    [
        ({"model": {"name": "fraud", "version": "2.3.1"}}, True),
        ({"replicas": 7}, False),
        ({"watch": {"duration": "5m"}}, False),
        ({"environment": "production"}, False),
        ({"strategy": {"type": "BlueGreen"}}, False),
        (
            {"template": {"spec": {"containers": [{"name": "server", "image": "fraud:other"}]}}},
            True,
        ),
    ],
)
def test_only_the_model_and_the_template_make_a_new_revision(
    changes: dict[str, Any], releases: bool
) -> None:
    assert (revision_of(spec(**changes)) != revision_of(spec())) is releases


def test_a_revision_fits_into_names_and_labels() -> None:
    assert revision_of(spec()).isalnum()
    assert len(revision_of(spec())) == 10
    assert revision_of(spec()).islower()

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


def test_a_preview_may_be_smaller_and_waits_for_its_approval_at_that_size() -> None:
    blue_green = {"previewReplicas": "30%", "hold": "1m", "approval": {"timeout": "1h"}}
    planned = plan_steps(spec(strategy={"type": "BlueGreen", "blueGreen": blue_green}))
    assert [(each.kind, each.stable, each.candidate, each.hold) for each in planned] == [
        ("preview", 5, 2, "1m"),
        ("approval", 5, 2, "0s"),
        ("promotion", 0, 5, "0s"),
    ]


def test_steps_of_every_kind_keep_the_weight_and_the_pods_before_them() -> None:
    steps = [
        {"scale": "50%"},
        {"hold": "10m"},
        {"weight": 40},
        {"analysis": {"for": "5m"}},
        {"approval": {}},
        {"weight": 20, "hold": "1m"},
        {"hold": "2m"},
    ]
    planned = plan_steps(spec(strategy={"type": "Canary", "canary": {"steps": steps}}))
    assert [
        (each.kind, each.weight, each.stable, each.candidate, each.hold) for each in planned
    ] == [
        ("scale", 0, 5, 3, "0s"),
        ("hold", 0, 5, 3, "10m"),
        ("weight", 40, 3, 2, "30m"),
        ("analysis", 40, 3, 2, "5m"),
        ("approval", 40, 3, 2, "0s"),
        ("weight", 20, 4, 1, "1m"),
        ("hold", 20, 4, 1, "2m"),
        ("promotion", 100, 0, 5, "0s"),
    ]


def test_never_more_pods_without_live_traffic_than_replicas() -> None:
    steps = [{"scale": 50}, {"weight": 20}]
    planned = plan_steps(spec(strategy={"type": "Canary", "canary": {"steps": steps}}))
    assert planned[0].candidate == 5


def test_without_surge_the_first_pod_to_be_checked_takes_a_place() -> None:
    strategy = {"maxSurge": 0, "maxUnavailable": 1, "canary": {"steps": [{"approval": {}}]}}
    planned = plan_steps(spec(strategy={"type": "Canary", **strategy}))
    assert (planned[0].stable, planned[0].candidate) == (4, 1)


@pytest.mark.parametrize(
    ("preset", "weights", "hold"),
    [
        ("Standard", [5, 10, 25, 50], "30m"),
        ("Cautious", [1, 2, 5, 10, 25, 50], "1h"),
        ("Quick", [10, 50], "5m"),
    ],
)
def test_a_preset_is_a_canary_in_one_word(preset: str, weights: list[int], hold: str) -> None:
    planned = plan_steps(spec(strategy={"type": "Canary", "canary": {"preset": preset}}))
    assert [each.weight for each in planned] == [*weights, 100]
    assert {each.hold for each in planned[:-1]} == {hold}


@pytest.mark.parametrize(
    ("replicas", "strategy", "expected"),
    [
        # Never more pods than replicas, whatever the surge.
        (4, {"canary": {"preset": "Quick"}, "maxSurge": 2}, [(3, 1), (2, 2), (0, 4)]),
        # A preview leaves the ready floor to the side that serves.
        (4, {"canary": {"steps": [{"scale": "100%"}, {"weight": 50}]}}, [(3, 1), (2, 2), (0, 4)]),
        (4, {"type": "BlueGreen", "readyFloor": 1}, [(1, 3), (0, 4)]),
        (4, {"type": "BlueGreen", "readyFloor": 0}, [(1, 3), (0, 4)]),
        (4, {"type": "Rolling", "readyFloor": 2}, [(2, 2), (0, 4)]),
        # One pod cannot be shared: only an approval comes before the change.
        (1, {"canary": {"preset": "Standard"}}, [(0, 1)]),
        (
            1,
            {"canary": {"steps": [{"scale": 1}, {"approval": {}}, {"weight": 5}]}},
            [(1, 0), (0, 1)],
        ),
        (1, {"type": "BlueGreen", "blueGreen": {"approval": {}}}, [(1, 0), (0, 1)]),
        (1, {"type": "Rolling"}, [(0, 1)]),
    ],
)
def test_swapped_steps_have_no_more_pods_than_replicas(
    replicas: int, strategy: dict[str, Any], expected: list[tuple[int, int]]
) -> None:
    planned = plan_steps(spec(replicas=replicas, strategy={"capacity": "Swap", **strategy}))
    assert [(each.stable, each.candidate) for each in planned] == expected


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

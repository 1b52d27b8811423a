"""What an environment fills in (R1), and that it never touches what the author wrote."""

from typing import Any

import pytest

from headgate.api.analysis import Level
from headgate.api.environments import environment_of, resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.strategy import OnTimeout, StrategyType
from tests.api.samples import ACCEPTED, Spec, canary, spec


def resolved(**changes: Any) -> ModelDeploymentSpec:
    return resolve(ModelDeploymentSpec.model_validate(spec(**changes)))


@pytest.mark.parametrize(
    ("environment", "strategy", "replicas", "memory", "cpu", "log", "level"),
    [
        ("dev", StrategyType.BLUE_GREEN, 1, "512Mi", "250m", "DEBUG", Level.BASIC),
        ("staging", StrategyType.CANARY, 2, "1Gi", "500m", "INFO", Level.DETAILED),
        ("production", StrategyType.ROLLING, 5, "2Gi", "1000m", "WARN", Level.COMPREHENSIVE),
        (None, StrategyType.CANARY, 1, "1Gi", "500m", "INFO", Level.DETAILED),
    ],
)
def test_an_environment_fills_in_its_column(
    environment: str | None,
    strategy: StrategyType,
    replicas: int,
    memory: str,
    cpu: str,
    log: str,
    level: Level,
) -> None:
    read = resolved(environment=environment)
    preset = environment_of(read)
    assert (read.strategy.type, read.replicas, read.analysis.level) == (strategy, replicas, level)
    assert (preset.memory_limit, preset.cpu_limit, preset.log_level) == (memory, cpu, log)
    assert (preset.memory_request, preset.cpu_request) == ("512Mi", "250m")


@pytest.mark.parametrize(
    ("environment", "data", "accuracy", "version"),
    [
        ("dev", "sample_data", 0.70, "latest"),
        ("staging", "production_subset", 0.85, "candidate"),
        ("production", "production_full", 0.90, "stable"),
    ],
)
def test_an_environment_names_its_data_accuracy_and_version(
    environment: str, data: str, accuracy: float, version: str
) -> None:
    preset = environment_of(resolved(environment=environment))
    assert preset.evaluation_data == data
    assert preset.least_accuracy == accuracy
    assert preset.followed_version == version


@pytest.mark.parametrize(
    ("level", "watched"),
    [
        ("basic", (0.05, None, None)),
        ("detailed", (0.05, "1s", None)),
        ("comprehensive", (0.05, "1s", 100.0)),
    ],
)
def test_a_level_says_which_rules_are_watched(
    level: str, watched: tuple[float | None, str | None, float | None]
) -> None:
    rules = resolved(analysis={"level": level}).analysis.rules
    assert watched == (
        rules.error_rate and rules.error_rate.max,
        rules.latency_p99 and rules.latency_p99.max,
        rules.throughput and rules.throughput.min,
    )


def test_a_rule_that_the_author_wrote_is_watched_at_every_level() -> None:
    rules = resolved(
        analysis={"level": "basic", "rules": {"throughput": {"min": 3}, "latencyP99": {}}}
    ).analysis.rules
    assert rules.throughput is not None
    assert rules.throughput.min == 3
    assert rules.latency_p99 is not None
    assert rules.latency_p99.max == "1s"


def test_steps_left_out_are_those_of_the_requirements() -> None:
    strategy = resolved().strategy
    assert strategy.canary is not None
    assert [(step.weight, step.hold) for step in strategy.canary.steps] == [
        (5, "30m"),
        (10, "30m"),
        (25, "30m"),
        (50, "30m"),
    ]


def test_a_hold_or_an_answer_left_out_is_filled_in() -> None:
    strategy = resolved(
        strategy=canary({"weight": 7}, {"approval": {}}, {"approval": {"timeout": "1h"}})
    ).strategy
    assert strategy.canary is not None
    weight, endless, timed = strategy.canary.steps
    assert (weight.weight, weight.hold) == (7, "30m")
    assert endless.hold is None
    assert endless.approval is not None
    assert endless.approval.on_timeout is None
    assert timed.approval is not None
    assert timed.approval.on_timeout is OnTimeout.REVERT


def test_no_replicas_is_not_taken_for_left_out() -> None:
    assert resolved(environment="production", replicas=0).replicas == 0


def _keeps(written: Any, filled: Any) -> bool:
    if isinstance(written, dict):
        return all(name in filled and _keeps(each, filled[name]) for name, each in written.items())
    if isinstance(written, list):
        return len(written) == len(filled) and all(
            _keeps(one, other) for one, other in zip(written, filled, strict=True)
        )
    return bool(written == filled)


@pytest.mark.parametrize("manifest", ACCEPTED.values(), ids=ACCEPTED.keys())
@pytest.mark.parametrize("environment", ["dev", "staging", "production", None])
def test_what_the_author_wrote_is_untouched(manifest: Spec, environment: str | None) -> None:
    written = {name: value for name, value in manifest.items() if name != "environment"}
    if environment:
        written["environment"] = environment
    try:
        read = ModelDeploymentSpec.model_validate(written)
    except ValueError:
        # Some manifests can split no traffic outside the environment they were written for.
        assert "maxSurge" in written["strategy"]
        return
    filled = resolve(read)
    assert _keeps(written, filled.model_dump(mode="json", by_alias=True))
    assert resolve(filled) == filled

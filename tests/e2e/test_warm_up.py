"""Pods that are warmed up on the real cluster: no Service sends them anything before."""

from __future__ import annotations

from typing import Any

from hack.load.report import failed, failures_by_cause
from tests.e2e.model import SMOKE_ROW, Model

WARM = "headgate.dev/Warm"
REQUEST = {
    "path": "/predict",
    "body": {"instances": [SMOKE_ROW]},
    "expect": {"status": 200, "field": "predictions", "type": "array"},
}


def smoke(**changes: Any) -> dict[str, Any]:
    return {
        "requests": [REQUEST],
        "timeout": "10s",
        "warmUp": {"requests": [REQUEST], "fasterThan": "5s", "timeout": "2m", **changes},
    }


def conditions(model: Model) -> list[dict[str, dict[str, Any]]]:
    """The conditions of all pods that are not on their way out, by their types."""
    return [
        {each["type"]: each for each in pod["status"]["conditions"]}
        for pod in model.get("pods")["items"]
        if "deletionTimestamp" not in pod["metadata"]
    ]


def test_every_pod_is_warm_before_it_gets_traffic_and_so_are_those_that_join(model: Model) -> None:
    model.apply("1.0.0", replicas=2, smoke=smoke())
    model.wait_until_stable("1.0.0")
    assert [each[WARM]["status"] for each in conditions(model)] == ["True", "True"]
    assert "PodsWarm" in model.reasons()

    with model.users() as users:
        model.again("2.0.0")
        model.wait_until_stable("2.0.0")
        model.again(replicas=4)
        model.wait_until_stable("2.0.0")
        users.wait_for_answers(len(users.answers()) + 20, "2.0.0")
    assert not failed(users.answers()), failures_by_cause(users.answers())
    for found in conditions(model):
        assert found[WARM]["reason"] == "Warm"
        assert found[WARM]["lastTransitionTime"] <= found["Ready"]["lastTransitionTime"]


def test_a_version_that_is_never_fast_enough_is_taken_back_and_says_so(model: Model) -> None:
    model.apply("1.0.0", replicas=1, smoke=smoke())
    model.wait_until_stable("1.0.0")
    with model.users() as users:
        # No answer over a network takes less than a microsecond.
        model.again("2.0.0", smoke=smoke(fasterThan="0.001ms", timeout="45s"))
        model.wait(
            "the status says what is waited for",
            lambda status: "Warming up 1 of 1 pods of 2.0.0: " in status["message"],
        )
        reverted = model.wait_for_phase("Reverted")
        users.wait_for_answers(len(users.answers()) + 20, "1.0.0")
    assert reverted["rejected"]["reason"] == "WarmUpFailed"
    assert "not warm within 45s: POST /predict on pod" in reverted["rejected"]["message"]
    assert reverted["rejected"]["weight"] == 0
    assert {each.version for each in users.answers()} == {"1.0.0"}

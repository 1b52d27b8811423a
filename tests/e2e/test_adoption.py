"""What kubectl made before, taken over by a ModelDeployment of the same name under load."""

from __future__ import annotations

import time
from typing import Any

from hack.load.report import failed, failures_by_cause
from tests.e2e.by_hand import LABELS, serve_by_hand
from tests.e2e.model import LONG, Model


def deployments(model: Model) -> list[str]:
    return [each["metadata"]["name"] for each in model.get("deployments")["items"]]


def wait_until_gone(model: Model) -> None:
    """Until the Deployment made by hand is gone, and its pods with it."""
    deadline = time.monotonic() + LONG
    left: list[dict[str, Any]] = [{}]
    while left or model.name in deployments(model):
        assert time.monotonic() < deadline, model.told(model.status())
        time.sleep(0.3)
        pods = model.get("pods")["items"]
        left = [each for each in pods if LABELS.items() <= each["metadata"]["labels"].items()]


def test_a_deployment_and_a_service_made_by_hand_are_adopted_without_a_failed_request(
    model: Model,
) -> None:
    serve_by_hand(model, "1.0.0")
    address = model.address()
    with model.users() as users:
        model.apply("2.0.0")
        conflict = model.wait_for_phase("Conflict")
        assert "set spec.adopt to true" in conflict["message"]

        model.again(adopt=True)
        model.wait_until_stable("2.0.0")
        wait_until_gone(model)
        users.wait_for_answers(len(users.answers()) + 20, "2.0.0")
    assert not failed(users.answers()), failures_by_cause(users.answers())
    assert model.address() == address
    assert model.live_selector()["headgate.dev/model-deployment"] == model.name
    assert "app" not in model.live_selector()
    told = [each["message"] for each in model.status()["decisions"]]
    assert any(each.startswith("Deleting the adopted Deployment digits") for each in told)


def test_while_the_first_version_fails_its_checks_what_was_there_serves(model: Model) -> None:
    serve_by_hand(model, "1.0.0")
    with model.users() as users:
        model.apply("2.0.0", adopt=True, smoke={"requests": [{"path": "/nowhere"}]})
        failing = model.wait_for_phase("Failing")
        assert "The adopted Deployment digits serves." in failing["message"]
        users.wait_for_answers(len(users.answers()) + 20, "1.0.0")
        assert model.live_selector() == LABELS
        assert model.name in deployments(model)
    assert not failed(users.answers()), failures_by_cause(users.answers())
    assert {each.version for each in users.answers()} == {"1.0.0"}

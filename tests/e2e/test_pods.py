"""What the candidate's pods say by themselves, without any Prometheus."""

from __future__ import annotations

from typing import Any

from tests.e2e.model import Model, manifest


def template(**container: Any) -> dict[str, Any]:
    found: dict[str, Any] = manifest("2.0.0")["template"]
    found["spec"]["containers"][0].update(container)
    return found


def test_an_image_that_cannot_be_had_and_a_crash_at_start(model: Model) -> None:
    model.apply("1.0.0", replicas=2)
    model.wait_until_stable("1.0.0")

    model.again(
        model={"name": "digits", "version": "2.0.0"},
        template=template(image="headgate.local/digits-server:nowhere"),
    )
    missing = model.wait_for_phase("Reverted")
    assert missing["rejected"]["reason"] == "ErrImageNeverPull"
    assert "digits-server:nowhere" in missing["rejected"]["message"]

    model.again(
        model={"name": "digits", "version": "2.0.1"},
        template=template(command=["/bin/sh", "-c", "echo no model >&2; exit 7"]),
    )
    crashed = model.wait(
        "the crash reverted",
        lambda status: status["phase"] == "Reverted" and status["rejected"]["version"] == "2.0.1",
    )
    assert crashed["rejected"]["reason"] == "CrashLoopBackOff"
    assert "exit code 7" in crashed["rejected"]["message"]
    assert crashed["rejected"]["weight"] == 0
    assert crashed["stable"]["version"] == "1.0.0"
    assert crashed["stable"]["ready"] == 2

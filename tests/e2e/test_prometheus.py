"""A provider that is unreachable, empty, or answers NaN: the step is held, and status says so."""

from __future__ import annotations

import time

import pytest

from tests.e2e.model import Model

HOLD = {"type": "Canary", "canary": {"steps": [{"weight": 50, "hold": "2s"}]}}


@pytest.mark.parametrize("provider", ["unreachable", "empty", "nan"])
def test_the_step_is_held_while_there_is_no_data(model: Model, provider: str) -> None:
    model.apply("1.0.0", strategy=HOLD, replicas=1, watch={"duration": "0s"})
    model.wait_until_stable("1.0.0")
    analysis = {**model.written["analysis"], "provider": provider, "interval": "2s"}
    with model.users(rate=20.0):
        model.again("2.0.0", analysis=analysis)
        held = model.wait(
            "the outage is told",
            lambda status: (
                status["phase"] == "Progressing"
                and (status.get("analysis") or {}).get("reason") == "ProviderDown"
            ),
        )
        assert held["verdict"] == "Unknown"
        assert held["analysis"]["message"]
        # Well beyond the hold of 2 s it still stands at its step.
        until = time.monotonic() + 8
        while time.monotonic() < until:
            status = model.status()
            assert (status["phase"], status["weight"]) == ("Progressing", "50%")
            time.sleep(1)
        assert model.status()["message"]

        # With data again it goes on by itself.
        model.again(analysis={**analysis, "provider": "default"})
        model.wait_until_stable("2.0.0")

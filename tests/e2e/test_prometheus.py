"""A provider that is unreachable, empty, or answers NaN: the step is held, and status says so."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.e2e.model import Model

HOLD = {"type": "Canary", "canary": {"steps": [{"weight": 50, "hold": "2s"}]}}
SAYS = {
    "empty": "no request total",
    # Between the two whose sentence is the same, so that each is seen to be asked.
    "unreachable": "could not be reached",
    "nan": "no request total",
}


def tells_of_outage(sentence: str, status: Mapping[str, Any]) -> bool:
    told = status.get("analysis") or {}
    is_outage = (status["phase"], told.get("reason")) == ("Progressing", "ProviderDown")
    return is_outage and sentence in told["message"]


def test_the_step_is_held_while_there_is_no_data_of_whatever_kind(model: Model) -> None:
    model.apply("1.0.0", strategy=HOLD, replicas=1, watch={"duration": "0s"})
    model.wait_until_stable("1.0.0")
    analysis = {**model.written["analysis"], "provider": "empty", "interval": "2s"}
    with model.users(rate=20.0):
        model.again("2.0.0", analysis=analysis)
        for provider, sentence in SAYS.items():
            model.again(analysis={**analysis, "provider": provider})
            held = model.wait("the outage is told", partial(tells_of_outage, sentence))
            assert held["verdict"] == "Unknown"
            # Well beyond the hold of 2 s it still stands at its step.
            until = time.monotonic() + 6
            while time.monotonic() < until:
                status = model.status()
                assert (status["phase"], status["weight"]) == ("Progressing", "50%")
                time.sleep(1)
            assert model.status()["message"]

        # With data again it goes on by itself.
        model.again(analysis={**analysis, "provider": "default"})
        model.wait_until_stable("2.0.0")

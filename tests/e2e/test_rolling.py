"""Rolling releases on the real cluster: watched and taken back like a canary."""

from __future__ import annotations

from hack.load.report import failed, failures_by_cause
from tests.e2e.model import ROLLING, Model


def test_a_good_rolling_release_and_a_bad_one(model: Model) -> None:
    model.apply("1.0.0", strategy={**ROLLING, "maxSurge": 1})
    model.wait_until_stable("1.0.0")
    with model.users() as users:
        model.again("2.0.0")
        model.wait_until_stable("2.0.0")
        rolled = users.answers()
        assert not failed(rolled), failures_by_cause(rolled)

        model.again("3.0.0")
        reverted = model.wait_for_phase("Reverted")
        users.wait_for_answers(len(users.answers()) + 20, "2.0.0")
    assert reverted["rejected"]["reason"] in ("high_error_rate", "high_latency")
    assert reverted["stable"]["version"] == "2.0.0"
    assert all(each.version in ("3.0.0", None) for each in failed(users.answers()))

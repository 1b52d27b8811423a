"""Blue/green switches on the real cluster."""

from __future__ import annotations

from hack.load.report import failed, failures_by_cause
from tests.e2e.model import BLUE_GREEN, SMOKE_ROW, Model


def test_a_good_switch_and_pods_that_crash_after_it(model: Model) -> None:
    model.apply("1.0.0", strategy=BLUE_GREEN, replicas=2)
    model.wait_until_stable("1.0.0")
    with model.users(rate=50.0) as users:
        model.again("2.0.0")
        model.wait_until_stable("2.0.0")
        switched = users.answers()
        assert not failed(switched), failures_by_cause(switched)

        # 4.0.0 crashes 15 s after its first live prediction, well within this watch.
        model.again("4.0.0", watch={"duration": "120s"})
        reverted = model.wait_for_phase("Reverted")
        users.wait_for_answers(len(users.answers()) + 50, "2.0.0")
    assert reverted["rejected"]["reason"] == "CrashLoopBackOff"
    assert reverted["rejected"]["weight"] == 100
    assert "exit code" in reverted["rejected"]["message"]
    assert reverted["stable"]["version"] == "2.0.0"
    assert len(failed(users.answers())) < 100, failures_by_cause(users.answers())


def test_failing_smoke_predictions_never_get_traffic(model: Model) -> None:
    model.apply("1.0.0", strategy=BLUE_GREEN, replicas=1)
    model.wait_until_stable("1.0.0")
    wrong = {
        "requests": [
            {
                "path": "/predict",
                "body": {"instances": [SMOKE_ROW]},
                "expect": {"status": 200, "field": "predictions", "type": "string"},
            }
        ]
    }
    with model.users() as users:
        model.again("2.0.0", smoke=wrong)
        reverted = model.wait_for_phase("Reverted")
        users.wait_for_answers(len(users.answers()) + 20)
    assert reverted["rejected"]["reason"] == "SmokeFailed"
    assert "predictions is array, not string" in reverted["rejected"]["message"]
    assert not failed(users.answers())
    assert {each.version for each in users.answers()} == {"1.0.0"}

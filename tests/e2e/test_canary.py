"""Canaries on the real cluster: a good one, a bad one, and people changing their minds."""

from __future__ import annotations

import json
import time
from typing import Any

from hack.load.report import failed, failures_by_cause, last_answer_of, sent_by_version
from tests.e2e.model import Model, manifest

DIGITS = {
    "name": "digit",
    "series": "digits_predicted",
    "method": "JensenShannon",
    "threshold": 0.3,
    "minSamples": 30,
}


def test_a_good_canary_goes_live_without_a_failed_request(model: Model) -> None:
    model.apply("1.0.0")
    model.written["analysis"] = {**model.written["analysis"], "drift": [DIGITS]}
    model.wait_until_stable("1.0.0")
    with model.users() as users:
        model.again("2.0.0")
        shared = model.wait("traffic shared", lambda status: status.get("weight") == "25%")
        assert shared["candidate"]["version"] == "2.0.0"
        model.wait_until_stable("2.0.0")
        users.wait_for_answers(20, "2.0.0")
    answers = users.answers()
    assert not failed(answers), failures_by_cause(answers)
    assert sent_by_version(answers)["1.0.0"] > 0
    status = model.status()
    assert [each["outcome"] for each in status["releases"]] == ["Promoted", "Promoted"]
    revision = status["stable"]["revision"]
    assert model.live_selector()["headgate.dev/revision"] == revision
    ready = next(each for each in status["conditions"] if each["type"] == "Ready")
    assert ready["status"] == "True"
    for reason in ("ReleaseStarted", "SmokePassed", "StepPassed", "Promoted"):
        assert reason in model.reasons()
    names = [each["metadata"]["name"] for each in model.get("deployments")["items"]]
    assert names == [f"digits-{revision}"]
    record = model.get("configmap", "digits-release-records")
    assert any("Good" in text for text in record["data"].values())
    checks = [
        check
        for text in record["data"].values()
        for line in text.splitlines()
        for check in json.loads(line).get("checks", ())
    ]
    assert ("digit drift", "Good") in {(each["name"], each["verdict"]) for each in checks}


PLANTED = "planted-secret-7f3a"


def careless() -> dict[str, Any]:
    """The template of 3.0.0 by an author who writes a token into it."""
    template: dict[str, Any] = manifest("3.0.0")["template"]
    template["spec"]["containers"][0]["env"].append({"name": "API_TOKEN", "value": PLANTED})
    return template


def told_of(model: Model) -> str:
    """Everything that the operator says of a model: status, Events, records and its log."""
    log = model.cluster.kubectl(
        *("logs", "deployment/headgate", "--all-pods", "--namespace", "headgate-system")
    )
    records = json.dumps(model.get("configmap", "digits-release-records"))
    status = json.dumps(model.status(), ensure_ascii=False)
    return "\n".join((status, model.kubectl("get", "events"), records, log))


def test_a_bad_canary_is_taken_back_by_itself(model: Model) -> None:
    model.apply("1.0.0")
    model.wait_until_stable("1.0.0")
    with model.users() as users:
        # Long enough that its errors cannot all fall to requests that stable answers.
        model.again(
            "3.0.0",
            template=careless(),
            strategy={"type": "Canary", "canary": {"steps": [{"weight": 25, "hold": "20s"}]}},
        )
        reverted = model.wait_for_phase("Reverted")
        settled = time.time() + 5
        while time.time() < settled:
            users.wait_for_answers(len(users.answers()) + 1)
    answers = users.answers()
    assert reverted["rejected"]["version"] == "3.0.0"
    assert reverted["rejected"]["reason"] in ("high_error_rate", "high_latency")
    assert reverted["rejected"]["weight"] == 25
    assert reverted["stable"]["version"] == "1.0.0"
    assert model.live_selector()["headgate.dev/revision"] == reverted["stable"]["revision"]
    assert all(each.version in ("3.0.0", None) for each in failed(answers))
    last = last_answer_of(answers, "3.0.0")
    assert last is not None
    assert last < answers[-1].sent
    stalled = next(each for each in reverted["conditions"] if each["type"] == "Stalled")
    assert stalled["status"] == "True"
    assert "3.0.0" in stalled["message"]
    told = told_of(model)
    assert stalled["message"] in told
    assert PLANTED not in told

    # Applied again it is refused: neither a resync nor a person's repeat retries it.
    model.again("1.0.0")
    model.wait_until_stable("1.0.0")
    model.again("3.0.0", template=careless())
    again = model.wait_for_phase("Reverted")
    assert len(again["releases"]) == len(reverted["releases"])


def test_back_to_stable_superseded_and_scaled_in_the_middle(model: Model) -> None:
    slow = {"type": "Canary", "canary": {"steps": [{"weight": 25, "hold": "120s"}]}}
    model.apply("1.0.0", strategy=slow)
    model.wait_until_stable("1.0.0")
    with model.users() as users:
        model.again("2.0.0")
        model.wait("traffic shared", lambda status: status.get("weight") == "25%")

        model.again("1.0.0")
        back = model.wait_until_stable("1.0.0")
        assert back["releases"][-1]["outcome"] == "Aborted"

        model.again("2.0.0")
        model.wait("traffic shared", lambda status: status.get("weight") == "25%")
        model.kubectl("scale", "mdep/digits", "--replicas=4")
        model.written["replicas"] = 4
        model.wait(
            "four pods or more serve",
            lambda status: status["stable"]["ready"] + status["candidate"]["ready"] >= 4,
        )

        fast = {"type": "Canary", "canary": {"steps": [{"weight": 25, "hold": "3s"}]}}
        model.written["strategy"] = fast
        superseding = model.written["template"]
        superseding["metadata"]["annotations"]["note"] = "another revision of 2.0.0"
        model.again(template=superseding)
        superseded = model.wait(
            "superseded",
            lambda status: any(
                each["outcome"] == "Superseded" for each in status.get("releases") or []
            ),
        )
        assert superseded["stable"]["version"] == "1.0.0"
        model.wait_until_stable("2.0.0")
    answers = users.answers()
    assert not failed(answers), failures_by_cause(answers)

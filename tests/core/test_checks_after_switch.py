"""After a blue/green switch only what was found after it counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.intents import Plan, RunSmoke
from headgate.core.observation import SmokeResult
from headgate.core.plan import plan
from headgate.core.revision import revision_of
from tests.core.observations import BEFORE, NOW, watched

SPEC = resolve(
    ModelDeploymentSpec.model_validate(
        {
            "model": {"name": "fraud", "version": "2"},
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": "server", "image": "fraud:2"}]}},
            "strategy": {"type": "BlueGreen", "blueGreen": {"checkAfterSwitch": True}},
        }
    )
)
REVISION = revision_of(SPEC)


def planned(smoke: SmokeResult | None) -> Plan:
    """The pass after a switch whose status was written."""
    return plan(replace(watched(SPEC), smoke=smoke), NOW)


@pytest.mark.parametrize("smoke", [None, SmokeResult(REVISION, True, "fine")])
def test_what_was_found_before_the_switch_does_not_count(smoke: SmokeResult | None) -> None:
    answer = planned(smoke)
    assert RunSmoke(REVISION, after_switch=True) in answer.intents
    assert answer.status.release is not None
    assert not answer.status.release.checked


def test_once_they_have_passed_they_are_not_sent_again() -> None:
    answer = planned(SmokeResult(REVISION, True, "fine", after_switch=True))
    assert not [each for each in answer.intents if isinstance(each, RunSmoke)]
    assert answer.status.release is not None
    assert answer.status.release.checked


def test_a_failure_goes_back_in_one_write() -> None:
    answer = planned(SmokeResult(REVISION, False, "/predict answered 500", after_switch=True))
    assert answer.status.rejected is not None
    assert answer.status.rejected.message == "/predict answered 500 after the switch"
    assert answer.status.stable is not None
    assert answer.status.stable.revision == BEFORE

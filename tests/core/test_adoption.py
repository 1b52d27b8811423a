"""When an adopted Deployment may go: only once the version that took its place surely serves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import ReleaseRecord, Status, VersionStatus
from headgate.core.adoption import SECONDS_AFTER_RELEASE
from headgate.core.intents import RemoveAdopted, SetTraffic
from headgate.core.observation import (
    NO_DEPLOYMENT,
    LiveService,
    Observation,
    Pod,
    Workload,
)
from headgate.core.plan import plan
from headgate.core.timing import to_text

NOW = 1_700_000_000.0
REVISION = "aaaa"
UID = "uid-of-old"
WRITTEN = {
    "adopt": True,
    "model": {"name": "fraud", "version": "2"},
    "replicas": 2,
    "template": {"spec": {"containers": [{"name": "server", "image": "f:2"}]}},
}


def at_rest(released_ago: float = SECONDS_AFTER_RELEASE) -> Observation:
    """The first version serves, and what it took the place of is still there."""
    record = ReleaseRecord(
        version="2", revision=REVISION, outcome="Promoted", finished=to_text(NOW - released_ago)
    )
    status = Status(stable=VersionStatus(revision=REVISION, version="2"), releases=[record])
    return Observation(
        namespace="risk",
        name="fraud",
        generation=1,
        spec=ModelDeploymentSpec.model_validate(WRITTEN),
        revision=REVISION,
        status=status,
        workloads=(Workload(REVISION, 2),),
        pods=(Pod("a", REVISION, ready=True), Pod("b", REVISION, ready=True)),
        live=LiveService(REVISION, stable=REVISION, adopted=UID),
        roles={"stable": REVISION, "candidate": "none"},
    )


def test_it_is_deleted_and_then_forgotten_in_this_order() -> None:
    answer = plan(at_rest(), NOW)
    assert answer.intents[-2:] == (
        RemoveAdopted(UID),
        SetTraffic(REVISION, stable=REVISION, adopted=NO_DEPLOYMENT),
    )


def test_the_pass_before_says_when_to_look_again() -> None:
    answer = plan(at_rest(released_ago=4.0), NOW)
    assert RemoveAdopted(UID) not in answer.intents
    assert answer.requeue_after == SECONDS_AFTER_RELEASE - 4.0


LIVE = at_rest().live
assert LIVE is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"pods": (Pod("a", REVISION, ready=True), Pod("b", REVISION, ready=False))},
        {"pods": ()},
        {"live": replace(LIVE, revision=None)},
        {"live": replace(LIVE, revision="none")},
        {"live": replace(LIVE, intact=False)},
        {"live": replace(LIVE, adopted=NO_DEPLOYMENT)},
        {"live": replace(LIVE, adopted=None)},
        {"live": None},
        {"spec": ModelDeploymentSpec.model_validate({**WRITTEN, "suspend": True})},
        {
            "spec": ModelDeploymentSpec.model_validate({**WRITTEN, "replicas": 0}),
            "pods": (),
            "workloads": (Workload(REVISION, 0),),
        },
        {"revision": "another"},
        {"conflict": "Service fraud-stable belongs to another one."},
    ],
    ids=[
        "a pod is not ready",
        "no pod is there",
        "the Service is widened",
        "the Service selects nothing",
        "the Service was edited by hand",
        "it is gone already",
        "nothing was adopted",
        "the Service is gone",
        "everything is suspended",
        "nothing is to serve",
        "another version is asked for",
        "there is a conflict",
    ],
)
def test_it_stays(changes: dict[str, Any]) -> None:
    answer = plan(replace(at_rest(), **changes), NOW)
    assert not any(isinstance(each, RemoveAdopted) for each in answer.intents)


def test_adopt_taken_out_of_the_spec_forgets_nothing() -> None:
    spec = ModelDeploymentSpec.model_validate({**WRITTEN, "adopt": False})
    assert RemoveAdopted(UID) in plan(replace(at_rest(), spec=spec), NOW).intents

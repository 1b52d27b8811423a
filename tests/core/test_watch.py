"""The watch after a promotion ends on what was counted in it, not on the clock."""

from __future__ import annotations

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Release, Status, VersionStatus
from headgate.core.intents import Plan
from headgate.core.observation import LiveService, Observation, Pod, Workload
from headgate.core.plan import plan
from headgate.core.revision import revision_of
from headgate.core.timing import to_text
from headgate.judge import PodCounters, Sample, begin

NOW = 1_700_000_000.0
INTERVAL, WATCH = 30.0, 40.0
SPEC = resolve(
    ModelDeploymentSpec.model_validate(
        {
            "model": {"name": "fraud", "version": "2"},
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": "server", "image": "fraud:2"}]}},
            "strategy": {"type": "BlueGreen", "blueGreen": {"hold": "1s"}},
            "analysis": {"interval": f"{INTERVAL:.0f}s", "rules": {"errorRate": {"max": 0.05}}},
            "watch": {"duration": f"{WATCH:.0f}s"},
        }
    )
)
REVISION = revision_of(SPEC)


def first_poll_after_an_hour_away(requests: float | None) -> Plan:
    """The operator was killed right after the switch, before any counts were stored."""
    release = Release(
        revision=REVISION, version="2", stage="Watching", smoked=True, kept=1, weight=100
    ).model_copy(
        update={
            "step_started": to_text(NOW - 3600.0),
            "step": 1,
            "settled": True,
            "evidence": begin(NOW - 3600.0, None).to_dict(),
        }
    )
    status = Status(
        stable=VersionStatus(revision=REVISION, version="2"),
        previous=VersionStatus(revision="before", version="1"),
        release=release,
    )
    pods = {} if requests is None else {"new": PodCounters(requests, requests / 2)}
    observation = Observation(
        namespace="risk",
        name="fraud",
        generation=2,
        spec=SPEC,
        revision=REVISION,
        status=status,
        workloads=(Workload("before", 1), Workload(REVISION, 1)),
        pods=(Pod("old", "before", ready=True), Pod("new", REVISION, ready=True)),
        live=LiveService(REVISION, stable=REVISION, previous="before"),
        sample=Sample(NOW, pods),
    )
    return plan(observation, NOW)


def test_a_poll_that_only_tells_where_counters_stand_ends_no_watch() -> None:
    answer = first_poll_after_an_hour_away(requests=5000.0)
    assert answer.status.release is not None
    assert answer.status.release.stage == "Watching"
    assert "no poll has counted" in answer.status.message


def test_a_version_that_nobody_has_called_is_released_unjudged() -> None:
    answer = first_poll_after_an_hour_away(requests=None)
    assert answer.status.release is None
    assert answer.status.releases[-1].outcome == "Promoted"

"""The watch after a promotion ends on what was counted in it, not on the clock; and what a version
was is not forgotten when it is taken back."""

from __future__ import annotations

from dataclasses import replace

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.intents import MarkRevision, Plan
from headgate.core.observation import KnownRevision, SmokeResult
from headgate.core.plan import plan
from headgate.core.revision import revision_of
from headgate.judge import PodCounters, Sample, begin
from tests.core.observations import BEFORE, NOW, watched

INTERVAL, WATCH, AWAY = 30.0, 40.0, 3600.0
SPEC = resolve(
    ModelDeploymentSpec.model_validate(
        {
            "model": {"name": "fraud", "version": "2"},
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": "server", "image": "fraud:2"}]}},
            "strategy": {"type": "BlueGreen", "blueGreen": {"checkAfterSwitch": True}},
            "analysis": {"interval": f"{INTERVAL:.0f}s", "rules": {"errorRate": {"max": 0.05}}},
            "watch": {"duration": f"{WATCH:.0f}s"},
        }
    )
)
REVISION = revision_of(SPEC)


def first_poll_after_an_hour_away(requests: float | None) -> Plan:
    """The operator was killed right after the switch, before any counts were stored."""
    evidence = begin(NOW - AWAY, None).to_dict()
    pods = {} if requests is None else {"new": PodCounters(requests, requests / 2)}
    seen = watched(SPEC, since=AWAY, settled=True, checked=True, evidence=evidence)
    return plan(replace(seen, sample=Sample(NOW, pods)), NOW)


def test_a_poll_that_only_tells_where_counters_stand_ends_no_watch() -> None:
    answer = first_poll_after_an_hour_away(requests=5000.0)
    assert answer.status.release is not None
    assert answer.status.release.stage == "Watching"
    assert "no poll has counted" in answer.status.message


def test_a_version_that_nobody_has_called_is_released_unjudged_after_a_watch_of_polls() -> None:
    answer, now = first_poll_after_an_hour_away(requests=None), NOW
    for _ in range(2):
        assert answer.status.release is not None
        assert answer.status.release.stage == "Watching"
        now += INTERVAL
        seen = watched(SPEC, since=AWAY, settled=True, checked=True)
        evidence = answer.status.release.evidence
        release = seen.status.release
        assert release is not None
        status = seen.status.model_copy(
            update={"release": release.model_copy(update={"evidence": evidence})}
        )
        answer = plan(replace(seen, status=status, sample=Sample(now, {})), now)
    assert answer.status.release is None
    assert answer.status.releases[-1].outcome == "Promoted"


def test_a_version_taken_back_is_marked_as_once_stable_though_that_write_had_failed() -> None:
    seen = replace(
        watched(SPEC),
        revisions=(
            KnownRevision(BEFORE, "1", 1, once_stable=True),
            KnownRevision(REVISION, "2", 2, once_stable=False),
        ),
        smoke=SmokeResult(REVISION, False, "/predict answered 500", after_switch=True),
    )
    marks = [each for each in plan(seen, NOW).intents if isinstance(each, MarkRevision)]
    assert marks == [
        MarkRevision(REVISION, once_stable=True),
        MarkRevision(REVISION, rejected=True),
    ]


def test_the_status_has_the_query_also_before_a_new_process_has_asked() -> None:
    asked = replace(watched(SPEC), sample=Sample(NOW, {"new": PodCounters(10)}, query="up"))
    status = plan(asked, NOW).status
    assert status.analysis is not None
    assert status.analysis.query == "up"
    after = plan(replace(asked, status=status, sample=None), NOW + 1).status
    assert after.analysis is not None
    assert after.analysis.query == "up"
    long = plan(replace(asked, sample=Sample(NOW, query="x" * 5000)), NOW).status
    assert long.analysis is not None
    assert long.analysis.query == ""

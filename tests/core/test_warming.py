"""What the planner says and does about pods that have to get warm; whole stories of it are told in
tests/golden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Rejection, Release, Status
from headgate.core.intents import Plan, SetWarm, WarmUp
from headgate.core.observation import (
    Gate,
    KnownRevision,
    LiveService,
    Observation,
    Pod,
    Warming,
    Workload,
)
from headgate.core.plan import plan
from headgate.core.revision import revision_of
from headgate.core.timing import to_text
from headgate.core.warming import COLD_AFTER
from tests.golden.story import manifest

NOW = 1_700_000_000.0
SLOW = Warming(None, "POST /predict took too long")


def at_rest(*gates: Gate | None, warm_up: bool = True, replicas: int = 4) -> Observation:
    """A version that serves, with one pod for each gate; None is a pod that is warm long since."""
    smoke: dict[str, Any] = {"warmUp": {"requests": [{}]}} if warm_up else {}
    written = manifest("1", replicas=replicas, smoke=smoke)
    spec = resolve(ModelDeploymentSpec.model_validate(written))
    revision = revision_of(spec)
    long_since = Gate(0.0, True, 0.0)
    seen = Observation(
        namespace="risk",
        name="fraud",
        generation=1,
        spec=spec,
        revision=revision,
        status=Status(),
        workloads=(Workload(revision, replicas),),
        pods=tuple(
            Pod(f"pod-{number}", revision, ready=gate is None, gate=gate or long_since)
            for number, gate in enumerate(gates)
        ),
        live=LiveService(revision, stable=revision),
        roles={"stable": revision, "candidate": "none"},
        revisions=(KnownRevision(revision, "1", 1, once_stable=True, warm_up=300.0),),
    )
    return replace(seen, status=plan(seen, NOW).status)


def warm_ups(answer: Plan) -> list[WarmUp | SetWarm]:
    return [each for each in answer.intents if isinstance(each, WarmUp | SetWarm)]


def test_pods_whose_containers_run_are_asked_once() -> None:
    seen = at_rest(None, None, None, Gate(NOW), Gate())
    assert warm_ups(plan(seen, NOW)) == [WarmUp(("pod-3",))]
    again = replace(seen, warming={"pod-3": Warming()})
    assert warm_ups(plan(again, NOW)) == []


def test_the_status_says_what_is_warmed_up_and_what_it_answered() -> None:
    seen = replace(at_rest(None, None, None, Gate(NOW)), warming={"pod-3": SLOW})
    assert plan(seen, NOW).status.message == (
        "1 serves with 3 of 4 pods ready. Warming up 1 of 4 pods of 1: POST /predict took too long."
    )


def test_a_pod_of_a_version_that_serves_is_let_in_when_its_warm_up_failed() -> None:
    failed = Warming(False, "not warm within 5m")
    seen = replace(at_rest(None, None, None, Gate(NOW)), warming={"pod-3": failed})
    answer = plan(seen, NOW)
    (write,) = warm_ups(answer)
    assert isinstance(write, SetWarm)
    assert (write.pod, write.warm, write.reason) == ("pod-3", True, "Cold")
    assert [(note.reason, note.warning) for note in answer.notes] == [("ServesCold", True)]


def test_an_operator_that_starts_anew_time_and_again_keeps_no_pod_out_for_ever() -> None:
    seen = replace(at_rest(None, None, None, Gate(NOW)), warming={"pod-3": SLOW})
    assert warm_ups(plan(seen, NOW + 599)) == []
    (write,) = warm_ups(plan(seen, NOW + 600))
    assert isinstance(write, SetWarm)
    assert write.reason == "Cold"


@pytest.mark.parametrize(("ready", "let_in"), [(1, True), (2, False)])
def test_cold_pods_are_let_in_soon_where_stable_is_below_the_floor(
    ready: int, let_in: bool
) -> None:
    gates = [None if number < ready else Gate(NOW) for number in range(4)]
    cold = {f"pod-{number}": SLOW for number in range(ready, 4)}
    seen = replace(at_rest(*gates), warming=cold)
    early = plan(seen, NOW + 4)
    assert warm_ups(early) == []
    assert early.requeue_after == (COLD_AFTER - 4 if let_in else None)
    late = warm_ups(plan(seen, NOW + COLD_AFTER))
    assert [isinstance(each, SetWarm) and each.warm for each in late] == [True] * (
        (4 - ready) if let_in else 0
    )


@pytest.mark.parametrize(("reason", "let_in"), [("high_error_rate", True), ("Aborted", False)])
def test_only_a_bad_version_is_not_kept_waiting_for_warm_pods(reason: str, let_in: bool) -> None:
    seen = at_rest(None, None, None, Gate(NOW))
    leaving = Release(revision="other", version="2", stage="Reverting", decided=to_text(NOW))
    rejected = Rejection(revision="other", version="2", reason=reason)
    seen = replace(
        seen,
        status=seen.status.model_copy(update={"release": leaving, "rejected": rejected}),
        workloads=(*seen.workloads, Workload("other", 2)),
        live=LiveService(None, stable=seen.revision, rejected="other"),
        warming={"pod-3": SLOW},
    )
    written = warm_ups(plan(seen, NOW + COLD_AFTER))
    assert [isinstance(each, SetWarm) and each.reason for each in written] == ["Cold"] * let_in


def test_a_pod_with_a_gate_and_nothing_to_be_asked_is_let_in_at_once() -> None:
    (write,) = warm_ups(plan(at_rest(None, None, None, Gate(NOW), warm_up=False), NOW))
    assert isinstance(write, SetWarm)
    assert (write.warm, write.reason) == (True, "NoWarmUp")


def test_one_sentence_is_said_when_the_last_pod_is_warm() -> None:
    warm = Warming(True, "fast")
    seen = at_rest(None, None, Gate(NOW), Gate(NOW))
    one = plan(replace(seen, warming={"pod-2": warm, "pod-3": SLOW}), NOW)
    assert [note.reason for note in one.notes] == []
    both = plan(replace(seen, warming={"pod-2": warm, "pod-3": warm}), NOW)
    assert [note.message for note in both.notes] == ["4 pods are warm (1): fast"]


def test_terminating_pods_and_strangers_are_left_alone() -> None:
    seen = at_rest(None, None, None, None)
    pods = (
        Pod("going", seen.revision, ready=False, terminating=True, gate=Gate(NOW)),
        Pod("stranger", "other", ready=False, gate=Gate(NOW)),
    )
    assert warm_ups(plan(replace(seen, pods=(*seen.pods, *pods)), NOW)) == []

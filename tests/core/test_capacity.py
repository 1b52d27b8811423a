"""From any split of pods to any other, pass by pass: the limits that hold on the way, and that it
arrives. The cluster here is the least one: pods appear ready, and leave one pass later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Release, Status, VersionStatus
from headgate.core.desire import desire
from headgate.core.observation import LiveService, Observation, Pod, Workload
from headgate.core.settings import ready_floor_of, surge_of, unavailable_of
from headgate.core.state import State
from headgate.core.timing import to_text

NOW = 1_700_000_000.0


def spec(replicas: int, weights: list[int], **strategy: Any) -> ModelDeploymentSpec:
    steps = [{"weight": weight, "hold": "1m"} for weight in weights]
    canary = {"canary": {"steps": steps}} if steps else {}
    manifest = {
        "model": {"name": "fraud", "version": "2"},
        "replicas": replicas,
        "template": {"spec": {"containers": [{"name": "server", "image": "fraud:2"}]}},
        "strategy": {"type": "Canary", **canary, **strategy},
    }
    return resolve(ModelDeploymentSpec.model_validate(manifest))


@dataclass
class Cluster:
    """Pods of both sides by what the planner wants; what is taken away lasts one pass longer."""

    spec: ModelDeploymentSpec
    stage: str
    step: int
    widened: bool = True
    wanted: dict[str, int] = field(default_factory=dict)
    leaving: dict[str, int] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    running: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)

    def state(self) -> State:
        pods = [
            Pod(
                f"{side}-{number}",
                side,
                ready=side not in self.waiting and number < count,
                terminating=number >= count,
                created=NOW,
                waiting="Unschedulable" if side in self.waiting else "",
            )
            for side in ("stable", "candidate")
            for count in [self.wanted.get(side, 0)]
            for number in range(count + self.leaving.get(side, 0))
        ]
        release = Release(
            revision="candidate", stage=self.stage, step=self.step, settled=True, smoked=True
        )
        seen = Observation(
            namespace="risk",
            name="fraud",
            generation=1,
            spec=self.spec,
            revision="candidate",
            status=Status(stable=VersionStatus(revision="stable"), release=release),
            workloads=tuple(Workload(side, count) for side, count in self.wanted.items()),
            pods=tuple(pods),
            live=LiveService(None if self.widened else "stable", stable="stable"),
        )
        release = release.model_copy(update={"decided": to_text(NOW)})
        return State(seen=seen, now=NOW, stable="stable", release=release)

    def go(self) -> int:
        """One pass; the number of pods that serve after it."""
        state = self.state()
        desired = desire(state)
        self.widened = desired.traffic is None
        before, still_there = dict(self.wanted), sum(self.leaving.values())
        self.wanted = dict(desired.replicas)
        self.leaving = {
            side: max(0, count - self.wanted.get(side, 0)) for side, count in before.items()
        }
        self.running.append(sum(self.wanted.values()))
        self.totals.append(self.running[-1] + sum(self.leaving.values()) + still_there)
        serving = [side for side in self.wanted if side not in self.waiting]
        if not self.widened:
            serving = [side for side in serving if side == desired.traffic]
        return sum(self.wanted[side] for side in serving)

    def settle(self) -> list[int]:
        """Passes until nothing changes; how many pods served after each."""
        served = []
        for _ in range(300):
            before = (dict(self.wanted), any(self.leaving.values()), self.widened)
            served.append(self.go())
            if before == (self.wanted, any(self.leaving.values()), self.widened):
                return served
        raise AssertionError(f"it never settles: {self.wanted}")


pods = st.integers(min_value=2, max_value=12)
weight = st.integers(min_value=1, max_value=99)


@settings(max_examples=150, deadline=None)
@given(pods, weight, weight, st.integers(0, 3), st.integers(0, 3))
def test_between_any_two_weights_no_pod_is_too_many_and_none_missing(
    replicas: int, one: int, other: int, surge: int, unavailable: int
) -> None:
    unavailable = unavailable if surge else max(1, unavailable)
    unavailable = min(unavailable, replicas - 1)
    of = spec(replicas, [one, other], maxSurge=surge, maxUnavailable=unavailable)
    cluster = Cluster(of, "Stepping", 0)
    first, second = (step.split for step in cluster.state().steps[:2])
    cluster.wanted = {"stable": first.stable, "candidate": first.candidate}
    cluster.step = 1
    served = cluster.settle()
    assert cluster.wanted == {"stable": second.stable, "candidate": second.candidate}
    assert min(served) >= replicas - unavailable_of(of)
    # Pods that were told to stop do not count, as in a Deployment.
    assert max(cluster.running) <= replicas + surge_of(of)


@settings(max_examples=150, deadline=None)
@given(pods, weight, weight, st.one_of(st.none(), st.integers(0, 12)))
def test_swapping_between_any_two_weights_never_has_more_pods_than_replicas(
    replicas: int, one: int, other: int, floor: int | None
) -> None:
    strategy: dict[str, Any] = {} if floor is None else {"readyFloor": floor}
    of = spec(replicas, [one, other], capacity="Swap", **strategy)
    cluster = Cluster(of, "Stepping", 0)
    first, second = (step.split for step in cluster.state().steps[:2])
    cluster.wanted = {"stable": first.stable, "candidate": first.candidate}
    cluster.step = 1
    served = cluster.settle()
    assert cluster.wanted == {"stable": second.stable, "candidate": second.candidate}
    assert max(cluster.totals) <= replicas
    assert min(served) >= ready_floor_of(of)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(min_value=1, max_value=12),
    st.one_of(st.none(), st.integers(0, 12)),
    st.sampled_from(["Canary", "BlueGreen", "Rolling"]),
)
def test_swapping_goes_from_all_stable_to_all_candidate_and_never_deadlocks(
    replicas: int, floor: int | None, kind: str
) -> None:
    strategy: dict[str, Any] = {} if floor is None else {"readyFloor": floor}
    manifest = spec(replicas, [], capacity="Swap", **strategy, type=kind)
    cluster = Cluster(manifest, "Starting", 0, widened=False)
    cluster.wanted = {"stable": replicas, "candidate": 0}
    served = cluster.settle()
    for index, step in enumerate(cluster.state().steps[:-1]):
        cluster.stage, cluster.step = "Stepping", index
        served += cluster.settle()
        assert cluster.wanted == {"stable": step.split.stable, "candidate": step.split.candidate}
    cluster.stage, cluster.step = "Promoting", len(cluster.state().steps) - 1
    served += cluster.settle()
    assert cluster.wanted == {"stable": 0, "candidate": replicas}
    assert max(cluster.totals) <= replicas
    assert min(served) >= ready_floor_of(manifest)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(min_value=1, max_value=12),
    st.integers(min_value=0, max_value=12),
    st.booleans(),
    st.booleans(),
)
def test_a_revert_while_swapping_brings_stable_back_from_any_split(
    replicas: int, candidates: int, dead: bool, widened: bool
) -> None:
    candidates = min(candidates, replicas)
    of = spec(replicas, [], capacity="Swap", type="Rolling")
    cluster = Cluster(of, "Reverting", 0, widened=widened or candidates == replicas)
    cluster.wanted = {"stable": replicas - candidates, "candidate": candidates}
    cluster.waiting = frozenset({"candidate"}) if dead else frozenset()
    cluster.settle()
    assert cluster.wanted == {"stable": replicas}
    assert not cluster.widened
    assert max(cluster.totals) <= replicas


@pytest.mark.parametrize(
    ("replicas", "strategy", "floor"),
    [
        (1, {}, 0),
        (4, {}, 3),
        (4, {"maxUnavailable": 2}, 2),
        (4, {"readyFloor": "50%"}, 2),
        (4, {"readyFloor": "100%"}, 3),
        (4, {"readyFloor": 0}, 0),
        (0, {}, 0),
    ],
)
def test_the_ready_floor_leaves_at_least_one_pod_to_be_swapped(
    replicas: int, strategy: dict[str, Any], floor: int
) -> None:
    assert ready_floor_of(spec(replicas, [50], capacity="Swap", **strategy)) == floor

"""The checks of this directory fire: each of them on a planner that was broken on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from hack.cluster import Cluster
from headgate.core import adoption, advancing, desire, difference, keeping, recovery
from headgate.core.intents import SetTraffic
from headgate.core.observation import Observation
from headgate.core.state import State
from headgate.core.weights import Split
from headgate.render import service
from tests.faults.arena import arena
from tests.faults.killing import Kill, Position
from tests.faults.points import Point
from tests.faults.stories import Act, Story, story

LINGERING = Story("Canary", "superseded", (Act("2.0.0-lingering"), Act("3.0.0", "under way")))


@pytest.fixture
def broken() -> Iterator[ExitStack]:
    """Where a test enters its patches of the planner."""
    with ExitStack() as stack:
        yield stack


async def noticed(cluster: Cluster, of: Story, sentence: str, kill: Kill | None = None) -> bool:
    """Whether the checks say that of a story."""
    async with arena(cluster.kubeconfig) as place:
        found = await Point(place, of, kill, longest=25, sought=sentence).run()
    assert found.wrong, "nothing was noticed"
    return any(sentence in each for each in found.wrong)


async def noticed_after_a_kill(cluster: Cluster, of: Story, write: str, sentence: str) -> bool:
    """Whether they say so when the operator is killed after the last write of that kind."""
    async with arena(cluster.kubeconfig) as place:
        undisturbed = await Point(place, of, longest=25).run()
    numbers = [n for n, each in enumerate(undisturbed.writes, start=1) if each == write]
    assert numbers, undisturbed.writes
    return await noticed(cluster, of, sentence, Kill(numbers[-1], Position.AFTER))


async def test_the_unbroken_planner_passes(established_crd: Cluster) -> None:
    async with arena(established_crd.kubeconfig) as place:
        for of in (LINGERING, story("BlueGreen", "bad"), story("Canary", "adopted")):
            assert (await Point(place, of, longest=25).run()).wrong == []


async def test_widening_without_looking_for_strangers_is_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    broken.enter_context(patch.object(Observation, "strangers", lambda *_: ()))
    assert await noticed(established_crd, LINGERING, "reaches 1.0.0 and 2.0.0-lingering and 3.0.0")


async def test_traffic_before_the_smoke_checks_is_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    broken.enter_context(patch.object(advancing, "smoke", lambda state: state.proceed(smoked=True)))
    assert await noticed(
        established_crd, story("Canary", "smoke fails"), "reaches 2.0.0-unwell, which is unchecked"
    )


async def test_an_adopted_service_that_points_to_nobody_is_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    right = adoption.inherits

    def only_at_first(state: State) -> bool:
        return right(state) and state.seen.live is None

    broken.enter_context(patch.object(desire, "inherits", only_at_first))
    adopted = story("Canary", "adopted")
    assert await noticed(established_crd, adopted, "what was adopted has no ready pod any more")


async def test_pinning_before_anybody_is_ready_is_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    broken.enter_context(
        patch.object(desire, "_traffic", lambda state: state.candidate or state.stable)
    )
    assert await noticed(
        established_crd, story("BlueGreen", "good"), "pointed at 2.0.0, which has no ready pod"
    )


async def test_decisions_that_are_not_on_the_service_are_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    live = service.live

    def silent(address: Any, revision: Any, ports: Any, _: Any, *more: Any) -> Any:
        return live(address, revision, ports, {}, *more)

    broken.enter_context(patch.object(service, "live", silent))
    broken.enter_context(patch.object(difference, "_traffic", only_where_it_points))
    assert await noticed_after_a_kill(
        established_crd,
        story("Canary", "bad"),
        "apply Service fraud",
        "2.0.0-failing gets traffic again",
    )


def only_where_it_points(state: State, desired: desire.Desire) -> list[Any]:
    """As `difference._traffic`, but content with a Service that carries no decision."""
    live = state.seen.live
    if live is not None and live.revision == desired.traffic:
        return []
    return [SetTraffic(desired.traffic, stable=state.stable)]


async def test_a_rejection_forgotten_by_the_next_process_is_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    broken.enter_context(patch.object(recovery, "_adopt_rejection", lambda state: state))
    assert await noticed_after_a_kill(
        established_crd,
        story("Canary", "bad"),
        "apply Service fraud",
        "2.0.0-failing gets traffic again",
    )


async def test_trying_a_rejected_version_again_is_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    for place in ("headgate.core.lifecycle.refused", "headgate.core.report.refused"):
        broken.enter_context(patch(place, lambda _: False))
    assert await noticed(
        established_crd, story("Canary", "smoke fails"), "2.0.0-unwell is rejected and gets"
    )


async def test_more_candidate_pods_than_the_step_has_are_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    next_pods = desire._next_pods

    def greedy(state: State) -> Split:
        pods, live = next_pods(state), state.seen.live
        shared = state.stable is not None and live is not None and live.revision is None
        return Split(pods.stable, 6) if shared else pods

    broken.enter_context(patch.object(desire, "_next_pods", greedy))
    assert await noticed(
        established_crd, story("Canary", "good"), "the candidate has 75.0 % of the pods"
    )


async def test_a_release_that_goes_back_is_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    recover = recovery.recover

    def forgetful(seen: Observation, now: float) -> State:
        state = recover(seen, now)
        if state.release is not None and state.release.step == 1:
            return state.proceed(step=0, stage="Stepping")
        return state

    broken.enter_context(patch("headgate.core.plan.recover", forgetful))
    assert await noticed(
        established_crd, story("Canary", "good"), "the release went back from (1, 1) to (1, 0)"
    )


async def test_a_previous_version_without_pods_is_noticed(
    established_crd: Cluster, broken: ExitStack
) -> None:
    broken.enter_context(patch.object(keeping, "kept_of", lambda _: 0))
    assert await noticed(
        established_crd, story("BlueGreen", "good"), "1.0.0 is kept to go back to, without a pod"
    )


async def test_writing_on_and_on_is_noticed(established_crd: Cluster, broken: ExitStack) -> None:
    traffic = difference._traffic

    def restless(state: State, desired: desire.Desire) -> list[Any]:
        if state.release is None:
            state = state.change(seen=replace(state.seen, live=None))
        return traffic(state, desired)

    broken.enter_context(patch.object(difference, "_traffic", restless))
    assert await noticed(established_crd, story("BlueGreen", "good"), "apply Service fraud")

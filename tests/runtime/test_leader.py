"""The lease held, lost, released and taken over, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

import pytest

from headgate.kube.client import LEASE, Kind, NotLeader, Object, Unavailable
from headgate.runtime.leader import Leader, lease_body
from headgate.runtime.leadership import Timing
from tests.runtime.fakes import FakeServer
from tests.runtime.virtual import run_at_once

TIMING = Timing()
KEY = ("Lease", "ours", "headgate")


def at_once(story: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an asynchronous test in virtual time."""

    @wraps(story)
    def run(*arguments: Any, **named: Any) -> None:
        run_at_once(story(*arguments, **named))

    return run


class Server(FakeServer):
    """The API server; `cut` is the time from which on no request is answered, `lost` the requests
    that are carried out without an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = float("inf")
        self.lost: list[str] = []

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        await self._reach()
        return await super().get(kind, namespace, name)

    async def create(self, body: Object) -> Object:
        await self._reach()
        return await self._answer("create", await super().create(body))

    async def replace(self, body: Object) -> Object:
        await self._reach()
        return await self._answer("replace", await super().replace(body))

    @property
    def holder(self) -> str:
        return str(self.objects[KEY]["spec"]["holderIdentity"])

    async def _reach(self) -> None:
        await asyncio.sleep(0.01)
        if asyncio.get_running_loop().time() >= self.cut:
            await asyncio.sleep(3600)

    async def _answer(self, verb: str, answer: Object) -> Object:
        if verb in self.lost:
            self.lost.remove(verb)
            raise Unavailable("the answer was lost")
        return answer


@asynccontextmanager
async def running(
    server: Server, identity: str
) -> AsyncIterator[tuple[Leader, asyncio.Task[None]]]:
    clock = asyncio.get_running_loop().time
    leader = Leader(server, "ours", "headgate", TIMING, identity=identity, clock=clock)
    task = asyncio.create_task(leader.run())
    yield leader, task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def lost(task: asyncio.Task[None]) -> str:
    """Why a leader stopped."""
    with pytest.raises(NotLeader) as raised:
        await asyncio.wait_for(task, 60)
    return str(raised.value)


@at_once
async def test_one_leads_for_good_and_the_other_stands_by() -> None:
    server = Server()
    async with running(server, "a") as (first, _), running(server, "b") as (second, _):
        await asyncio.wait_for(first.elected.wait(), 1)
        for _ in range(100):
            await asyncio.sleep(1)
            assert first.remaining() > TIMING.deadline - TIMING.retry - 1
            assert not second.leads
        with pytest.raises(NotLeader):
            second.remaining()
    renewals = [call for call in server.calls if call[0] == "replace"]
    assert 45 <= len(renewals) <= 51, "a renewal every two seconds, and no request beside it"
    assert [call[0] for call in server.calls].count("get") <= 55


@at_once
async def test_a_released_lease_is_taken_within_two_seconds() -> None:
    server = Server()
    async with running(server, "a") as (first, task), running(server, "b") as (second, _):
        await asyncio.sleep(30)
        first.leave()
        await asyncio.wait_for(task, 0.5)
        assert not first.leads
        assert server.holder == ""
        await asyncio.wait_for(second.elected.wait(), TIMING.retry + 0.1)
        assert server.holder == "b"
        assert server.objects[KEY]["spec"]["leaseTransitions"] == 1


@at_once
async def test_a_lease_whose_holder_died_is_taken_when_it_has_run_out() -> None:
    server = Server()
    async with running(server, "b") as (second, _):
        server.put(lease_body({}, "ours", "headgate", "a", 15, 0.0))
        await asyncio.sleep(14.9)
        assert not second.leads
        await asyncio.wait_for(second.elected.wait(), TIMING.retry + 1)


@at_once
async def test_who_stands_by_leaves_at_once_and_touches_nothing() -> None:
    server = Server()
    async with running(server, "a"), running(server, "b") as (second, task):
        await asyncio.sleep(30)
        second.leave()
        await asyncio.wait_for(task, 0.5)
        assert server.holder == "a"


@pytest.mark.parametrize(
    ("done", "why"),
    [
        (lambda server: server.remove("Lease", "headgate", "ours"), "has been deleted"),
        (
            lambda server: server.put(lease_body({}, "ours", "headgate", "thief", 15, 0.0)),
            "thief has taken the lease",
        ),
        (
            lambda server: server.put(lease_body({}, "ours", "headgate", "", 15, 0.0)),
            "has been emptied",
        ),
    ],
)
@at_once
async def test_a_lease_that_is_taken_away_by_hand_stops_the_leader(
    done: Callable[[Server], object], why: str
) -> None:
    server = Server()
    async with running(server, "a") as (leader, task):
        await asyncio.sleep(30)
        done(server)
        assert why in await asyncio.wait_for(lost(task), TIMING.retry + 0.5)
        with pytest.raises(NotLeader):
            leader.remaining()


@at_once
async def test_a_label_on_the_lease_is_no_loss() -> None:
    server = Server()
    async with running(server, "a") as (leader, _):
        await asyncio.sleep(30)
        labelled = server.objects[KEY]
        labelled["metadata"]["labels"] = {"team": "risk"}
        server.put(labelled)
        await asyncio.sleep(60)
        assert leader.leads
        assert server.objects[KEY]["metadata"]["labels"] == {"team": "risk"}


@at_once
async def test_cut_off_from_the_api_server_the_leader_stops_before_another_one_may_begin() -> None:
    server = Server()
    async with running(server, "a") as (leader, task):
        await asyncio.sleep(30)
        clock = asyncio.get_running_loop().time
        server.cut = clock()
        await asyncio.sleep(TIMING.deadline + 0.1)
        assert not leader.leads
        assert "could not be renewed for 10 s" in await asyncio.wait_for(lost(task), 0.1)
        assert clock() < server.cut + TIMING.duration - TIMING.retry


@at_once
async def test_a_short_brown_out_is_no_loss() -> None:
    server = Server()
    async with running(server, "a") as (leader, _):
        await asyncio.sleep(30)
        server.faults["replace", "Lease", "headgate"] = [Unavailable("500")] * 3
        await asyncio.sleep(30)
        assert leader.leads
        server.lost = ["replace"]
        await asyncio.sleep(30)
        assert leader.leads


@at_once
async def test_a_lost_answer_to_the_first_request_does_not_cost_the_leadership() -> None:
    server = Server()
    server.lost = ["create"]
    async with running(server, "a") as (leader, _):
        await asyncio.wait_for(leader.elected.wait(), 2 * TIMING.retry + 1)


@at_once
async def test_a_lost_answer_to_the_release_still_ends_the_process() -> None:
    server = Server()
    async with running(server, "a") as (leader, task):
        await asyncio.sleep(30)
        server.lost = ["replace"]
        leader.leave()
        await asyncio.wait_for(task, 2 * TIMING.retry + 1)
        assert server.holder == ""


def test_the_lease_says_who_took_it_when_and_keeps_what_it_does_not_know() -> None:
    body = lease_body({}, "ours", "headgate", "a", 14.2, 1_795_428_000.5)
    assert body["metadata"] == {"namespace": "ours", "name": "headgate"}
    assert body["spec"] == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-11-23T10:00:00.500000Z",
        "renewTime": "2026-11-23T10:00:00.500000Z",
        "leaseTransitions": 0,
    }
    body["metadata"]["resourceVersion"] = "7"
    body["spec"]["strategy"] = "OldestEmulationVersion"
    renewed = lease_body(body, "ours", "headgate", "a", 15, 1_795_428_002.0)
    assert renewed["spec"]["acquireTime"] == "2026-11-23T10:00:00.500000Z"
    assert renewed["spec"]["renewTime"] == "2026-11-23T10:00:02.000000Z"
    assert renewed["spec"]["strategy"] == "OldestEmulationVersion"
    assert renewed["metadata"]["resourceVersion"] == "7"
    taken = lease_body(renewed, "ours", "headgate", "b", 15, 1_795_428_020.0)
    assert taken["spec"]["acquireTime"] == "2026-11-23T10:00:20.000000Z"
    assert taken["spec"]["leaseTransitions"] == 1


class Rough(Server):
    """Requests and answers that are late, and some that never come."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)

    async def _reach(self) -> None:
        await self._travel()

    async def _answer(self, verb: str, answer: Object) -> Object:
        await self._travel()
        return answer

    async def _travel(self) -> None:
        await asyncio.sleep(self.chance.choice([0.001, 0.05, self.chance.uniform(0, 8)]))
        if self.chance.random() < 0.1:
            raise Unavailable("lost")


@pytest.mark.parametrize("seed", range(20))
@at_once
async def test_on_a_rough_network_never_two_may_write(seed: int) -> None:
    server = Rough(seed)
    clock = asyncio.get_running_loop().time
    names = (f"process-{number}" for number in range(10_000))

    def born() -> tuple[Leader, asyncio.Task[None]]:
        identity = next(names)
        leader = Leader(server, "ours", "headgate", TIMING, identity=identity, clock=clock)
        return leader, asyncio.create_task(leader.run())

    processes = [born() for _ in range(3)]
    led: set[Leader] = set()
    while clock() < 900:
        await asyncio.sleep(0.1)
        leaders = [leader for leader, _ in processes if leader.leads]
        assert len(leaders) <= 1
        led.update(leaders)
        processes = [each if not each[1].done() else born() for each in processes]
        if leaders and server.chance.random() < 0.002:
            leaders[0].leave()
    assert len(led) > 1
    for _, task in processes:
        task.cancel()
    await asyncio.gather(*(task for _, task in processes), return_exceptions=True)
    assert LEASE.name in {call[1] for call in server.calls}

"""Two operators as they are run, on a real API server: one leads, and what becomes of a release
when it dies, stops, sleeps, is cut off or has the lease taken away."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from headgate.kube.client import DEPLOYMENT, LEASE, SERVICE
from tests.runtime.place import LEASE_SECONDS, Place
from tests.runtime.proxy import WATCH_TROUBLES, to_kopf


@pytest.mark.control_plane
async def test_a_killed_leaders_release_is_finished_by_the_other(place: Place) -> None:
    leader, other = await place.start_two()
    assert await other.probe("/readyz") == await other.probe("/healthz") == 200
    await place.serve_then_release("15s")
    assert other.proxy.writes(leases=True) == []
    leader.process.kill()
    killed = time.monotonic()
    await place.until(other.leads)
    assert time.monotonic() - killed > LEASE_SECONDS / 2
    await place.until_status(lambda status: status.get("phase") == "Reverted")
    status = await place.status()
    assert status["stable"]["version"] == "1"
    assert status["rejected"]["version"] == "2-silent"
    names = [
        each["metadata"]["name"] for each in await place.client.list(DEPLOYMENT, place.namespace)
    ]
    assert names == [f"fraud-{status['stable']['revision']}"]


@pytest.mark.control_plane
async def test_a_leader_that_is_told_to_stop_hands_over_at_once(place: Place) -> None:
    leader, other = await place.start_two()
    await place.serve_then_release()
    leader.process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    await place.until(other.leads)
    assert time.monotonic() - told < LEASE_SECONDS, "it waited for the lease to run out"
    assert await leader.exit_code() == 0
    await place.apply("1")
    await place.until_status(lambda status: status.get("phase") == "Stable")
    assert leader.proxy.writes()[-1].at < other.proxy.writes()[0].at
    assert (await place.lease())["spec"]["leaseTransitions"] == 1


@pytest.mark.control_plane
async def test_a_leader_that_slept_through_its_lease_writes_nothing_any_more(place: Place) -> None:
    leader, other = await place.start_two()
    await place.serve_then_release()
    leader.process.send_signal(signal.SIGSTOP)
    await place.until(other.leads)
    # So that the sleeper has something to do as soon as it wakes.
    await place.apply("3-silent")
    await place.until_status(
        lambda status: (status.get("candidate") or {}).get("version") == "3-silent"
    )
    written = len(leader.proxy.writes(leases=True))
    leader.process.send_signal(signal.SIGCONT)
    assert await leader.exit_code() == 1
    assert "leadership lost: the lease could not be renewed for 6 s" in leader.log
    assert len(leader.proxy.writes(leases=True)) == written
    assert other.process.returncode is None


@pytest.mark.control_plane
async def test_a_leader_that_is_cut_off_stops_before_the_other_begins(place: Place) -> None:
    leader, other = await place.start_two()
    await place.serve_then_release()
    leader.proxy.cut = True
    assert await leader.exit_code() == 1
    ended = time.monotonic()
    assert not other.leads()
    assert "leadership lost: the lease could not be renewed for 6 s" in leader.log
    await place.until(other.leads)
    assert other.proxy.writes(leases=True)[0].at > ended
    await place.apply("1")
    await place.until_status(lambda status: status.get("phase") == "Stable")
    service = await place.client.get(SERVICE, place.namespace, "fraud")
    stable = (await place.status())["stable"]["revision"]
    assert service["spec"]["selector"]["headgate.dev/revision"] == stable


async def steal(place: Place) -> None:
    await place.client.patch(
        LEASE, place.namespace, "headgate", {"spec": {"holderIdentity": "thief"}}
    )


async def delete(place: Place) -> None:
    await place.client.delete(LEASE, place.namespace, "headgate")


@pytest.mark.control_plane
@pytest.mark.parametrize(
    ("take_away", "why"),
    [(steal, "thief has taken the lease"), (delete, "the lease has been deleted")],
)
async def test_a_leader_whose_lease_is_taken_away_by_hand_stops(
    place: Place, take_away: Callable[[Place], Any], why: str
) -> None:
    leader = await place.start()
    await place.until(leader.leads)
    await place.serve_then_release()
    await take_away(place)
    assert await leader.exit_code() == 1
    assert (
        f"leadership lost: {why}" in leader.log or f"leadership lost: the lease {why}" in leader.log
    )


@pytest.mark.control_plane
async def test_a_revert_goes_on_while_no_watch_works(place: Place) -> None:
    troubles = itertools.cycle(WATCH_TROUBLES.values())

    async def trouble(request: web.Request) -> web.StreamResponse | None:
        return next(troubles)() if to_kopf(request) and "watch" in request.query else None

    operator = await place.start()
    await place.until(operator.leads)
    await place.serve_then_release("15s")
    operator.proxy.answer = trouble
    operator.proxy.break_off()
    await place.until_status(lambda status: status.get("phase") == "Reverted")
    await place.until(lambda: operator.log.count("the watches ended") >= 3)
    assert await operator.probe("/healthz") == 200
    operator.proxy.answer = None
    await place.apply("1")
    await place.until_status(lambda status: status.get("phase") == "Stable")

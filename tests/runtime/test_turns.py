"""Releases that wait for their turn, and get it."""

from __future__ import annotations

from headgate.api.status import Release, Status
from headgate.core.turns import Caps
from headgate.runtime.cache import Cache
from headgate.runtime.turns import Turns
from tests.runtime.world import World

CANARY = {"type": "Canary", "canary": {"steps": [{"approval": {}}, {"weight": 50, "hold": "1h"}]}}


async def two_stable(world: World) -> None:
    for name in ("fraud", "churn"):
        world.apply("1", name)
        await world.until("Stable", name)


async def test_the_second_release_waits_says_why_and_goes_on_when_there_is_room() -> None:
    world = World(Caps(per_namespace=1))
    await two_stable(world)
    world.apply("2", "fraud", strategy=CANARY)
    await world.settle(("risk", "fraud"))
    world.apply("2", "churn", strategy=CANARY)
    await world.settle(("risk", "churn"))
    status = world.server.status("churn")
    assert status["phase"] == "Queued"
    sentence = "2 waits for its turn: 1 of 1 release is under way in namespace risk."
    assert status["message"] == sentence
    assert [each["message"] for each in world.server.events][-1] == sentence
    reconciling = [each for each in status["conditions"] if each["type"] == "Reconciling"]
    assert reconciling[0]["status"] == "True"
    since = status["queued"]

    world.now += 60
    world.start()
    await world.settle(("risk", "churn"))
    assert world.server.status("churn")["queued"] == since

    world.woken.clear()
    world.apply("1", "fraud")
    await world.until("Stable", "fraud")
    assert set(world.woken) == {("risk", "churn")}
    await world.settle(("risk", "churn"))
    status = world.server.status("churn")
    assert status["phase"] == "Starting"
    assert "queued" not in status or status["queued"] == ""


async def test_a_first_version_and_going_back_do_not_wait() -> None:
    world = World(Caps(everywhere=1))
    await two_stable(world)
    world.apply("2", "churn", strategy={"type": "BlueGreen"})
    await world.until("Stable", "churn")
    world.apply("2", "fraud", strategy=CANARY)
    await world.settle(("risk", "fraud"))
    assert world.server.status("fraud")["phase"] == "Starting"
    world.apply("1", "third")
    await world.settle(("risk", "third"))
    assert world.server.status("third")["phase"] == "Initializing"
    world.apply("1", "churn")
    await world.settle(("risk", "churn"))
    assert world.server.status("churn")["phase"] != "Queued"


def test_a_release_counts_from_its_decision_on_and_not_from_its_first_write() -> None:
    turns = Turns(Caps(everywhere=1), Cache(), lambda *_: None)
    for name in ("a", "b"):
        turns.note(("risk", name), Status())
    assert (turn := turns.turn(("risk", "a"), Status(), 0.0)) is not None
    assert turn.granted
    turns.note(("risk", "a"), Status(release=Release(revision="r")))
    assert (turn := turns.turn(("risk", "b"), Status(), 0.0)) is not None
    assert not turn.granted
    turns.forget(("risk", "a"))
    assert (turn := turns.turn(("risk", "b"), Status(), 0.0)) is not None
    assert turn.granted

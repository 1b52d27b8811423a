"""Notes become Events, without repeating themselves."""

from headgate.core.intents import Note
from headgate.kube.client import Forbidden
from headgate.kube.events import QUIET_SECONDS, Events
from tests.kube.objects import UID, Memory, bare

NOTE = Note("Reverted", "Version 2 was taken back.", warning=True)


async def test_an_event_says_the_note_about_the_model_deployment() -> None:
    client = Memory()
    await Events(client).record(bare(), [NOTE], 1_795_428_000.0)
    [event] = client.events
    assert (event["type"], event["reason"]) == ("Warning", "Reverted")
    assert event["message"] == NOTE.message
    assert event["involvedObject"]["uid"] == UID
    assert event["firstTimestamp"] == "2026-11-23T10:00:00.000Z"


async def test_the_same_sentence_is_written_once_in_a_while() -> None:
    client = Memory()
    events = Events(client)
    for now in (0.0, 1.0, QUIET_SECONDS - 1):
        await events.record(bare(), [NOTE], now)
    assert len(client.events) == 1
    await events.record(bare(), [NOTE, Note("Reverted", "Another sentence.")], QUIET_SECONDS)
    assert len(client.events) == 3


async def test_an_event_that_cannot_be_written_stops_nothing() -> None:
    client = Memory()
    client.faults["event", "Event", "Reverted"] = Forbidden("no")
    await Events(client).record(bare(), [NOTE, Note("Held", "It holds.")], 0.0)
    assert [each["reason"] for each in client.events] == ["Held"]


async def test_a_message_is_never_longer_than_an_event_can_hold() -> None:
    client = Memory()
    await Events(client).record(bare(), [Note("R" * 200, "m" * 2000)], 0.0)
    assert len(client.events[0]["message"]) == 1024
    assert len(client.events[0]["reason"]) == 128


async def test_what_one_pass_says_is_one_event_and_warnings_stand_apart() -> None:
    client = Memory()
    notes = [Note("StepPassed", "2 passed 20 %."), Note("StepEntered", "2 gets 40 %."), NOTE]
    await Events(client).record(bare(), notes, 0.0)
    assert [(each["type"], each["reason"], each["message"]) for each in client.events] == [
        ("Normal", "StepPassed", "2 passed 20 %. 2 gets 40 %."),
        ("Warning", "Reverted", NOTE.message),
    ]


async def test_no_sentence_is_cut_to_fit_beside_another() -> None:
    client = Memory()
    await Events(client).record(bare(), [Note("A", "a" * 600), Note("B", "b" * 600)], 0.0)
    assert [each["message"] for each in client.events] == ["a" * 600, "b" * 600]

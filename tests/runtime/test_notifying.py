"""People are told in the background: bounded, again when it failed, and never in anybody's way."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from headgate.core.intents import Note
from headgate.integrations.notification import Message
from headgate.kube.snapshot import Snapshot
from headgate.runtime.notifying import WAITING, Notifications
from tests.runtime.fakes import model_deployment

NOTE = Note("Reverting", "Taking 2 back to 1: it fails.", warning=True)
AT_ONCE = (0.0, 0.0, 0.0)


def snapshot() -> Snapshot:
    return Snapshot(model_deployment("fraud", "1"))


class Receiver:
    """Takes a message when `answers` says so; each answer is used once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.tried: list[tuple[str, Message]] = []
        self.changed = threading.Condition()

    def wait_for(self, times: int) -> bool:
        """Until it was tried so often, or ten seconds are over."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.tried) >= times, 10)

    def __call__(self, receiver: str, message: Message) -> bool:
        with self.changed:
            self.tried.append((receiver, message))
            self.changed.notify_all()
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)


async def deliver(notifications: Notifications, times: int, receiver: Receiver) -> None:
    task = asyncio.create_task(notifications.run())
    assert await asyncio.to_thread(receiver.wait_for, times)
    # Nothing more comes.
    await asyncio.sleep(0.05)
    task.cancel()
    await notifications.close()


async def test_everybody_concerned_is_told_the_sentence() -> None:
    receiver = Receiver(True)
    notifications = Notifications(lambda _: ["oncall", "team"], receiver)
    notifications.tell(snapshot(), NOTE)
    await deliver(notifications, 2, receiver)
    assert sorted(name for name, _ in receiver.tried) == ["oncall", "team"]
    message = receiver.tried[0][1]
    assert (message.namespace, message.name, message.reason) == ("risk", "fraud", "Reverting")
    assert message.sentence == NOTE.message


@pytest.mark.parametrize("trouble", [False, RuntimeError("token abc is wrong")])
async def test_what_was_not_taken_is_tried_again_and_no_address_is_logged(
    trouble: object, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Receiver(trouble, trouble, True)
    notifications = Notifications(lambda _: ["oncall"], receiver, AT_ONCE)
    notifications.tell(snapshot(), NOTE)
    await deliver(notifications, 3, receiver)
    assert len(receiver.tried) == 3
    assert "abc" not in caplog.text
    assert "could not be told" not in caplog.text


async def test_what_nobody_takes_is_given_up_and_said(caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver(False)
    notifications = Notifications(lambda _: ["oncall"], receiver, AT_ONCE)
    notifications.tell(snapshot(), NOTE)
    await deliver(notifications, 3, receiver)
    assert len(receiver.tried) == 3
    assert "oncall could not be told: Headgate: risk/fraud Reverting" in caplog.text


async def test_telling_takes_no_time_and_what_waits_is_bounded() -> None:
    stuck = threading.Event()

    def never(receiver: str, message: Message) -> bool:
        return stuck.wait(5)

    notifications = Notifications(lambda _: ["oncall"], never, AT_ONCE)
    task = asyncio.create_task(notifications.run())
    began = asyncio.get_running_loop().time()
    for number in range(3 * WAITING):
        notifications.tell(snapshot(), Note("Reverting", f"number {number}"))
    assert asyncio.get_running_loop().time() - began < 2
    await asyncio.sleep(0.05)
    stuck.set()
    task.cancel()
    await notifications.close()


async def test_a_receiver_that_hangs_keeps_no_other_one_waiting() -> None:
    stuck, told = threading.Event(), threading.Event()

    def answer(receiver: str, message: Message) -> bool:
        if receiver == "hangs":
            return stuck.wait(10)
        told.set()
        return True

    notifications = Notifications(lambda _: ["hangs", "answers"], answer)
    task = asyncio.create_task(notifications.run())
    notifications.tell(snapshot(), NOTE)
    assert await asyncio.to_thread(told.wait, 5)
    stuck.set()
    task.cancel()
    await notifications.close()

"""Smoke checks beside the passes: once for an attempt, asked again only when nothing was said."""

import asyncio

from headgate.api.status import Release
from headgate.core.observation import SmokeResult
from headgate.kube.snapshot import Snapshot
from headgate.runtime.cache import Key
from headgate.runtime.smoke_runs import LOOK_AGAIN_SECONDS, SmokeRuns
from tests.runtime.fakes import model_deployment

PATIENCE = 20.0
KEY: Key = ("risk", "fraud")
SNAPSHOT = Snapshot(model_deployment())
FIRST = Release(revision="aaaa", started="2026-11-23T10:00:00.000Z")
SECOND = Release(revision="aaaa", started="2026-11-23T11:00:00.000Z")


class Setup:
    def __init__(self, *answers: SmokeResult | Exception | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.requeued: asyncio.Queue[float] = asyncio.Queue()
        self.runs = SmokeRuns(lambda _, seconds: self.requeued.put_nowait(seconds), self.check)

    async def check(self, snapshot: Snapshot, revision: str) -> SmokeResult | None:
        self.asked.append(revision)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def requeue(self) -> float:
        return await asyncio.wait_for(self.requeued.get(), PATIENCE)


FAILED = SmokeResult("aaaa", False, "GET /health answered 500")


async def test_a_failed_check_stays_failed_for_its_attempt_only() -> None:
    setup = Setup(FAILED, SmokeResult("aaaa", True, "fine"))
    setup.runs.start(KEY, SNAPSHOT, FIRST)
    assert await setup.requeue() == 0.0
    setup.runs.start(KEY, SNAPSHOT, FIRST)
    assert setup.runs.result(KEY, FIRST) == FAILED
    assert setup.runs.result(KEY, SECOND) is None
    setup.runs.start(KEY, SNAPSHOT, SECOND)
    await setup.requeue()
    found = setup.runs.result(KEY, SECOND)
    assert found is not None
    assert found.passed
    assert len(setup.asked) == 2


async def test_checks_after_the_switch_are_another_attempt_and_say_so() -> None:
    passed = SmokeResult("aaaa", True, "fine")
    live = FIRST.model_copy(update={"stage": "Watching"})
    setup = Setup(passed, passed)
    setup.runs.start(KEY, SNAPSHOT, FIRST)
    await setup.requeue()
    assert setup.runs.result(KEY, FIRST) == passed
    assert setup.runs.result(KEY, live) is None
    setup.runs.start(KEY, SNAPSHOT, live)
    await setup.requeue()
    assert setup.runs.result(KEY, live) == SmokeResult("aaaa", True, "fine", after_switch=True)
    assert len(setup.asked) == 2


async def test_without_a_ready_pod_it_is_asked_again_a_little_later() -> None:
    setup = Setup(None, FAILED)
    setup.runs.start(KEY, SNAPSHOT, FIRST)
    assert await setup.requeue() == LOOK_AGAIN_SECONDS
    assert setup.runs.result(KEY, FIRST) is None
    setup.runs.start(KEY, SNAPSHOT, FIRST)
    await setup.requeue()
    assert setup.runs.result(KEY, FIRST) == FAILED


async def test_a_fault_of_ours_is_not_taken_for_the_models() -> None:
    setup = Setup(ZeroDivisionError(), FAILED)
    setup.runs.start(KEY, SNAPSHOT, FIRST)
    assert await setup.requeue() == LOOK_AGAIN_SECONDS
    assert setup.runs.result(KEY, FIRST) is None


async def test_checks_of_a_forgotten_release_end() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def check(snapshot: Snapshot, revision: str) -> SmokeResult | None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return None

    runs = SmokeRuns(lambda *_: None, check)
    runs.start(KEY, SNAPSHOT, FIRST)
    await asyncio.wait_for(begun.wait(), PATIENCE)
    runs.forget(KEY)
    await asyncio.wait_for(ended.wait(), PATIENCE)

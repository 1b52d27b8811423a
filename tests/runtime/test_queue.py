"""The queue's tasks: side by side for different keys, one after the other for the same."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

from headgate.runtime.queue import KeyedQueue, Quarantine

PATIENCE = 20.0


@asynccontextmanager
async def running(
    handle: Callable[[str], Awaitable[float | None]], workers: int = 4
) -> AsyncIterator[KeyedQueue[str]]:
    queue: KeyedQueue[str] = KeyedQueue(handle, workers=workers)
    task = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await queue.drain(5.0)


class Passes:
    """Passes that last until the test lets them go."""

    def __init__(self) -> None:
        self.begun: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(0))
        self.leave: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(0))
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    async def handle(self, key: str) -> float | None:
        self.at_once[key] += 1
        self.most[key] = max(self.most[key], self.at_once[key])
        self.begun[key].release()
        await self.leave[key].acquire()
        self.at_once[key] -= 1
        return None

    async def has_begun(self, key: str) -> None:
        await asyncio.wait_for(self.begun[key].acquire(), PATIENCE)


async def test_a_slow_key_does_not_hold_up_another() -> None:
    passes = Passes()
    async with running(passes.handle) as queue:
        queue.add("slow")
        await passes.has_begun("slow")
        queue.add("quick")
        await passes.has_begun("quick")
        passes.leave["slow"].release()
        passes.leave["quick"].release()


async def test_one_key_never_runs_twice_at_once_and_runs_again_when_added_meanwhile() -> None:
    passes = Passes()
    async with running(passes.handle) as queue:
        queue.add("a")
        await passes.has_begun("a")
        for _ in range(5):
            queue.add("a")
        passes.leave["a"].release()
        await passes.has_begun("a")
        passes.leave["a"].release()
    assert passes.most["a"] == 1
    assert passes.begun["a"].locked()


async def test_no_more_passes_at_once_than_workers() -> None:
    passes = Passes()
    async with running(passes.handle, workers=2) as queue:
        for key in "abc":
            queue.add(key)
        await passes.has_begun("a")
        await passes.has_begun("b")
        assert sum(passes.at_once.values()) == 2
        passes.leave["a"].release()
        await passes.has_begun("c")
        for key in "bc":
            passes.leave[key].release()


async def test_a_pass_that_raises_is_repeated_and_disturbs_nobody() -> None:
    attempts: Counter[str] = Counter()
    done = asyncio.Event()

    async def handle(key: str) -> float | None:
        attempts[key] += 1
        if key == "bad" and attempts[key] < 3:
            raise RuntimeError("the API server is away")
        if attempts["bad"] >= 3 and attempts["good"]:
            done.set()
        return None

    async with running(handle) as queue:
        queue.add("bad")
        queue.add("good")
        await asyncio.wait_for(done.wait(), PATIENCE)
    assert attempts == {"bad": 3, "good": 1}


async def test_a_quarantined_key_runs_again_when_its_object_changes() -> None:
    attempts = asyncio.Semaphore(0)

    async def handle(_: str) -> float | None:
        attempts.release()
        raise Quarantine("the spec cannot be read")

    async with running(handle) as queue:
        queue.add("a")
        await asyncio.wait_for(attempts.acquire(), PATIENCE)
        queue.add("a")
        assert attempts.locked()
        queue.add("a", changed=True)
        await asyncio.wait_for(attempts.acquire(), PATIENCE)


async def test_a_pass_says_when_it_wants_to_be_repeated() -> None:
    times: list[float] = []
    done = asyncio.Event()
    clock = asyncio.get_running_loop().time

    async def handle(_: str) -> float | None:
        times.append(clock())
        if len(times) == 3:
            done.set()
            return None
        return 0.05

    async with running(handle) as queue:
        queue.add("a")
        await asyncio.wait_for(done.wait(), PATIENCE)
    assert all(later - earlier >= 0.05 for earlier, later in pairwise(times))


async def test_stopping_lets_passes_end_that_are_under_way() -> None:
    passes = Passes()
    ended = []

    async def handle(key: str) -> float | None:
        await passes.handle(key)
        ended.append(key)
        return None

    async with running(handle) as queue:
        queue.add("a")
        await passes.has_begun("a")
        asyncio.get_running_loop().call_later(0.1, passes.leave["a"].release)
    assert ended == ["a"]


async def test_fifty_passes_that_wait_hold_up_no_other() -> None:
    begun: set[int] = set()
    over = asyncio.Event()

    async def handle(key: int) -> None:
        begun.add(key)
        if len(begun) == 50:
            over.set()
        await over.wait()

    queue = KeyedQueue(handle)
    for key in range(50):
        queue.add(key)
    running = asyncio.create_task(queue.run())
    await asyncio.wait_for(over.wait(), 20)
    running.cancel()
    await queue.drain(5)

"""Full collections of garbage come when nothing is due, and not before."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from headgate.runtime import garbage

PATIENCE = 20.0


class Node:
    """Part of a circle, which only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def full() -> Iterator[asyncio.Event]:
    """Set by each full collection."""
    made = asyncio.Event()

    def note(phase: str, told: dict[str, int]) -> None:
        if phase == "stop" and told["generation"] == 2:
            made.set()

    gc.callbacks.append(note)
    yield made
    gc.callbacks.remove(note)


def make_much() -> list[Node]:
    """So many objects that live on that the interpreter would collect all by itself."""
    return [Node() for _ in range(1_000_000)]


async def test_garbage_is_collected_once_nothing_is_due(
    full: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "EVERY_SECONDS", 0.01)
    gc.collect()
    before, busy = gc.get_threshold(), True
    task = asyncio.create_task(garbage.collect_at_rest(lambda: not busy))
    await asyncio.sleep(0.05)
    full.clear()
    living = make_much()
    await asyncio.sleep(0.05)
    assert not full.is_set()
    busy = False
    await asyncio.wait_for(full.wait(), PATIENCE)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert gc.get_threshold() == before
    del living


async def test_a_process_at_rest_collects_nothing(
    full: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "EVERY_SECONDS", 0.01)
    gc.collect()
    full.clear()
    task = asyncio.create_task(garbage.collect_at_rest(lambda: True))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not full.is_set()

"""A story again and again, disturbed at one point each time, compared with the undisturbed run.

The points are every write, killed in every position, or every request, with every answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.answers import Answer, Fault
from tests.faults.arena import Arena
from tests.faults.killing import Kill, Position
from tests.faults.points import Ending, Point
from tests.faults.stories import Story

SIDE_BY_SIDE = 12
"""Operators that run at the same time; most of a release is waiting."""


@dataclass
class Result:
    """What came of a story's points: how many were tried, and what was wrong in which."""

    story: Story
    undisturbed: Ending
    tried: int = 0
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def report(self) -> str:
        """Everything wrong, for a person."""
        lines = [f"{self.story.name}: {len(self.wrong)} of {self.tried} points ended wrong"]
        for point, found in self.wrong.items():
            lines += [f"  {point}", *(f"    {each}" for each in found)]
        return "\n".join(lines)


Disturbance = Kill | Fault


def every_kill(undisturbed: Ending) -> list[Disturbance]:
    """Every write, in every position."""
    return [
        Kill(write, position)
        for write in range(1, len(undisturbed.writes) + 1)
        for position in Position
    ]


def every_answer(undisturbed: Ending) -> list[Disturbance]:
    """Every request, with every answer; nothing that is only read is in conflict."""
    return [
        Fault(number, answer)
        for number, request in enumerate(undisturbed.requests, start=1)
        for answer in Answer
        if not (request.startswith("GET") and answer in (Answer.CONFLICT, Answer.LATE))
    ]


async def enumerate_points(
    arena: Arena,
    stories: Iterable[Story],
    points: Callable[[Ending], Iterable[Disturbance]],
    progress: Callable[[str], object] = lambda _: None,
    side_by_side: int = SIDE_BY_SIDE,
) -> list[Result]:
    """Run every story undisturbed, and once more for each of its `points`."""
    slots = asyncio.Semaphore(side_by_side)

    async def run(story: Story, point: Disturbance | None) -> Ending:
        async with slots:
            return await Point(arena, story, point).run()

    async def of_story(story: Story) -> Result:
        undisturbed = await run(story, None)
        result = Result(story, undisturbed)
        if undisturbed.wrong:
            result.wrong["undisturbed"] = undisturbed.wrong
            return result
        chosen = list(points(undisturbed))
        endings = await asyncio.gather(*(run(story, point) for point in chosen))
        for point, ending in zip(chosen, endings, strict=True):
            if ending.reached:
                _compare(result, point, ending)
        progress(f"{story.name:24} {result.tried:5} points, {len(result.wrong)} wrong")
        return result

    return list(await asyncio.gather(*(of_story(each) for each in stories)))


def _compare(result: Result, point: Disturbance, ending: Ending) -> None:
    result.tried += 1
    found = [*ending.wrong, *differences(result.undisturbed.state, ending.state)]
    if found:
        result.wrong[_words(point, ending)] = found


def _words(point: Disturbance, ending: Ending) -> str:
    if isinstance(point, Kill):
        number, said, what = point.write, ending.writes, f"killed {point.position} write"
    else:
        number, said, what = point.request, ending.requests, f"{point.answer} to request"
    return f"{what} {number} ({said[number - 1] if len(said) >= number else '?'})"


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """In what two ends differ."""
    return [
        f"{key} is {found.get(key)}, not {value}"
        for key, value in expected.items()
        if found.get(key) != value
    ]

"""Every write of a story, killed in every position, each time compared with the undisturbed run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.arena import Arena
from tests.faults.killing import Kill, Position
from tests.faults.points import Ending, Point
from tests.faults.stories import Story

SIDE_BY_SIDE = 16
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


async def enumerate_kills(
    arena: Arena,
    stories: Iterable[Story],
    positions: Iterable[Position] = tuple(Position),
    progress: Callable[[str], object] = lambda _: None,
    side_by_side: int = SIDE_BY_SIDE,
) -> list[Result]:
    """Kill at every write of every story, in every position."""
    slots = asyncio.Semaphore(side_by_side)

    async def run(story: Story, kill: Kill | None) -> Ending:
        async with slots:
            return await Point(arena, story, kill).run()

    async def of_story(story: Story) -> Result:
        undisturbed = await run(story, None)
        result = Result(story, undisturbed, 1)
        if undisturbed.wrong:
            result.wrong["undisturbed"] = undisturbed.wrong
            return result
        kills = [
            Kill(write, position)
            for write in range(1, len(undisturbed.writes) + 1)
            for position in positions
        ]
        endings = await asyncio.gather(*(run(story, kill) for kill in kills))
        for kill, ending in zip(kills, endings, strict=True):
            if ending.reached:
                _compare(result, kill, ending)
        progress(f"{story.name:24} {result.tried:4} points, {len(result.wrong)} wrong")
        return result

    return list(await asyncio.gather(*(of_story(each) for each in stories)))


def _compare(result: Result, kill: Kill, ending: Ending) -> None:
    result.tried += 1
    found = [*ending.wrong, *differences(result.undisturbed.state, ending.state)]
    if found:
        what = ending.writes[kill.write - 1] if len(ending.writes) >= kill.write else "?"
        result.wrong[f"write {kill.write} ({what}), {kill.position}"] = found


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """In what two ends differ."""
    return [
        f"{key} is {found.get(key)}, not {value}"
        for key, value in expected.items()
        if found.get(key) != value
    ]

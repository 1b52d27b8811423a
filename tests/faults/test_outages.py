"""A real operator process, with kopf and all, while the API server or its watches misbehave, and
killed for real."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hack.cluster import Cluster
from tests.faults.arena import Arena, arena
from tests.faults.killing import Kill, Position
from tests.faults.points import Ending, Point
from tests.faults.proxy import RealProcess, Trouble
from tests.faults.stories import Act, Story, story

pytestmark = pytest.mark.long

SECONDS = {Trouble.BROWN_OUT: 6.0, Trouble.PARTITION: 12.0}
OTHERWISE = 4.0
BACK_SECONDS = 10.0
SIDE_BY_SIDE = 4
GOOD, BAD = story("Canary", "good"), story("Canary", "bad")


class RealPoint(Point):
    """A story with a process of its own, in trouble from when its last act is under way."""

    def __init__(
        self,
        place: Arena,
        of: Story,
        directory: Path,
        trouble: Trouble | None = None,
        kill: Kill | None = None,
    ) -> None:
        super().__init__(place, of, kill, longest=150)
        self.directory = directory
        self.trouble = trouble
        self.took = 0.0

    async def start(self) -> None:
        real = RealProcess(
            self.arena.history.connection,
            self.namespace,
            self.arena.world.providers,
            self.directory,
        )
        self.process = real
        await real.launch()

    async def act(self, act: Act) -> None:
        await super().act(act)
        if self.trouble is None:
            return
        await self.until(self.under_way)
        assert isinstance(self.process, RealProcess)
        self.process.client.begin(self.trouble)
        await asyncio.sleep(SECONDS.get(self.trouble, OTHERWISE))
        self.process.client.end()
        began = asyncio.get_running_loop().time()
        await self.until(self.rests)
        self.took = asyncio.get_running_loop().time() - began

    async def run(self, quiet: float = 1.5) -> Ending:
        ending = await super().run(quiet)
        if self.trouble in SECONDS:
            # No status could be written meanwhile, so none tells which step the pods belong to.
            ending.wrong = [each for each in ending.wrong if not each.endswith("are planned")]
        if self.died:
            ending.wrong.append("the process ended by itself")
        return ending


async def compare(cluster: Cluster, points: list[tuple[str, RealPoint]]) -> list[str]:
    """Run the points, a few at a time; what was wrong."""
    slots = asyncio.Semaphore(SIDE_BY_SIDE)

    async def run(point: Point) -> Ending:
        async with slots:
            return await point.run()

    place = points[0][1].arena
    expected = {of.name: await Point(place, of).run() for of in (GOOD, BAD)}
    endings = await asyncio.gather(*(run(point) for _, point in points))
    wrong = []
    for (name, point), ending in zip(points, endings, strict=True):
        found = list(ending.wrong)
        if ending.state != expected[point.story.name].state:
            found.append(f"ended with {ending.state}")
        if point.trouble in SECONDS and point.story is BAD and point.took > BACK_SECONDS:
            found.append(f"right again only {point.took:.1f} s after the end")
        print(f"{point.story.name}, {name}: {point.took:.1f} s")
        wrong += [f"{point.story.name}, {name}: {each}" for each in found]
    return wrong


async def test_no_trouble_of_the_api_server_ends_wrong(
    established_crd: Cluster, tmp_path: Path
) -> None:
    async with arena(established_crd.kubeconfig) as place:
        points = [
            (trouble.value, RealPoint(place, of, tmp_path, trouble))
            for trouble in Trouble
            for of in (BAD, GOOD)
        ]
        wrong = await compare(established_crd, points)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("position", Position)
async def test_sigkill_at_a_write_ends_as_if_undisturbed(
    established_crd: Cluster, tmp_path: Path, position: Position
) -> None:
    async with arena(established_crd.kubeconfig) as place:
        points = [
            (
                f"write {write} {position}",
                RealPoint(place, BAD, tmp_path, None, Kill(write, position)),
            )
            for write in (2, 6, 11, 14)
        ]
        wrong = await compare(established_crd, points)
    assert not wrong, "\n".join(wrong)

"""The operator restarted on an old view of its own resources: what it lists when it starts and what
its watches tell is from the past, while reads and writes of one ModelDeployment meet the present.

Neither does a reverted version get a pod again, nor does a status go back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hack.cluster import Cluster
from headgate.kube.client import Kind, Object, Page
from headgate.render.names import OWNED_BY
from headgate.runtime.cache import Identity, identity_of
from tests.faults.answers import FaultyApi
from tests.faults.arena import Arena, arena
from tests.faults.enumeration import SIDE_BY_SIDE
from tests.faults.history import SharedWatch, Version
from tests.faults.points import Ending, Point
from tests.faults.stories import Story, story

pytestmark = pytest.mark.long

OLD_SECONDS = 1.5
VIEWS = 8


class OldApi(FaultyApi):
    """The informer's lists are answered from `view`, until it is None."""

    view: dict[Identity, Object] | None = None

    async def pages(
        self, kind: Kind, namespace: str | None, labels: str = ""
    ) -> AsyncIterator[Page]:
        if self.view is not None and labels in ("", OWNED_BY):
            yield [body for identity, body in self.view.items() if identity[0] == kind.name]
            return
        async for page in super().pages(kind, namespace, labels):
            yield page


class OldWatch(SharedWatch):
    """Tells of the old view first, and of what came after it once that is over."""

    view: dict[Identity, Object]
    since: list[Version]

    def start(self) -> None:
        for body in self.view.values():
            self._receive(None, body)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(OLD_SECONDS, self._catch_up)

    def stop(self) -> None:
        self._timer.cancel()
        super().stop()

    def _catch_up(self) -> None:
        for version in self.since:
            self._receive("DELETED" if version.deleted else "MODIFIED", version.body)
        super().start()


class RestartedOnAnOldView(Point):
    """A story told to its end, and then a new process that sees what was at `share` of it."""

    def __init__(self, place: Arena, of: Story, share: float) -> None:
        super().__init__(place, of)
        self.share = share

    async def _tell(self, ending: Ending, quiet: float) -> None:
        await super()._tell(ending, quiet)
        assert self.process is not None
        await self.process.kill()
        versions = self.arena.history.of(self.namespace)
        first = next(i for i, each in enumerate(versions) if self._speaks_of_the_last(each))
        last = first + round((len(versions) - first) * self.share)
        view = _view(versions[:last])
        api = await OldApi.connect(self.arena.kubeconfig)
        api.view = view
        watch: Any = type("Watch", (OldWatch,), {"view": view, "since": versions[last:]})
        process = self.make(api, watch)
        self.process = process
        process.start()
        await asyncio.sleep(OLD_SECONDS)
        api.view = None
        # To be seen: nothing happens, or what does leads nowhere else.
        await asyncio.sleep(OLD_SECONDS)
        await self.until(self.rests)
        await process.kill()
        await api.close()

    def _speaks_of_the_last(self, version: Version) -> bool:
        spec = version.body.get("spec") or {}
        model = spec.get("model") or {}
        return bool(model.get("version") == self.story.acts[-1].version)


def _view(versions: list[Version]) -> dict[Identity, Object]:
    view: dict[Identity, Object] = {}
    for version in versions:
        if version.deleted:
            view.pop(identity_of(version.body), None)
        else:
            view[identity_of(version.body)] = version.body
    return view


async def test_an_old_view_brings_no_reverted_version_back(established_crd: Cluster) -> None:
    chosen = [story("Canary", "bad"), story("BlueGreen", "bad"), story("Canary", "good")]
    async with arena(established_crd.kubeconfig) as place:
        points = [
            (of, view / VIEWS, RestartedOnAnOldView(place, of, view / VIEWS))
            for of in chosen
            for view in range(VIEWS)
        ]
        undisturbed = await asyncio.gather(*(Point(place, of).run() for of in chosen))
        slots = asyncio.Semaphore(SIDE_BY_SIDE)

        async def run(point: Point) -> Ending:
            async with slots:
                return await point.run()

        endings = await asyncio.gather(*(run(point) for _, _, point in points))
    expected = dict(zip((of.name for of in chosen), undisturbed, strict=True))
    wrong = []
    for (of, share, _), ending in zip(points, endings, strict=True):
        found = list(ending.wrong)
        if ending.state != expected[of.name].state:
            found.append(f"ended with {ending.state}")
        wrong += [f"{of.name}, a view of {share:.0%}: {each}" for each in found]
    assert not wrong, "\n".join(wrong)

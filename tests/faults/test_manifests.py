"""A thousand mutated manifests on living objects: refused at admission, or handled; and a good
manifest always heals."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from hack.cluster import Cluster
from headgate.kube.client import EVENT, MODEL_DEPLOYMENT, Conflict, KubeError
from tests.faults.arena import Arena, arena
from tests.faults.mutation import mutations
from tests.faults.points import Ending, Point
from tests.faults.stories import NAME, manifest, story

pytestmark = pytest.mark.long

OBJECTS = 8
MANIFESTS = 1000
BETWEEN_HEALINGS = 25
HEALING_SECONDS = 60.0
SEED = 20261126


class Mutated(Point):
    """One living object that gets one manifest after the other."""

    def __init__(self, place: Arena, seed: int) -> None:
        super().__init__(place, story("Canary", "good"), longest=900)
        self.chance = random.Random(f"{SEED}/{seed}")
        self.accepted = self.refused = 0
        self.healed = 0

    async def _tell(self, ending: Ending, quiet: float) -> None:
        await super()._tell(ending, quiet)
        good = manifest("Canary", "2.0.0", self.namespace, self.arena.world.port)["spec"]
        changed = mutations(good, self.chance)
        for number in range(MANIFESTS // OBJECTS):
            await self._give(next(changed))
            await asyncio.sleep(self.chance.choice((0.0, 0.02, 0.1, 0.4)))
            if (number + 1) % BETWEEN_HEALINGS == 0:
                await self._heal(ending, f"3.{number}.0")

    async def _give(self, spec: dict[str, Any]) -> None:
        for _ in range(10):
            try:
                stored = await self.arena.client.get(MODEL_DEPLOYMENT, self.namespace, NAME)
                await self.arena.client.replace({**stored, "spec": spec})
            except Conflict:
                continue
            except KubeError:
                self.refused += 1
                return
            self.accepted += 1
            return
        raise AssertionError("always in conflict")

    async def _heal(self, ending: Ending, version: str) -> None:
        body = manifest("Canary", version, self.namespace, self.arena.world.port)
        before = await self.arena.client.get(MODEL_DEPLOYMENT, self.namespace, NAME)
        await self._give(body["spec"])
        try:
            async with asyncio.timeout(HEALING_SECONDS):
                await self.until(lambda: self.rests() and self._serves(version))
            self.healed += 1
        except TimeoutError:
            ending.wrong.append(
                f"{version} did not heal {before['spec']}: {self._status().get('message')}"
            )

    def _serves(self, version: str) -> bool:
        stable = self._status().get("stable") or {}
        return bool(stable.get("version") == version)


async def test_a_thousand_mutated_manifests(established_crd: Cluster) -> None:
    wrong = []
    async with arena(established_crd.kubeconfig) as place:
        points = [Mutated(place, seed) for seed in range(OBJECTS)]
        endings = await asyncio.gather(*(point.run() for point in points))
        for point, ending in zip(points, endings, strict=True):
            # Traffic is only checked by names, and a mutated manifest may have none.
            wrong += [each for each in ending.wrong if not each.startswith("at ")]
            if point.died:
                wrong.append(f"the operator of {point.namespace} ended")
            for event in await place.client.list(EVENT, point.namespace):
                if event["reason"] == "PlanFailed":
                    wrong.append(event["message"])
    accepted, refused = (
        sum(getattr(point, name) for point in points) for name in ("accepted", "refused")
    )
    print(f"{accepted} accepted, {refused} refused, {sum(p.healed for p in points)} healed")
    assert not wrong, "\n".join(wrong)
    assert accepted > MANIFESTS / 5
    assert refused > MANIFESTS / 5

"""The operator is killed at every write of a release, and the release ends as if it had not been.

Here for one good and one reverted canary; `make test-faults` does it for every story of every
strategy (`tests.faults.__main__`).
"""

from __future__ import annotations

from hack.cluster import Cluster
from tests.faults.arena import arena
from tests.faults.enumeration import enumerate_points, every_kill
from tests.faults.stories import story

LEAST_POINTS = 100


async def test_a_canary_killed_at_any_write_ends_as_if_undisturbed(
    established_crd: Cluster,
) -> None:
    chosen = [story("Canary", "good"), story("Canary", "bad")]
    async with arena(established_crd.kubeconfig) as place:
        results = await enumerate_points(place, chosen, every_kill)
    for result in results:
        print(f"{result.story.name}: killed at {result.tried} points")
    wrong = [result.report() for result in results if result.wrong]
    assert not wrong, "\n".join(wrong)
    assert sum(result.tried for result in results) >= LEAST_POINTS

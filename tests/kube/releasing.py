"""A first release on a real API server, which many tests begin with."""

from headgate.core.intents import KeepRevision, SetRole, SetTraffic, SetWorkload
from headgate.core.observation import Observation
from headgate.kube.apply import carry_out
from headgate.kube.observe import build
from tests.kube.conftest import World


async def released(world: World, replicas: int = 2) -> Observation:
    """Bring the current version live, as a first release does."""
    snapshot = await world.read()
    revision = build(snapshot).revision
    await carry_out(
        world.client,
        snapshot,
        [
            KeepRevision(revision, "1", 1),
            SetWorkload(revision, replicas),
            SetRole("stable", revision),
            SetRole("candidate", "none"),
            SetTraffic(revision, stable=revision, reason="FirstVersion"),
        ],
    )
    return build(await world.read())

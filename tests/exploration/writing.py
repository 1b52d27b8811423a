"""What one write does to a small world, as it would to a real cluster."""

from __future__ import annotations

from headgate.core.intents import (
    DropRevision,
    Intent,
    KeepRevision,
    MarkRevision,
    RemoveAdopted,
    RemoveWorkload,
    RestartWorkload,
    RunSmoke,
    SetRole,
    SetTraffic,
    SetWorkload,
    ShrinkWorkload,
)
from headgate.core.observation import NO_DEPLOYMENT
from headgate.core.reverting import PEOPLES_REASONS
from tests.exploration.found import without_deployment
from tests.exploration.pods import follow, restarted
from tests.exploration.scope import Scope
from tests.exploration.world import RESTARTS, Checks, Live, World, may_adopt, reverted_too


def carry_out(world: World, intent: Intent, scope: Scope) -> World:
    """The world after one write."""
    match intent:
        case KeepRevision(revision):
            if world.side(revision).kept:
                return world
            return world.put(revision, kept=True)._replace(order=(*world.order, revision))
        case MarkRevision(revision, once_stable, rejected):
            side = world.side(revision)
            if not side.kept:
                return world
            world = world.put(
                revision,
                once_stable=side.once_stable if once_stable is None else once_stable,
                rejected=side.rejected if rejected is None else rejected,
            )
            return reverted_too(world, revision if rejected else None)
        case DropRevision(revision):
            order = tuple(each for each in world.order if each != revision)
            world = world.put(revision, kept=False, once_stable=False, rejected=False)
            return world._replace(order=order)
        case SetWorkload(revision, replicas) | ShrinkWorkload(revision, replicas):
            side = world.side(revision)
            if side.replicas < 0:
                world = world.put(revision, restarted=world.restart)
            world = world.put(revision, replicas=replicas, intact=True)
            # A restart goes on in its own time (`rolled`).
            only_restored = side.replicas == replicas and side.old
            return world if scope.lag or only_restored else follow(world, revision)
        case RemoveWorkload(revision):
            return without_workload(world, revision, scope)
        case RestartWorkload(revision, at, pace):
            return restarted(world, revision, RESTARTS.index(at), pace)
        case SetTraffic(revision, stable, previous, rejected, reason, adopted):
            asked = reason is not None and reason.split(":")[0] in PEOPLES_REASONS
            live = Live(revision, stable, previous, rejected, asked, adopted=adopted)
            return reverted_too(taken_over(world)._replace(live=live), rejected)
        case RemoveAdopted(uid):
            found = world.found
            return world._replace(found=without_deployment(found)) if found.uid == uid else world
        case SetRole("stable", revision):
            return world._replace(roles=(revision, world.roles[1]))
        case SetRole(_, revision):
            return world._replace(roles=(world.roles[0], revision))
        case RunSmoke(revision, after_switch):
            wanted = Checks(revision, after_switch=after_switch)
            known = world.smoke
            if known is not None and known._replace(state=wanted.state) == wanted:
                return world
            return world._replace(smoke=wanted)
    raise AssertionError(f"the world cannot carry out {intent}")


def without_workload(world: World, revision: str, scope: Scope) -> World:
    """The Deployment of a revision is deleted."""
    world = world.put(revision, replicas=-1, intact=True, restarted=0, pace=None)
    return world if scope.lag else follow(world, revision)


def taken_over(world: World) -> World:
    """The live Service becomes ours, and so does the Deployment before anything of ours serves."""
    if world.live is not None:
        return world
    found = world.found
    taken = found.taken or (found.uid or NO_DEPLOYMENT if may_adopt(world) else "")
    return world._replace(found=found._replace(service=False, taken=taken))

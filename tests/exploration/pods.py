"""What Deployments do with their pods: how many there are, and how a restart replaces them."""

from __future__ import annotations

from headgate.core.observation import Pace
from tests.exploration.world import World


def restarted(world: World, revision: str, number: int, pace: Pace) -> World:
    """The template has changed: pods that do not serve are replaced at once, the others one by one
    (`rolled`). With the same time again only the pace is another one."""
    side = world.side(revision)
    world = world.put(revision, pace=(pace.surge, pace.unavailable))
    if side.restarted == number:
        return world
    return world.put(
        revision,
        restarted=number,
        old=side.old + side.ready,
        ready=0,
        starting=side.starting + side.crashed + side.stuck,
        crashed=0,
        stuck=0,
    )


def rolled(world: World, revision: str) -> tuple[World, ...]:
    """What a Deployment does next that replaces its pods, at the pace of its restart."""
    side = world.side(revision)
    wanted = max(0, side.replicas)
    surge, unavailable = side.pace or (0, 0)
    after = []
    if side.old and side.pods - side.old < wanted and side.pods < wanted + surge:
        after.append(world.put(revision, starting=side.starting + 1))
    if side.old and side.ready + side.old > wanted - unavailable:
        after.append(world.put(revision, old=side.old - 1, ending=True))
    return tuple(after)


def follow(world: World, revision: str) -> World:
    """Let the pods of a Deployment follow its replicas; pods that do not serve go first, unless
    they are to replace others."""
    side = world.side(revision)
    wanted = max(0, side.replicas)
    most = wanted + (side.pace[0] if side.old and side.pace else 0)
    if side.pods < wanted:
        return world.put(revision, starting=side.starting + wanted - side.pods)
    surplus = side.pods - most
    if surplus <= 0:
        return world
    if side.old:
        left = max(0, side.old - surplus)
        return follow(world.put(revision, old=left, ending=True), revision)
    # Pods that hold no device go first, and go at once.
    stuck = max(0, side.stuck - surplus)
    surplus -= side.stuck - stuck
    crashed = max(0, side.crashed - surplus)
    surplus -= side.crashed - crashed
    starting = max(0, side.starting - surplus)
    surplus -= side.starting - starting
    ready = side.ready - surplus
    held = crashed + starting + ready < side.pods - side.stuck
    return world.put(
        revision,
        stuck=stuck,
        crashed=crashed,
        starting=starting,
        ready=ready,
        ending=side.ending or held,
    )


def placed(world: World, revision: str) -> World:
    """Pods that are on their way out are gone, and those that wait are ready where there is a
    place."""
    world = world.put(revision, ending=False)
    side = world.side(revision)
    waiting = side.starting + side.stuck
    ready = min(waiting, max(0, free_places(world)))
    return world.put(revision, starting=0, stuck=waiting - ready, ready=side.ready + ready)


def free_places(world: World) -> int:
    """Devices that no pod holds; every one that ends holds its own until it is gone."""
    sides = world.sides
    held = sum(each.ready + each.old + each.crashed + each.ending for each in sides)
    return world.places - held

"""What may happen around releases: pods are restarted, and what was there before is adopted."""

from __future__ import annotations

from tests.exploration.event import Event, Outcomes, newer, sides_of
from tests.exploration.found import OTHER, without_deployment
from tests.exploration.pods import follow, placed, rolled
from tests.exploration.scope import Scope
from tests.exploration.world import VERSIONS, World, to_go


def _restart(world: World, scope: Scope) -> Outcomes:
    if world.restart < scope.restarts:
        again = " once more" if world.restart else ""
        after = newer(world)._replace(restart=world.restart + 1)
        yield f"somebody asks for a restart{again}", after


def _roll(world: World, scope: Scope) -> Outcomes:
    for name, _ in sides_of(world):
        for after in rolled(world, name):
            yield f"the Deployment of {VERSIONS[name]} goes on with its restart", after


def _old_unready(world: World, scope: Scope) -> Outcomes:
    for name, side in sides_of(world):
        if side.old:
            after = follow(world.put(name, old=side.old - 1), name)
            yield f"a pod of {VERSIONS[name]} from before the restart is not ready any more", after


def _found_ready(world: World, scope: Scope) -> Outcomes:
    found = world.found
    if found.starting:
        after = found._replace(starting=found.starting - 1, ready=found.ready + 1)
        yield "a pod of what was there before becomes ready", world._replace(found=after)


def _found_unready(world: World, scope: Scope) -> Outcomes:
    found = world.found
    if found.ready:
        after = found._replace(starting=found.starting + 1, ready=found.ready - 1)
        yield "a pod of what was there before is not ready any more", world._replace(found=after)


def _moment_over(world: World, scope: Scope) -> Outcomes:
    if world.memory.just_ended:
        memory = world.memory._replace(just_ended=False)
        yield "ten seconds have passed since the release ended", world._replace(memory=memory)


def _adopt(world: World, scope: Scope) -> Outcomes:
    if scope.found:
        after = newer(world)._replace(adopt=not world.adopt)
        yield f"spec.adopt becomes {str(after.adopt).lower()}", after


def _delete_found(world: World, scope: Scope) -> Outcomes:
    found = world.found
    if found.uid:
        after = world._replace(found=without_deployment(found))
        yield "somebody deletes the Deployment that was there before", after


def _make_another(world: World, scope: Scope) -> Outcomes:
    found = world.found
    if scope.found and not found.uid and found.taken != OTHER:
        another = found._replace(uid=OTHER, ready=found.ready + 1)
        yield "somebody makes a Deployment of that name", world._replace(found=another)


def _delete_found_service(world: World, scope: Scope) -> Outcomes:
    if world.found.service:
        after = world.found._replace(service=False)
        yield "somebody deletes the Service that was there before", world._replace(found=after)


def _forget(world: World, scope: Scope) -> Outcomes:
    live = world.live
    # Known to the status as well; nobody can know what is lost in both places.
    if live is not None and to_go(world) and world.memory.adopted:
        after = live._replace(adopted=None)
        yield "somebody takes the uid off the live Service", world._replace(live=after)


def all_goes_well(world: World) -> World:
    """The world after restarts have ended and what was there before is ready, too."""
    for name, _ in sides_of(world):
        while further := rolled(world, name):
            world = placed(further[-1], name)
    found = world.found
    found = found._replace(starting=0, ready=found.ready + found.starting)
    memory = world.memory._replace(just_ended=False)
    return world._replace(found=found, memory=memory)


EVENTS = (
    Event("roll", False, _roll),
    Event("found-ready", False, _found_ready),
    Event("moment-over", False, _moment_over),
    Event("restart", True, _restart),
    Event("old-unready", True, _old_unready),
    Event("found-unready", True, _found_unready),
    Event("adopt", True, _adopt),
    Event("delete-found", True, _delete_found),
    Event("make-another", True, _make_another),
    Event("delete-found-service", True, _delete_found_service),
    Event("forget", True, _forget),
)

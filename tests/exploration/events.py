"""What may happen to a small world besides the operator's passes."""

from __future__ import annotations

from typing import Any

from tests.exploration import around
from tests.exploration.event import Event, Outcomes, newer, sides_of
from tests.exploration.evidence import SAMPLES
from tests.exploration.pods import follow, free_places, placed
from tests.exploration.scope import Scope
from tests.exploration.world import (
    REVISIONS,
    VERSIONS,
    Asked,
    Checks,
    Memory,
    Remembered,
    World,
    only_status_knows,
)
from tests.exploration.writing import without_workload


def _ready(world: World, scope: Scope) -> Outcomes:
    for name, side in sides_of(world):
        if side.starting and free_places(world) > 0:
            after = world.put(name, starting=side.starting - 1, ready=side.ready + 1)
            yield f"a pod of {VERSIONS[name]} becomes ready", after


def _no_place(world: World, scope: Scope) -> Outcomes:
    waiting = sum(side.starting for side in world.sides)
    for name, side in sides_of(world):
        if side.starting and waiting > free_places(world):
            after = world.put(name, starting=side.starting - 1, stuck=side.stuck + 1)
            yield f"a pod of {VERSIONS[name]} has found no place for long", after


def _place(world: World, scope: Scope) -> Outcomes:
    waiting = sum(side.starting for side in world.sides)
    for name, side in sides_of(world):
        if side.stuck and waiting < free_places(world):
            after = world.put(name, starting=side.starting + 1, stuck=side.stuck - 1)
            yield f"a pod of {VERSIONS[name]} finds a place", after


def _swap_over(world: World, scope: Scope) -> Outcomes:
    release = world.memory.release
    if release is not None and release.swapping == 1:
        yield "swapping has gone on for long", _let(world, swapping=2)


def _end(world: World, scope: Scope) -> Outcomes:
    for name, side in sides_of(world):
        if side.ending:
            yield f"the ending pods of {VERSIONS[name]} are gone", world.put(name, ending=False)


def _follow(world: World, scope: Scope) -> Outcomes:
    for name, side in sides_of(world):
        if scope.lag and side.pods != max(0, side.replicas):
            yield f"the pods of {VERSIONS[name]} follow its Deployment", follow(world, name)


def _unready(world: World, scope: Scope) -> Outcomes:
    for name, side in sides_of(world):
        if side.ready:
            after = world.put(name, starting=side.starting + 1, ready=side.ready - 1)
            yield f"a pod of {VERSIONS[name]} is not ready any more", after


def _crash(world: World, scope: Scope) -> Outcomes:
    release = world.memory.release
    if release is None:
        return
    name = release.revision
    side = world.side(name)
    for state in ("starting", "ready"):
        count = getattr(side, state)
        if count:
            after = world.put(name, **{state: count - 1, "crashed": side.crashed + 1})
            yield f"a {state} pod of {VERSIONS[name]} crashes again and again", after


def _smoke_passes(world: World, scope: Scope) -> Outcomes:
    if world.smoke is not None and world.smoke.state == "asked":
        name = world.smoke.revision
        if world.side(name).ready:
            yield f"the checks of {VERSIONS[name]} pass", _passed(world, world.smoke)


def _passed(world: World, smoke: Checks) -> World:
    smoke = smoke._replace(state="passed")
    return world._replace(smoke=smoke, checked=world.checked | {smoke.revision})


def _smoke_fails(world: World, scope: Scope) -> Outcomes:
    if world.smoke is not None and world.smoke.state == "asked":
        after = world._replace(smoke=world.smoke._replace(state="failed"))
        yield f"the checks of {VERSIONS[world.smoke.revision]} fail", after


def _polled(world: World) -> bool:
    release = world.memory.release
    return release is not None and release.stage in ("Stepping", "Promoting", "Watching")


def _good_sample(world: World, scope: Scope) -> Outcomes:
    if _polled(world) and not world.sample:
        yield "a poll finds a good candidate", world._replace(sample="good")


def _other_sample(world: World, scope: Scope) -> Outcomes:
    if not _polled(world) or world.sample:
        return
    words = {
        "bad": "a poll finds that half of the candidate's answers are errors",
        "shared": "a poll finds that half of everybody's answers are errors",
        "silent": "a poll finds no metrics of the candidate",
        "idle": "a poll finds no requests",
        "outage": "Prometheus does not answer a poll",
    }
    for kind in SAMPLES:
        if kind in words:
            yield words[kind], world._replace(sample=kind)


def _let(world: World, **changes: Any) -> World:
    release = world.memory.release
    assert release is not None
    return world._replace(memory=world.memory._replace(release=release._replace(**changes)))


def _hold_over(world: World, scope: Scope) -> Outcomes:
    release = world.memory.release
    if release is not None and release.stage in ("Stepping", "Watching") and not release.hold_over:
        yield "the time of the step is over", _let(world, hold_over=True)


def _minute_over(world: World, scope: Scope) -> Outcomes:
    release = world.memory.release
    if release is not None and release.stage == "Reverting" and not release.minute_over:
        yield "a minute has passed since the decision", _let(world, minute_over=True)


def _deadline_over(world: World, scope: Scope) -> Outcomes:
    release = world.memory.release
    going = release is not None and release.stage in ("Starting", "Stepping", "Promoting")
    if release is not None and going and not release.deadline_over:
        yield "nothing has moved for the whole progressDeadline", _let(world, deadline_over=True)


def _keep_over(world: World, scope: Scope) -> Outcomes:
    memory = world.memory
    if memory.kept and not memory.kept_over:
        after = world._replace(memory=memory._replace(kept_over=True))
        yield "the time for which the version before is kept is over", after


def _freeze(world: World, scope: Scope) -> Outcomes:
    if scope.freezes:
        verb = "ends" if world.frozen else "begins"
        yield f"a freeze window {verb}", world._replace(frozen=not world.frozen)


def _turn(world: World, scope: Scope) -> Outcomes:
    if scope.capped:
        after = world._replace(may_start=not world.may_start)
        yield f"there is {'room' if after.may_start else 'no room'} for another release", after


def _want(world: World, scope: Scope) -> Outcomes:
    for name in REVISIONS[: scope.revisions]:
        if name != world.wanted:
            after = newer(world)._replace(wanted=name)
            yield f"the spec asks for {VERSIONS[name]}", after


def _scale(world: World, scope: Scope) -> Outcomes:
    for replicas in scope.sizes:
        if replicas != world.replicas:
            after = newer(world)._replace(replicas=replicas)
            yield f"the spec asks for {replicas} replicas", after


def _restep(world: World, scope: Scope) -> Outcomes:
    for place, strategy in enumerate(scope.strategies):
        if place != world.strategy:
            yield f"the spec's strategy becomes {strategy}", newer(world)._replace(strategy=place)


def _suspend(world: World, scope: Scope) -> Outcomes:
    after = newer(world)._replace(suspend=not world.suspend)
    yield f"spec.suspend becomes {str(not world.suspend).lower()}", after


def _delete_deployment(world: World, scope: Scope) -> Outcomes:
    for name, side in sides_of(world):
        if side.replicas >= 0:
            after = without_workload(world, name, scope)
            yield f"somebody deletes the Deployment of {VERSIONS[name]}", after


def _edit_deployment(world: World, scope: Scope) -> Outcomes:
    for name, side in sides_of(world):
        if side.replicas >= 0 and side.intact:
            after = world.put(name, intact=False)
            yield f"somebody edits the Deployment of {VERSIONS[name]}", after


def _delete_live(world: World, scope: Scope) -> Outcomes:
    if world.live is not None:
        yield "somebody deletes the live Service", world._replace(live=None)


def _edit_live(world: World, scope: Scope) -> Outcomes:
    if world.live is not None and world.live.intact:
        live = world.live._replace(intact=False)
        yield "somebody edits the live Service", world._replace(live=live)


def _lose_status(world: World, scope: Scope) -> Outcomes:
    if world.memory != Memory() and not only_status_knows(world):
        yield "the status is lost", world._replace(memory=Memory(), smoke=None, sample="")


def _ask(world: World, scope: Scope) -> Outcomes:
    if not scope.people:
        return
    names = REVISIONS[: scope.revisions]
    asked = [Asked(kind, name) for kind in ("Promote", "Abort", "Retry", "Undo") for name in names]
    asked += [Asked("Undo", name, to) for name in names for to in names if to != name]
    if "approval" in scope.strategies[world.strategy]:
        asked += [Asked("Approve", name) for name in names]
    for action in asked:
        # The same action again, at another time, is another action.
        forgiven = {action.revision} if action.type == "Retry" else {action.to}
        after = newer(world)._replace(action=action, reverted=world.reverted - forgiven)
        after = after._replace(memory=after.memory._replace(handled=False))
        to = f" to {VERSIONS[action.to]}" if action.to is not None else ""
        yield f"somebody asks: {action.type} {VERSIONS[action.revision]}{to}", after


EVENTS = (
    Event("ready", False, _ready),
    Event("no-place", False, _no_place),
    Event("place", False, _place),
    Event("end", False, _end),
    Event("follow", False, _follow),
    Event("smoke-passes", False, _smoke_passes),
    Event("good-sample", False, _good_sample),
    Event("hold-over", False, _hold_over),
    Event("minute-over", False, _minute_over),
    Event("keep-over", False, _keep_over),
    Event("freeze", True, _freeze),
    Event("turn", True, _turn),
    Event("deadline-over", True, _deadline_over),
    Event("swap-over", True, _swap_over),
    Event("unready", True, _unready),
    Event("crash", True, _crash),
    Event("smoke-fails", True, _smoke_fails),
    Event("other-sample", True, _other_sample),
    Event("want", True, _want),
    Event("ask", True, _ask),
    Event("scale", True, _scale),
    Event("restep", True, _restep),
    Event("suspend", True, _suspend),
    Event("delete-deployment", True, _delete_deployment),
    Event("edit-deployment", True, _edit_deployment),
    Event("delete-live", True, _delete_live),
    Event("edit-live", True, _edit_live),
    Event("lose-status", True, _lose_status),
    *around.EVENTS,
)


def events_of(scope: Scope) -> tuple[Event, ...]:
    """The events of a scope."""
    return tuple(event for event in EVENTS if event.name not in scope.without)


def all_goes_well(world: World) -> World:
    """The world after everything that was awaited has come: pods, checks, a good poll, time."""
    for name, side in sides_of(world):
        world = world.put(name, crashed=0, ready=side.ready + side.crashed, ending=False)
        world = follow(world, name)
    for name in REVISIONS[: len(world.sides)]:
        world = placed(world, name)
    world = around.all_goes_well(world)
    smoke = world.smoke
    if smoke is not None and smoke.state == "asked" and world.side(smoke.revision).ready:
        world = _passed(world, smoke)
    memory = world.memory._replace(kept_over=world.memory.kept > 0)
    world = world._replace(frozen=False, may_start=True, memory=memory)
    if _polled(world):
        world = world._replace(sample="good")
    release = world.memory.release
    if release is not None:
        later: Remembered = release._replace(
            hold_over=release.stage in ("Stepping", "Watching"),
            minute_over=release.stage == "Reverting",
        )
        world = world._replace(memory=world.memory._replace(release=later))
    return world

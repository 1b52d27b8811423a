"""A small world as one hashable value: everything that the planner reads, and no more.

`carry_out` does to it what one write does to a real cluster; `tests.exploration.seeing` shows it to
the planner. What decides nothing is not in it (names of pods, sentences, how long ago something
was), so a world has finitely many values and `tests.exploration.explore` can visit all of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from headgate.core.intents import (
    DropRevision,
    Intent,
    KeepRevision,
    MarkRevision,
    RemoveWorkload,
    RunSmoke,
    SetRole,
    SetTraffic,
    SetWorkload,
    ShrinkWorkload,
)
from headgate.core.reverting import PEOPLES_REASONS
from tests.exploration.evidence import NOTHING, Counted
from tests.exploration.scope import Scope

REVISIONS = "abc"
VERSIONS = {"a": "1.0.0", "b": "2.0.0", "c": "3.0.0"}


class Side(NamedTuple):
    """One revision: its Deployment (-1: none), its pods as counts, and what is kept of it; those
    that are `stuck` have found no place for long."""

    replicas: int = -1
    intact: bool = True
    starting: int = 0
    ready: int = 0
    crashed: int = 0
    stuck: int = 0
    ending: bool = False
    kept: bool = False
    once_stable: bool = False
    rejected: bool = False

    @property
    def pods(self) -> int:
        """Pods that are not terminating."""
        return self.starting + self.ready + self.crashed + self.stuck


class Live(NamedTuple):
    """The live Service and the decisions written on it."""

    revision: str | None
    stable: str | None = None
    previous: str | None = None
    rejected: str | None = None
    asked: bool = False
    intact: bool = True


class Checks(NamedTuple):
    """The smoke checks of a revision: asked, passed or failed; before the switch or after it."""

    revision: str
    state: str = "asked"
    after_switch: bool = False


class Remembered(NamedTuple):
    """The release under way, as status keeps it. `swapping`: 0 it does not, 1 since just now, 2 for
    longer than a pod may wait for its place."""

    revision: str
    stage: str = "Starting"
    step: int = 0
    kept: int = 0
    direct: bool = False
    settled: bool = False
    smoked: bool = False
    checked: bool = False
    failed: bool = False
    told: bool = False
    hold_over: bool = False
    deadline_over: bool = False
    minute_over: bool = False
    shared: bool = False
    swapping: int = 0
    promoting: bool = False
    approvals: tuple[int, ...] = ()
    instead_of: str = ""
    progress: str = ""
    evidence: Counted = NOTHING


class Memory(NamedTuple):
    """The status. `asked`: the rejection is a person's wish; `handled`: the spec's action was;
    `kept`: so many pods of the version before stay after the watch; `queued`: it waits its turn.
    """

    stable: str | None = None
    previous: str | None = None
    rejected: str | None = None
    asked: bool = False
    release: Remembered | None = None
    handled: bool = False
    kept: int = 0
    kept_over: bool = False
    queued: bool = False
    current: bool = True


class Asked(NamedTuple):
    """What a person asks in spec.action."""

    type: str
    revision: str
    to: str | None = None


class World(NamedTuple):
    """One ModelDeployment and its children. `checked` and `reverted` are no part of the cluster:
    they are what really happened, for the invariants to compare with."""

    wanted: str
    replicas: int
    suspend: bool = False
    strategy: int = 0
    action: Asked | None = None
    sides: tuple[Side, ...] = ()
    order: tuple[str, ...] = ()
    live: Live | None = None
    roles: tuple[str | None, str | None] = (None, None)
    memory: Memory = Memory()
    sample: str = ""
    smoke: Checks | None = None
    frozen: bool = False
    may_start: bool = True
    checked: frozenset[str] = frozenset()
    reverted: frozenset[str] = frozenset()
    places: int = 1000

    def side(self, revision: str) -> Side:
        """One revision's side."""
        return self.sides["abc".index(revision)]

    def put(self, revision: str, **changes: Any) -> World:
        """A copy with one side changed."""
        place = "abc".index(revision)
        side = self.sides[place]._replace(**changes)
        return self._replace(sides=(*self.sides[:place], side, *self.sides[place + 1 :]))


def nothing(scope: Scope, replicas: int) -> World:
    """The world in which a first version was just applied."""
    world = World("a", replicas, sides=(Side(),) * scope.revisions)
    return world._replace(places=scope.places) if scope.places else world


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
            world = world.put(revision, replicas=replicas, intact=True)
            return world if scope.lag else follow(world, revision)
        case RemoveWorkload(revision):
            world = world.put(revision, replicas=-1, intact=True)
            return world if scope.lag else follow(world, revision)
        case SetTraffic(revision, stable, previous, rejected, reason):
            asked = reason is not None and reason.split(":")[0] in PEOPLES_REASONS
            live = Live(revision, stable, previous, rejected, asked)
            return reverted_too(world._replace(live=live), rejected)
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


def follow(world: World, revision: str) -> World:
    """Let the pods of a Deployment follow its replicas; pods that do not serve go first."""
    side = world.side(revision)
    wanted = max(0, side.replicas)
    surplus = side.pods - wanted
    if surplus < 0:
        return world.put(revision, starting=side.starting - surplus)
    if surplus == 0:
        return world
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


def free_places(world: World) -> int:
    """Devices that no pod holds; every one that ends holds its own until it is gone."""
    sides = world.sides
    return world.places - sum(each.ready + each.crashed + each.ending for each in sides)


def reverted_too(world: World, revision: str | None) -> World:
    """The world in which this revision was taken back as well."""
    if revision is None or revision in world.reverted:
        return world
    return world._replace(reverted=world.reverted | {revision})

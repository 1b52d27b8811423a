"""A small world as one hashable value: everything that the planner reads, and no more.

`tests.exploration.writing` does to it what one write does to a real cluster,
`tests.exploration.pods` what Deployments do, and `tests.exploration.seeing` shows it to the
planner. What decides nothing is not in it (names of pods, sentences, how long ago something was),
so a world has finitely many values and `tests.exploration.explore` can visit all of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from headgate.core.observation import NO_DEPLOYMENT
from tests.exploration.evidence import NOTHING, Counted
from tests.exploration.found import FOUND, Found
from tests.exploration.scope import Scope

REVISIONS = "abc"
VERSIONS = {"a": "1.0.0", "b": "2.0.0", "c": "3.0.0"}
RESTARTS = ("", "2023-11-14T21:00:00Z", "2023-11-14T22:00:00Z")
"""When people ask for a restart, by its number; 0 is never."""


class Side(NamedTuple):
    """One revision: its Deployment (-1: none), its pods as counts, and what is kept of it; those
    that are `stuck` have found no place for long. `restarted` is the last restart's number, `pace`
    the pods that may be too many and too few in it; `old` pods are ready, and from before it."""

    replicas: int = -1
    intact: bool = True
    starting: int = 0
    ready: int = 0
    crashed: int = 0
    stuck: int = 0
    ending: bool = False
    restarted: int = 0
    pace: tuple[int, int] | None = None
    old: int = 0
    kept: bool = False
    once_stable: bool = False
    rejected: bool = False

    @property
    def pods(self) -> int:
        """Pods that are not terminating."""
        return self.starting + self.ready + self.crashed + self.stuck + self.old


class Live(NamedTuple):
    """The live Service and the decisions written on it. `adopted` is not `None` when it was taken
    over: the uid of the Deployment that is to go."""

    revision: str | None
    stable: str | None = None
    previous: str | None = None
    rejected: str | None = None
    asked: bool = False
    intact: bool = True
    adopted: str | None = None


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
    `kept`: so many pods of the version before stay after the watch; `queued`: it waits its turn;
    `just_ended`: a release has, and what was adopted has to stay a moment longer.
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
    adopted: str = ""
    just_ended: bool = False
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
    adopt: bool = False
    found: Found = Found()
    restart: int = 0

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
    found = FOUND[scope.found]
    world = World(
        "a", replicas, sides=(Side(),) * scope.revisions, adopt=bool(scope.found), found=found
    )
    return world._replace(places=scope.places) if scope.places else world


def may_adopt(world: World) -> bool:
    """Whether what is found may be taken over: only before anything of ours serves."""
    return world.adopt and world.live is None and world.memory.stable is None


def to_go(world: World) -> bool:
    """Whether the live Service says that a Deployment which was adopted is to be deleted."""
    return world.live is not None and world.live.adopted not in (None, NO_DEPLOYMENT)


def only_status_knows(world: World) -> bool:
    """Whether somebody has taken off the live Service what it says of an adoption."""
    return bool(world.memory.adopted) and world.live is not None and world.live.adopted is None


def reverted_too(world: World, revision: str | None) -> World:
    """The world in which this revision was taken back as well; one that a person wants again, once
    it has been, is not remembered."""
    asked = world.action
    if asked is not None and not world.memory.handled:
        again = asked.revision if asked.type == "Retry" else asked.to
        if revision == again:
            return world
    if revision is None or revision in world.reverted:
        return world
    return world._replace(reverted=world.reverted | {revision})

"""Visits every world that can be reached, nearest first, and checks what must hold in each.

Worlds are visited in the order of how many disturbances they took: first everything that a good
release can come to, then everything that one disturbance away from that, and so on. So a broken
invariant is found by its shortest story, and each world is planned for once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from headgate.core.intents import Plan, SetRole, SetTraffic
from headgate.core.observation import Observation
from headgate.core.plan import plan
from tests.exploration.events import all_goes_well, events_of
from tests.exploration.invariants import (
    PASSES_TO_REST,
    broken_at_rest,
    broken_by_pass,
    broken_by_write,
    deterministic,
)
from tests.exploration.moments import Pass, Write, shuffled, writes
from tests.exploration.scope import NOW, Scope
from tests.exploration.seeing import history_of, observation, store, there
from tests.exploration.world import World, nothing
from tests.exploration.writing import carry_out

LONGEST_WAY = 100
"""Passes and waits within which a release or a revert has to come to rest."""


@dataclass(frozen=True)
class Violation:
    """A broken invariant, and the shortest story that leads to it."""

    invariant: str
    sentence: str
    story: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.sentence}\n\n{self.story}"


@dataclass
class Findings:
    """What an exploration came to. `depth` is the longest of all shortest stories."""

    scope: Scope
    states: int = 0
    transitions: int = 0
    depth: int = 0
    passes_to_rest: int = 0
    way_to_rest: int = 0
    violations: list[Violation] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.scope.name}: {self.states:,} states, {self.transitions:,} transitions, "
            f"depth {self.depth}, at most {self.passes_to_rest} passes to a fixed point, "
            f"{self.way_to_rest} passes and waits to rest"
        )


@dataclass
class _Visited:
    """How a world was first reached, and what a whole pass makes of it."""

    parent: World | None
    words: str
    depth: int
    next: World


class Exploration:
    """One exploration of one scope. `most` violations are collected, each invariant once."""

    def __init__(self, scope: Scope, most: int = 1) -> None:
        self.scope = scope
        self.findings = Findings(scope)
        self._most = most
        self._visited: dict[World, _Visited] = {}
        self._known: set[str] = set()
        self._events = events_of(scope)
        self._one: dict[Any, Any] = {}

    def run(self) -> Findings:
        """Visit everything, then follow every world to its rest."""
        levels: list[deque[tuple[World, World | None, str, int]]] = [
            deque() for _ in range(self.scope.disturbances + 1)
        ]
        levels[0].append((nothing(self.scope, self.scope.sizes[0]), None, "", 0))
        for level, queue in enumerate(levels):
            while queue:
                world, parent, words, depth = queue.popleft()
                if world in self._visited:
                    continue
                for disturbs, how, after in self._visit(world, parent, words, depth):
                    self.findings.transitions += 1
                    at = level + disturbs
                    if at < len(levels) and after not in self._visited:
                        levels[at].append((self._shared(after), world, how, depth + 1))
                if self._enough:
                    return self.findings
        self._follow_to_rest()
        return self.findings

    @property
    def _enough(self) -> bool:
        return len(self.findings.violations) >= self._most

    def _shared(self, world: World) -> World:
        """The same world, its parts held in memory once."""
        one = self._one
        return world._replace(
            sides=one.setdefault(world.sides, world.sides),
            memory=one.setdefault(world.memory, world.memory),
            live=one.setdefault(world.live, world.live),
            checked=one.setdefault(world.checked, world.checked),
            reverted=one.setdefault(world.reverted, world.reverted),
        )

    def _visit(
        self, world: World, parent: World | None, words: str, depth: int
    ) -> Iterator[tuple[bool, str, World]]:
        seen = observation(world, self.scope)
        visited = _Visited(parent, words, depth, world)
        self._visited[world] = visited
        self.findings.states += 1
        self.findings.depth = max(self.findings.depth, depth)
        try:
            planned = plan(seen, NOW)
        except Exception as error:
            self._report("a_plan_can_be_made", repr(error), world)
            return
        stages = self._carry_out(world, seen, planned)
        end = store(stages[-1], planned.status)
        visited.next = end = self._shared(end)
        done = Pass(seen, planned, there(end, self.scope), NOW, history_of(end))
        for name, sentence in broken_by_pass(done):
            self._report(name, sentence, world)
        if (self.findings.states - 1) % self.scope.compared_each == 0:
            told = deterministic(planned, plan(shuffled(seen), NOW))
            if told:
                self._report("deterministic", told, world)
        if end != world:
            yield False, "a pass", end
        for event in self._events:
            for how, after in event.happen(world, self.scope):
                yield event.disturbs, how, after
        if "kill" not in self.scope.without:
            yield from self._cuts(world, planned, stages)

    def _carry_out(self, world: World, seen: Observation, planned: Plan) -> list[World]:
        stages = [world]
        before = there(world, self.scope)
        for intent in planned.intents:
            after_world = carry_out(stages[-1], intent, self.scope)
            stages.append(after_world)
            after = there(after_world, self.scope)
            write = Write(before, intent, after, seen, planned, NOW, history_of(world))
            for name, sentence in broken_by_write(write):
                self._report(name, f"{sentence} ({intent})", world)
            before = after
        return stages

    def _cuts(
        self, world: World, planned: Plan, stages: list[World]
    ) -> Iterator[tuple[bool, str, World]]:
        """The operator is killed after some of the writes, or the API server refuses one."""
        whole = len(stages) - 1
        for done, stage in enumerate(stages):
            killed = stage._replace(sample="", smoke=None)
            if killed != world:
                yield True, f"the operator is killed after {done} of {whole} writes", killed
            if done < whole and not isinstance(planned.intents[done], SetTraffic | SetRole):
                failed = store(stage, planned.status)
                yield True, f"write {done + 1} of {whole} is refused", failed

    def _report(self, name: str, sentence: str, world: World) -> None:
        if name in self._known or self._enough:
            return
        self._known.add(name)
        self.findings.violations.append(Violation(name, sentence, self._story(world)))

    def _story(self, world: World) -> str:
        from tests.exploration.telling import tell

        steps: list[tuple[str, World]] = []
        at: World | None = world
        while at is not None:
            visited = self._visited[at]
            steps.append((visited.words, at))
            at = visited.parent
        return tell(steps[::-1], self.scope)

    def _next(self, world: World) -> World:
        visited = self._visited.get(world)
        if visited is None:
            # Only what the bound on disturbances kept out.
            return _pass(world, self.scope)
        return visited.next

    def _follow_to_rest(self) -> None:
        """Passes alone come to a fixed point; passes and waiting come to rest."""
        rests: dict[World, int] = {}
        for world in list(self._visited):
            way, at = [world], world
            seen, passed = {world}, {world}
            while at not in rests:
                after = self._next(at)
                if after == at:
                    passed = set()
                    after = all_goes_well(at)
                    if after == at or self._next(after) == at:
                        self._check_rest(at, world)
                        rests[at] = 0
                        break
                elif after in passed or len(passed) > PASSES_TO_REST:
                    self._report("comes_to_a_fixed_point", f"{len(passed)} passes in a row", world)
                    rests[at] = 0
                    break
                elif after in seen or len(way) > LONGEST_WAY:
                    self._report("rests_with_stable", "it goes round in circles", world)
                    rests[at] = 0
                    break
                passed.add(after)
                seen.add(after)
                passes = len(passed) - 1
                self.findings.passes_to_rest = max(self.findings.passes_to_rest, passes)
                way.append(after)
                at = after
            for distance, each in enumerate(reversed(way)):
                rests.setdefault(each, rests[at] + distance)
            self.findings.way_to_rest = max(self.findings.way_to_rest, rests[world])
            if self._enough:
                return

    def _check_rest(self, rest: World, came_from: World) -> None:
        seen = observation(rest, self.scope)
        try:
            planned = plan(seen, NOW)
        except Exception:
            # Told where it was visited.
            return
        if writes(planned):
            told = f"at rest, and yet it writes {', '.join(map(str, planned.intents))}"
            self._report("comes_to_a_fixed_point", told, came_from)
        done = Pass(seen, planned, there(rest, self.scope), NOW, history_of(rest))
        for name, sentence in broken_at_rest(done):
            self._report(name, sentence, came_from)


@lru_cache(maxsize=100_000)
def _pass(world: World, scope: Scope) -> World:
    try:
        planned = plan(observation(world, scope), NOW)
    except Exception:
        # Told where it was visited.
        return world
    for intent in planned.intents:
        world = carry_out(world, intent, scope)
    return store(world, planned.status)


def explore(scope: Scope, most: int = 1) -> Findings:
    """Explore one scope; stop after so many different invariants were found broken."""
    return Exploration(scope, most).run()

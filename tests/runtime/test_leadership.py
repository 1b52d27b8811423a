"""Never two leaders: the table of decisions, and processes whose clocks, pauses and network are as
bad as they get."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.runtime.leadership import Lease, Standing, Step, Timing, decide

TIMING = Timing()
OURS, OTHERS, NOBODYS = Lease("7", "me", 15), Lease("7", "other", 15), Lease("7", "", 15)

LEADING = Standing("me", TIMING, OURS, seen=100, fresh=True, held=100)
STANDING_BY = Standing("me", TIMING, OTHERS, seen=100, fresh=True)


@pytest.mark.parametrize(
    ("standing", "now", "leaving", "step"),
    [
        (LEADING, 109.9, False, Step.RENEW),
        (LEADING, 110, False, Step.LOST),
        (LEADING.doubted(), 110, False, Step.LOST),
        (LEADING.doubted(), 110, True, Step.LOST),
        (LEADING.doubted(), 109, False, Step.READ),
        (LEADING.saw(None, 101), 101, False, Step.LOST),
        (LEADING.saw(OTHERS, 101), 101, False, Step.LOST),
        (LEADING.saw(NOBODYS, 101), 101, False, Step.LOST),
        (LEADING.saw(replace(OURS, version="8"), 101), 101, False, Step.RENEW),
        (LEADING, 101, True, Step.RELEASE),
        (LEADING.resigned(), 101, True, Step.RELEASE),
        (LEADING.resigned().doubted(), 101, True, Step.READ),
        (LEADING.resigned(), 101, False, Step.TAKE),
        (Standing("me", TIMING), 0, False, Step.READ),
        (Standing("me", TIMING), 0, True, Step.READ),
        (Standing("me", TIMING).saw(None, 5), 5, False, Step.TAKE),
        (STANDING_BY.saw(NOBODYS, 101), 101, False, Step.TAKE),
        (STANDING_BY, 114.9, False, Step.WAIT),
        (STANDING_BY, 115, False, Step.TAKE),
        (STANDING_BY, 115, True, Step.LEAVE),
        (STANDING_BY.saw(replace(OTHERS, version="8"), 114), 120, False, Step.WAIT),
        (STANDING_BY.saw(replace(OTHERS, duration=60.0), 101), 159, False, Step.WAIT),
    ],
)
def test_the_table(standing: Standing, now: float, leaving: bool, step: Step) -> None:
    assert decide(standing, now, leaving=leaving).step is step


def test_reading_the_same_version_again_does_not_start_the_wait_anew() -> None:
    assert decide(STANDING_BY.saw(OTHERS, 114), 115).step is Step.TAKE


def test_the_proportions_of_another_duration_are_the_same() -> None:
    assert Timing.of(15.0) == Timing()
    assert Timing.of(3.0).deadline < 3.0


@dataclass
class Sleep:
    """A process does nothing for some seconds of its own clock."""

    seconds: float


@dataclass
class Request:
    """A process asks the API server; `None` comes back when no answer did."""

    serve: Callable[[], object]


Life = Generator[Sleep | Request, object, None]
REFUSED = object()


class World:
    """An API server with one lease and three processes, each with a clock that starts anywhere and
    runs up to ten percent too fast or too slow. Requests are late, lost or answered in vain, and
    whole processes stand still for longer than the lease lasts.

    `careless` makes the processes break one of the two rules that the module states.
    """

    def __init__(self, seed: int, careless: str = "") -> None:
        self.chance = random.Random(seed)
        self.careless = careless
        self.time = 0.0
        self.lease: Lease | None = None
        self.versions = count(1)
        self.identities = count(1)
        self.order = count()
        self.due: list[tuple[float, int, Callable[[], None]]] = []
        self.standings: list[Standing] = []
        self.rates = [self.chance.uniform(0.9, 1.1) for _ in range(3)]
        self.offsets = [self.chance.uniform(0, 1e6) for _ in range(3)]
        self.led: set[str] = set()
        for number in range(3):
            self.standings.append(self.born())
            self.resume(self.life(number), None)

    def run(self, seconds: float) -> None:
        while self.due and self.due[0][0] < seconds:
            self.time, _, happens = heapq.heappop(self.due)
            self.check()
            happens()
            self.check()

    def check(self) -> None:
        leaders = [
            standing.identity
            for number, standing in enumerate(self.standings)
            if standing.remaining(self.clock(number)) > 0
        ]
        self.led.update(leaders)
        assert len(leaders) <= 1, f"{leaders} may all write at {self.time:.3f}"

    def clock(self, number: int) -> float:
        return self.offsets[number] + self.rates[number] * self.time

    def born(self) -> Standing:
        return Standing(f"process-{next(self.identities)}", TIMING)

    def life(self, number: int) -> Life:
        """What `headgate.runtime.leader` does, and what a supervisor does when it has ended."""
        while True:
            standing, began = self.standings[number], self.clock(number)
            leaving = standing.held is not None and self.chance.random() < 0.02
            step = decide(standing, began, leaving=leaving).step
            match step:
                case Step.READ:
                    answer = yield Request(lambda: (self.lease,))
                    if isinstance(answer, tuple):
                        seen = began - 30 if self.careless == "early" else self.clock(number)
                        standing = standing.saw(answer[0], seen)
                case Step.TAKE | Step.RENEW:
                    answer = yield Request(self.put(standing, standing.identity))
                    if isinstance(answer, Lease):
                        since = self.clock(number) if self.careless == "late" else began
                        standing = standing.wrote(answer, since)
                    else:
                        standing = standing.doubted()
                case Step.RELEASE:
                    self.standings[number] = standing.resigned()
                    yield Request(self.put(standing, ""))
                    standing = self.born()
                case Step.LOST:
                    standing = self.born()
                case _:
                    standing = standing.doubted()
            self.standings[number] = standing
            if step is not Step.READ:
                yield Sleep(TIMING.retry)

    def put(self, standing: Standing, holder: str) -> Callable[[], object]:
        def serve() -> object:
            seen = None if standing.lease is None else standing.lease.version
            stored = None if self.lease is None else self.lease.version
            if seen != stored and self.careless != "unconditional":
                return REFUSED
            self.lease = Lease(str(next(self.versions)), holder, TIMING.duration)
            return self.lease

        return serve

    def resume(self, life: Life, answer: object) -> None:
        try:
            wanted = next(life) if answer is None else life.send(answer)
        except StopIteration:
            return
        match wanted:
            case Sleep(seconds):
                self.after(seconds + self.pause(), lambda: self.resume(life, REFUSED))
            case Request(serve):
                self.travel(life, serve)

    def travel(self, life: Life, serve: Callable[[], object]) -> None:
        there, back, fate = self.delay(), self.delay() + self.pause(), self.chance.random()
        if fate < 0.05:
            self.after(5.0, lambda: self.resume(life, REFUSED))
            return

        def arrive() -> None:
            answer = serve()
            if fate >= 0.1:
                self.after(back, lambda: self.resume(life, answer))

        self.after(there, arrive)
        if fate < 0.1:
            # It is carried out, perhaps long after the one who asked has given up.
            self.after(5.0, lambda: self.resume(life, REFUSED))

    def after(self, seconds: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self.due, (self.time + seconds, next(self.order), happens))

    def delay(self) -> float:
        return self.chance.choice([0.001, 0.01, 0.1, 0.1, self.chance.uniform(0, 12)])

    def pause(self) -> float:
        return self.chance.uniform(1, 40) if self.chance.random() < 0.05 else 0.0


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_no_two_processes_ever_may_write_at_the_same_time(seed: int) -> None:
    world = World(seed)
    world.run(600)
    assert len(world.led) > 1, "nobody ever followed anybody: the world was too kind"


@pytest.mark.parametrize("careless", ["early", "late", "unconditional"])
def test_the_worlds_are_bad_enough_to_find_a_careless_process(careless: str) -> None:
    """`late`: the deadline counts from the answer to a renewal; `early`: the wait counts from
    before the version was seen; `unconditional`: the lease is written in whatever version."""

    def search() -> None:
        for seed in range(200):
            World(seed, careless).run(600)

    with pytest.raises(AssertionError, match="may all write"):
        search()

"""Warm-up requests raise a pod's counters, and are nobody's requests."""

import math

import pytest

from headgate.judge import Side, Verdict
from tests.judge.worlds import World, started


def joined(at: float, side: Side = Side.CANDIDATE) -> World:
    """A step under way, in which a pod joins whose warm-up is over at a moment."""
    world = started()
    world.sides["joined"] = side
    world.warm_from["joined"] = at
    return world


@pytest.mark.parametrize("side", list(Side))
def test_warm_up_requests_never_count_however_many_polls_see_them(side: Side) -> None:
    world = joined(math.inf, side)
    for _ in range(4):
        world.serve("joined", 100, 100, 100)
        judgement = world.poll()
    world.warm_from["joined"] = world.at + 5
    world.serve("joined", 50, 50, 50)
    world.poll()
    world.serve("joined", 30, 3, 6)
    world.poll()
    counts = world.evidence.candidate if side is Side.CANDIDATE else world.evidence.stable
    assert (counts.requests, counts.errors, counts.slower[1.0]) == (30, 3, 6)
    assert judgement.verdict is not Verdict.BAD


def test_a_pod_that_no_poll_saw_before_it_was_warm_starts_at_its_first_counters() -> None:
    world = joined(1000.0)
    world.poll()
    world.serve("joined", 200, 200)
    world.poll()
    assert world.evidence.candidate.requests == 0
    world.serve("joined", 20)
    world.poll()
    assert (world.evidence.candidate.requests, world.evidence.candidate.errors) == (20, 0)


def test_counters_that_may_have_been_scraped_during_the_warm_up_are_no_baseline() -> None:
    world = joined(0.0)
    world.age = 30.0
    world.warm_from["joined"] = world.at
    world.serve("joined", 10, 10)
    world.poll()
    # The scrape after that brings the rest of the warm-up.
    world.serve("joined", 90, 90)
    world.poll()
    world.serve("joined", 5)
    world.poll()
    world.serve("joined", 7)
    world.poll()
    assert world.evidence.candidate.errors == 0
    assert world.evidence.candidate.requests == 12


def test_an_outage_in_between_changes_nothing() -> None:
    world = joined(math.inf)
    world.serve("joined", 10, 10)
    world.poll()
    world.warm_from["joined"] = world.at + 20
    world.poll(outage="down")
    world.serve("joined", 90, 90)
    world.poll()
    world.serve("joined", 5)
    world.poll()
    assert (world.evidence.candidate.requests, world.evidence.candidate.errors) == (5, 0)


def test_a_warm_pod_that_restarts_is_counted_as_any_other() -> None:
    world = joined(1000.0)
    world.serve("joined", 100, 50)
    world.poll()
    world.counters["joined"] = [8.0, 2.0, 0.0]
    world.poll()
    assert (world.evidence.candidate.requests, world.evidence.candidate.errors) == (8, 2)

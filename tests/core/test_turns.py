"""Who may release now, and what the others are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.api.status import Release, Status
from headgate.core.turns import Caps, Entrant, entrant_of, turn_of

MINE = Entrant(("risk", "fraud"), since="2026-11-26T10:00:05.000Z")


def running(number: int, namespace: str = "risk") -> Entrant:
    return Entrant((namespace, f"running-{number}"), under_way=True)


def waiting(second: int, namespace: str = "risk") -> Entrant:
    since = f"2026-11-26T10:00:{second:02d}.000Z"
    return Entrant((namespace, f"waiting-{second}"), since=since)


@pytest.mark.parametrize(
    ("others", "caps", "sentence"),
    [
        ([], Caps(1, 1), ""),
        ([running(1), running(2)], Caps(), ""),
        ([running(1), running(2)], Caps(3, 3), ""),
        ([running(1)], Caps(1), "1 of 1 release is under way"),
        (
            [running(1), running(2), running(3), waiting(1), waiting(2)],
            Caps(None, 3),
            "3 of 3 releases are under way in namespace risk, 2 wait before it",
        ),
        (
            [running(1), running(2), waiting(1)],
            Caps(None, 3),
            "2 of 3 releases are under way in namespace risk, 1 waits before it",
        ),
        ([running(1), running(2), waiting(9)], Caps(None, 3), ""),
        ([running(1, "other"), running(2, "other")], Caps(None, 2), ""),
        (
            [running(1, "other"), running(2), waiting(1, "other")],
            Caps(2),
            "2 of 2 releases are under way, 1 waits before it",
        ),
        # The namespace of those before is full: they hold up nobody else.
        ([running(1, "other"), waiting(1, "other"), waiting(2, "other")], Caps(2, 1), ""),
    ],
)
def test_whose_turn_it_is(others: list[Entrant], caps: Caps, sentence: str) -> None:
    turn = turn_of(MINE, others, caps)
    assert turn.granted == (not sentence)
    assert turn.sentence == sentence


@pytest.mark.parametrize(
    ("release", "counts"),
    [
        (None, False),
        (Release(revision="a"), True),
        (Release(revision="a", stage="Stepping"), True),
        (Release(revision="a", stage="Reverting"), True),
        (Release(revision="a", stage="Watching"), False),
        (Release(revision="a", direct=True), False),
    ],
)
def test_what_counts_as_under_way(release: Release | None, counts: bool) -> None:
    entrant = entrant_of(("risk", "fraud"), Status(release=release, queued="since"))
    assert entrant.under_way is counts
    assert entrant.since == ("" if counts else "since")


ENTRANTS = st.lists(
    st.builds(
        Entrant,
        st.tuples(st.sampled_from("ab"), st.text("xyz", min_size=1, max_size=3)),
        st.booleans(),
        st.sampled_from(["1", "2", "3", "4"]),
    ),
    max_size=12,
    unique_by=lambda each: each.key,
)
CAP = st.none() | st.integers(1, 4)


@given(entrants=ENTRANTS, everywhere=CAP, per_namespace=CAP)
def test_whatever_order_they_ask_in_the_caps_hold_and_nobody_starves(
    entrants: list[Entrant], everywhere: int | None, per_namespace: int | None
) -> None:
    caps = Caps(everywhere, per_namespace)
    queue = {each.key: each for each in entrants}
    for key in [each.key for each in entrants if not each.under_way]:
        if turn_of(queue[key], queue.values(), caps).granted:
            queue[key] = Entrant(key, under_way=True)
            started = [each.key for each in queue.values() if each.under_way]
            in_namespace = [each for each in started if each[0] == key[0]]
            assert everywhere is None or len(started) <= everywhere
            assert per_namespace is None or len(in_namespace) <= per_namespace
    left = {each.key: Entrant(each.key, since=each.since) for each in entrants}
    for _ in range(len(left)):
        granted = [key for key, each in left.items() if turn_of(each, left.values(), caps).granted]
        assert bool(granted) == bool(left)
        for key in granted[:1]:
            del left[key]

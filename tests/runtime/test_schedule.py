"""When a key is due: without tasks, at times of our own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.runtime.schedule import LONGEST_BACK_OFF, QUARANTINE, Schedule


def test_the_earliest_request_wins() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", 30.0)
    schedule.add("a", 10.0)
    schedule.add("a", 20.0)
    assert schedule.next_due() == 10.0
    assert schedule.take(9.9) is None
    assert schedule.take(10.0) == "a"
    schedule.succeed("a", 10.0, None)
    assert schedule.take(100.0) is None


def test_a_key_added_while_it_runs_runs_again_afterwards() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", 0.0)
    assert schedule.take(0.0) == "a"
    schedule.add("a", 1.0)
    assert schedule.take(1.0) is None
    schedule.succeed("a", 2.0, None)
    assert schedule.take(2.0) == "a"


def test_a_running_key_does_not_hold_up_another() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", 0.0)
    schedule.add("b", 0.5)
    assert schedule.take(1.0) == "a"
    schedule.add("a", 0.6)
    assert schedule.take(1.0) == "b"
    assert schedule.running == {"a", "b"}


def test_back_off_doubles_up_to_its_cap_and_ends_with_a_success() -> None:
    schedule: Schedule[str] = Schedule()
    now, delays = 0.0, []
    schedule.add("a", now)
    for _ in range(9):
        assert schedule.take(now) == "a"
        delays.append(schedule.fail("a", now))
        now += delays[-1]
    assert delays == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_BACK_OFF, LONGEST_BACK_OFF]
    assert schedule.take(now) == "a"
    schedule.succeed("a", now, 5.0)
    assert schedule.take(now + 5.0) == "a"
    assert schedule.fail("a", now + 5.0) == 0.25


def test_a_quarantined_key_waits_until_its_object_changes() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", 0.0)
    assert schedule.take(0.0) == "a"
    schedule.quarantine("a", 0.0)
    schedule.add("a", 1.0)
    assert schedule.take(QUARANTINE - 1.0) is None
    schedule.add("a", 2.0, changed=True)
    assert schedule.take(2.0) == "a"


def test_a_quarantined_key_is_looked_at_now_and_then() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", 0.0)
    assert schedule.take(0.0) == "a"
    schedule.quarantine("a", 0.0)
    assert schedule.next_due() == QUARANTINE


def test_a_change_during_the_pass_that_quarantines_is_not_lost() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", 0.0)
    assert schedule.take(0.0) == "a"
    schedule.add("a", 0.5, changed=True)
    schedule.quarantine("a", 1.0)
    assert schedule.take(1.0) == "a"


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "change", "take", "succeed", "fail", "quarantine"]),
        st.sampled_from(["a", "b", "c"]),
        st.floats(min_value=0, max_value=50),
    ),
    max_size=60,
)


@given(ACTIONS)
def test_what_was_asked_for_is_done_once_at_a_time(actions: list[tuple[str, str, float]]) -> None:
    schedule: Schedule[str] = Schedule()
    now = 0.0
    for action, key, seconds in actions:
        now += seconds / 10
        if action in ("add", "change"):
            schedule.add(key, now + seconds, changed=action == "change")
        elif action == "take":
            before = schedule.running
            taken = schedule.take(now)
            assert taken is None or taken not in before
        elif key in schedule.running:
            if action == "succeed":
                schedule.succeed(key, now, seconds)
            elif action == "fail":
                schedule.fail(key, now)
            else:
                schedule.quarantine(key, now)
    for key in schedule.running:
        schedule.succeed(key, now, None)
    asked = "last"
    schedule.add(asked, now)
    later = now + QUARANTINE + 100.0
    found = set()
    while (taken := schedule.take(later)) is not None:
        assert taken not in found
        found.add(taken)
    assert asked in found
    assert schedule.next_due() is None


@pytest.mark.parametrize("again", [0.0, 0.5, None])
def test_a_success_says_when_to_look_again(again: float | None) -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", 0.0)
    assert schedule.take(0.0) == "a"
    schedule.succeed("a", 10.0, again)
    assert schedule.next_due() == (None if again is None else 10.0 + again)

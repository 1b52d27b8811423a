"""All invariants, by the moments that they are checked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from headgate.core.intents import Plan
from tests.exploration import of_passes, of_rests, of_writes
from tests.exploration.moments import Pass, Write

PASSES_TO_REST = 8

OF_A_WRITE: tuple[Callable[[Write], str | None], ...] = (
    of_writes.pins_to_a_side_that_answers,
    of_writes.shares_between_two_only,
    of_writes.only_checked_revisions_serve,
    of_writes.rejected_revisions_stay_away,
    of_writes.share_within_the_step,
    of_writes.surge_is_bounded,
    of_writes.capacity_is_kept,
    of_writes.the_version_before_is_kept,
    of_writes.swapping_takes_no_more_room,
    of_writes.what_was_adopted_goes_last,
    of_writes.a_restart_happens_once,
    of_writes.a_restart_moves_no_traffic,
    of_writes.a_restart_keeps_the_pace,
)
OF_A_PASS: tuple[Callable[[Pass], str | None], ...] = (
    of_passes.stays_within_64_kib,
    of_passes.no_step_with_something_missing,
    of_passes.suspended_means_no_step,
    of_passes.missing_data_is_never_good,
    of_passes.the_first_write_of_a_revert_pins,
    of_passes.conditions_agree,
    of_passes.generation_never_goes_back,
    of_passes.looks_again,
    of_passes.a_freeze_window_holds_releases,
    of_passes.a_release_waits_for_its_turn,
    of_passes.what_is_kept_stays_until_its_time_is_over,
)
OF_A_REST: tuple[Callable[[Pass], str | None], ...] = (
    of_rests.rests_with_stable,
    of_rests.children_of_nobody_are_gone,
    of_rests.what_was_adopted_is_gone,
    of_rests.a_restart_is_not_forgotten,
    of_rests.a_restart_ends,
)


def broken_by_write(write: Write) -> Iterator[tuple[str, str]]:
    """Names and sentences of the invariants that a write breaks."""
    return _broken(OF_A_WRITE, write)


def broken_by_pass(done: Pass) -> Iterator[tuple[str, str]]:
    """Names and sentences of the invariants that a whole pass breaks."""
    return _broken(OF_A_PASS, done)


def broken_at_rest(done: Pass) -> Iterator[tuple[str, str]]:
    """Names and sentences of the invariants that are broken where nothing more happens."""
    return _broken(OF_A_REST, done)


Moment = TypeVar("Moment")


def _broken(
    invariants: tuple[Callable[[Moment], str | None], ...], moment: Moment
) -> Iterator[tuple[str, str]]:
    for invariant in invariants:
        sentence = invariant(moment)
        if sentence is not None:
            yield invariant.__name__, sentence


def deterministic(first: Plan, second: Plan) -> str | None:
    """§2: "Deterministic": the same world, its objects listed in another order, is answered by the
    same writes. (Of pods that are alike, a sentence may name either.)"""
    same = sorted(map(str, first.intents)) == sorted(map(str, second.intents))
    if same and [each.reason for each in first.notes] == [each.reason for each in second.notes]:
        return None
    return f"{first.intents} and {second.intents} for the same world"

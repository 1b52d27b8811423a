"""Planners that are broken on purpose, one for each invariant: what is not seen to fail proves
nothing. Each break replaces one function of the core by a worse one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from headgate.core import (
    adoption,
    advancing,
    capacity,
    desire,
    difference,
    judging,
    keeping,
    lifecycle,
    plan,
    recovery,
    report,
    restarting,
)
from headgate.core.desire import Desire
from headgate.core.intents import Intent, Plan, RemoveWorkload, RestartWorkload, SetRole
from headgate.core.observation import NOWHERE, Observation, Pace, Pod
from headgate.core.state import State
from headgate.core.steps import Step
from headgate.core.weights import Split
from headgate.judge import Evidence, Judgement, Verdict
from tests.exploration.events import EVENTS
from tests.exploration.scope import BLUE_GREEN, CANARY, Scope
from tests.exploration.scopes import AUTO, SWAP

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Break:
    """A broken planner, the invariant that it breaks, and a small world in which it shows."""

    name: str
    invariant: str
    patch: Patch
    scope: Scope


def _scope(*disturbing: str, **changes: Any) -> Scope:
    """A canary of 2 in which nothing disturbs but what is named."""
    every = {"kill", *(event.name for event in EVENTS if event.disturbs)}
    small = Scope("canary of 2", (CANARY,), (2,), without=frozenset(every - {*disturbing}))
    return replace(small, compared_each=1, **changes)


def _always(owner: Any, name: str, value: Any) -> Patch:
    """A function that answers the same whatever it is asked."""
    return lambda patch: patch.setattr(owner, name, lambda *_, **__: value)


def _in_chain(name: str, link: Callable[[State], State]) -> Patch:
    """One link of the planner's chain replaced."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        chain = tuple(link if each.__name__ == name else each for each in plan.CHAIN)
        patch.setattr(plan, "CHAIN", chain)

    return apply


def _pin_to_nobody(patch: pytest.MonkeyPatch) -> None:
    right = desire._may_pin

    def wrong(state: State, rejected: bool) -> bool:
        return right(state, rejected) or not state.seen.ready(state.stable)

    patch.setattr(desire, "_may_pin", wrong)


def _only_the_candidate_waits(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State) -> list[Pod]:
        pods = state.seen.pods_of(state.candidate)
        return [pod for pod in pods if pod.waiting == capacity.UNSCHEDULABLE]

    patch.setattr(capacity, "_unschedulable", wrong)


def _only_status_knows_of_swapping(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(desire, "_cramped", lambda state: state.swaps)


def _skip_smoke(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(advancing, "smoke", lambda state: state.proceed(smoked=True))


def _greedy_targets(patch: pytest.MonkeyPatch) -> None:
    targets = desire.targets

    def greedy(state: State) -> Split:
        wanted = targets(state)
        if state.release is not None and state.release.stage == "Stepping":
            return Split(max(0, wanted.stable - 1), wanted.candidate + 1)
        return wanted

    patch.setattr(desire, "targets", greedy)


def _bloated_evidence(patch: pytest.MonkeyPatch) -> None:
    to_dict = Evidence.to_dict
    patch.setattr(Evidence, "to_dict", lambda self: {**to_dict(self), "journal": "x" * 60_000})


def _never_suspended(state: State) -> State:
    seen = state.seen
    going = replace(seen, spec=seen.spec.model_copy(update={"suspend": False}))
    return advancing.advance(state.change(seen=going)).change(seen=seen)


def _writes_backwards(patch: pytest.MonkeyPatch) -> None:
    right = difference.difference
    patch.setattr(plan, "difference", lambda state, desired: right(state, desired)[::-1])


def _old_generation(patch: pytest.MonkeyPatch) -> None:
    right = report.report

    def wrong(state: State, desired: Desire, intents: tuple[Intent, ...]) -> Plan:
        answer = right(state, desired, intents)
        old = state.seen.status.observed_generation
        status = answer.status.model_copy(update={"observed_generation": old})
        return replace(answer, status=status)

    patch.setattr(plan, "report", wrong)


def _by_the_order_of_pods(patch: pytest.MonkeyPatch) -> None:
    right = difference.difference

    def wrong(state: State, desired: Desire) -> tuple[Intent, ...]:
        intents, pods = right(state, desired), state.seen.pods
        return intents[:-1] if pods and pods[0].revision == state.stable else intents

    patch.setattr(plan, "difference", wrong)


def _roles_to_and_fro(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State, desired: Desire) -> list[Intent]:
        now = state.seen.roles.get("candidate")
        return [SetRole("candidate", NOWHERE if now != NOWHERE else "a")]

    patch.setattr(difference, "_roles", wrong)


def _removes_nothing(patch: pytest.MonkeyPatch) -> None:
    right = difference._fewer_pods
    patch.setattr(
        difference,
        "_fewer_pods",
        lambda state, desired: [
            each for each in right(state, desired) if not isinstance(each, RemoveWorkload)
        ],
    )


def _step_by_index(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State) -> Step:
        return state.steps[state.release.step if state.release is not None else 0]

    patch.setattr(State, "step", property(wrong))


def _only_the_service_knows(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State) -> str | None:
        live = state.seen.live
        return state.seen.inherited if live is None else live.adopted

    for module in (adoption, difference, report):
        patch.setattr(module, "adopted_mark", wrong)


def _forgets_what_is_shared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recovery, "_adopt_shared", lambda state: state)


def _restarts_again(state: State) -> State:
    workload, at = state.seen.workload(state.stable), state.seen.spec.restart_at
    if state.release is not None or workload is None or at is None:
        return state
    return state.change(restarts=(RestartWorkload(workload.revision, at, Pace(1, 0)),))


def _all_pods_take_room(patch: pytest.MonkeyPatch) -> None:
    def wrong(state: State, revision: str | None) -> int:
        return max(desire._current(state, revision), len(state.seen.pods_of(revision)))

    patch.setattr(desire, "_taken", wrong)


def _out_of_turn(state: State) -> State:
    return lifecycle.start(state.change(seen=replace(state.seen, turn=None)))


BREAKS = (
    Break(
        "a revert pins without looking",
        "pins_to_a_side_that_answers",
        _pin_to_nobody,
        _scope("want", "unready", "other-sample", disturbances=3),
    ),
    Break(
        "traffic is shared without looking for strangers",
        "shares_between_two_only",
        _always(Observation, "strangers", ()),
        _scope("want", revisions=3),
    ),
    Break(
        "smoke checks are skipped",
        "only_checked_revisions_serve",
        _skip_smoke,
        _scope(disturbances=0),
    ),
    Break(
        "nothing is refused",
        "rejected_revisions_stay_away",
        _always(lifecycle, "refused", False),
        _scope("want", "other-sample"),
    ),
    Break(
        "steps are overdone",
        "share_within_the_step",
        _greedy_targets,
        _scope("want", disturbances=1),
    ),
    Break(
        "surge is unlimited",
        "surge_is_bounded",
        _always(desire, "surge_of", 5),
        _scope("want", sizes=(3,), disturbances=1),
    ),
    Break(
        "what is only unwanted leaves as fast as what is bad",
        "capacity_is_kept",
        _always(desire, "_floor", 1),
        _scope("want"),
    ),
    Break(
        "nothing is kept of the version before",
        "the_version_before_is_kept",
        _always(keeping, "kept_of", 0),
        _scope("want", disturbances=1),
    ),
    Break(
        "what is kept after the watch goes with it",
        "the_version_before_is_kept",
        _always(desire, "kept_now", 0),
        _scope("want", disturbances=1, strategies=(BLUE_GREEN,), keep_for="48h"),
    ),
    Break(
        "what is kept goes when the watch ends",
        "what_is_kept_stays_until_its_time_is_over",
        _always(keeping, "keeping_left", 0.0),
        _scope("want", disturbances=1, strategies=(BLUE_GREEN,), keep_for="48h"),
    ),
    Break(
        "swapping knows no ready floor",
        "capacity_is_kept",
        _always(capacity, "ready_floor_of", 0),
        _scope("want", "unready", sizes=(3,), strategies=(SWAP,)),
    ),
    Break(
        "only the candidate's pods may lack a place",
        "rests_with_stable",
        _only_the_candidate_waits,
        _scope("want", "lose-status", strategies=(AUTO,), places=2),
    ),
    Break(
        "only status knows of swapping",
        "rests_with_stable",
        _only_status_knows_of_swapping,
        _scope(
            *("want", "crash", "lose-status"),
            **{"sizes": (1,), "strategies": (AUTO,), "places": 1, "disturbances": 3},
        ),
    ),
    Break(
        "swapping does not wait for room",
        "swapping_takes_no_more_room",
        _always(capacity, "_room", 2),
        _scope("want", disturbances=1, strategies=(SWAP,)),
    ),
    Break(
        "freeze windows only keep releases from beginning",
        "a_freeze_window_holds_releases",
        _always(advancing, "freeze", ""),
        _scope("want", "freeze", freezes=True),
    ),
    Break(
        "nobody waits for a turn",
        "a_release_waits_for_its_turn",
        _in_chain("start", _out_of_turn),
        _scope("want", "turn", capped=True),
    ),
    Break("evidence grows", "stays_within_64_kib", _bloated_evidence, _scope(disturbances=0)),
    Break(
        "damage is not seen",
        "no_step_with_something_missing",
        _in_chain("find_damage", lambda state: state),
        _scope("want", "edit-deployment"),
    ),
    Break(
        "suspend is ignored",
        "suspended_means_no_step",
        _in_chain("advance", _never_suspended),
        _scope("suspend", disturbances=1),
    ),
    Break(
        "whatever is not Bad is Good",
        "missing_data_is_never_good",
        _always(judging, "judge", Judgement(Verdict.GOOD, "WithinLimit", "fine")),
        _scope("want", "other-sample"),
    ),
    Break(
        "writes come in the opposite order",
        "the_first_write_of_a_revert_pins",
        _writes_backwards,
        _scope("want", "other-sample"),
    ),
    Break(
        "a step counts as rest",
        "conditions_agree",
        lambda patch: patch.setattr("headgate.core.conditions.AT_REST", {"Progressing"}),
        _scope("want", disturbances=1),
    ),
    Break(
        "the old generation is told",
        "generation_never_goes_back",
        _old_generation,
        _scope(disturbances=0),
    ),
    Break(
        "nothing is looked at again",
        "looks_again",
        _always(report, "_requeue_after", None),
        _scope(disturbances=0),
    ),
    Break(
        "writes hang on the order of pods",
        "deterministic",
        _by_the_order_of_pods,
        _scope("want", disturbances=1),
    ),
    Break(
        "a role goes to and fro",
        "comes_to_a_fixed_point",
        _roles_to_and_fro,
        _scope(disturbances=0),
    ),
    Break(
        "a revert never ends",
        "rests_with_stable",
        _in_chain("conclude", lambda state: state),
        _scope("want", "other-sample"),
    ),
    Break(
        "nothing is removed",
        "children_of_nobody_are_gone",
        _removes_nothing,
        _scope("want", disturbances=1),
    ),
    Break(
        "steps that are gone are looked up",
        "a_plan_can_be_made",
        _step_by_index,
        _scope("want", "scale", sizes=(2, 0)),
    ),
    Break(
        "a lost status forgets with whom traffic is shared",
        "capacity_is_kept",
        _forgets_what_is_shared,
        _scope("want", "lose-status", disturbances=3),
    ),
    Break(
        "what is taken over is pinned to nobody",
        "pins_to_a_side_that_answers",
        _always(desire, "inherits", False),
        _scope(found="both", disturbances=0),
    ),
    Break(
        "what was adopted goes at once",
        "what_was_adopted_goes_last",
        _always(adoption, "leaves_in", 0.0),
        _scope(found="Deployment", disturbances=0),
    ),
    Break(
        "what was adopted never goes",
        "what_was_adopted_is_gone",
        _always(adoption, "leaves_in", None),
        _scope(found="Deployment", disturbances=0),
    ),
    Break(
        "only the Service knows what was adopted",
        "what_was_adopted_is_gone",
        _only_the_service_knows,
        _scope("delete-live", found="both", disturbances=1),
    ),
    Break(
        "a restart is carried out on and on",
        "a_restart_happens_once",
        _in_chain("restart", _restarts_again),
        _scope("restart", restarts=1, disturbances=1),
    ),
    Break(
        "a restart waits for nothing",
        "a_restart_moves_no_traffic",
        _always(restarting, "_hindrance", ""),
        _scope("want", "restart", restarts=1),
    ),
    Break(
        "nobody restarts",
        "a_restart_is_not_forgotten",
        _in_chain("restart", lambda state: state),
        _scope("restart", restarts=1, disturbances=1),
    ),
    Break(
        "a restart goes as fast as it likes",
        "a_restart_keeps_the_pace",
        _always(restarting, "_pace", Pace(1, 1)),
        _scope("restart", restarts=1, disturbances=1),
    ),
    Break(
        "a restart waits for a place for ever",
        "a_restart_ends",
        _always(restarting, "_without_place", None),
        _scope("restart", sizes=(1,), strategies=(AUTO,), places=1, restarts=1, disturbances=1),
    ),
    Break(
        "stable shrinks in the middle of a restart",
        "capacity_is_kept",
        lambda patch: patch.setattr(desire, "shrunk", lambda state, revision, wanted: wanted),
        _scope("want", "restart", strategies=(SWAP,), places=2, restarts=1),
    ),
    Break(
        "a pod without a place takes room",
        "rests_with_stable",
        _all_pods_take_room,
        _scope("want", "restart", sizes=(1,), strategies=(AUTO,), places=1, restarts=1),
    ),
)

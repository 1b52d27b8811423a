"""Each invariant is seen to fail: a planner that is broken on purpose is found out by it."""

from __future__ import annotations

import pytest

from tests.exploration import invariants
from tests.exploration.breaks import BREAKS, Break
from tests.exploration.explore import explore

OF_THE_WAY = {"a_plan_can_be_made", "deterministic", "comes_to_a_fixed_point"}
"""Invariants of whole ways, which the exploration checks itself."""


@pytest.mark.parametrize("broken", BREAKS, ids=lambda each: each.name.replace(" ", "-"))
def test_broken_planner_is_found_out(broken: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    broken.patch(monkeypatch)

    findings = explore(broken.scope)

    assert [each.invariant for each in findings.violations] == [broken.invariant]
    story = findings.violations[0].story
    assert story.startswith(broken.scope.name)
    assert "- and then, in a pass:" in story


def test_every_invariant_has_a_planner_that_breaks_it() -> None:
    functions = (*invariants.OF_A_WRITE, *invariants.OF_A_PASS, *invariants.OF_A_REST)
    names = {each.__name__ for each in functions} | OF_THE_WAY
    assert {each.invariant for each in BREAKS} == names

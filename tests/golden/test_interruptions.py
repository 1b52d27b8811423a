"""The same stories with the operator killed at random between any two writes, status unwritten."""

from __future__ import annotations

import random

import pytest

from tests.golden.catalogue import STORIES
from tests.golden.story import Teller


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("name", STORIES)
def test_story_ends_the_same_when_the_operator_is_killed(name: str, seed: int) -> None:
    whole = Teller(STORIES[name]).run()
    torn = Teller(STORIES[name], random.Random(f"{name}/{seed}")).run()
    assert (torn.phase, torn.stable, torn.traffic) == (whole.phase, whole.stable, whole.traffic)
    assert torn.outcomes == whole.outcomes

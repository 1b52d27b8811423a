"""Every story that is told: one dictionary a subject, collected here."""

from __future__ import annotations

from collections.abc import Mapping

from tests.golden.stories import STORIES as RELEASES
from tests.golden.stories_actions import STORIES as ACTIONS
from tests.golden.stories_adoption import STORIES as ADOPTION
from tests.golden.stories_exploration import STORIES as EXPLORATION
from tests.golden.stories_freeze import STORIES as FREEZES
from tests.golden.stories_ingress import STORIES as INGRESS
from tests.golden.stories_strategy import STORIES as STRATEGIES
from tests.golden.stories_turns import STORIES as TURNS
from tests.golden.stories_verdicts import STORIES as VERDICTS
from tests.golden.stories_warmup import STORIES as WARM_UP
from tests.golden.stories_workload import STORIES as WORKLOAD
from tests.golden.story import Story

STORIES: Mapping[str, Story] = {
    **RELEASES,
    **ACTIONS,
    **ADOPTION,
    **EXPLORATION,
    **FREEZES,
    **INGRESS,
    **STRATEGIES,
    **TURNS,
    **VERDICTS,
    **WARM_UP,
    **WORKLOAD,
}

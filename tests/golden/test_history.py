"""What is left of a release in history: reason, weight, times, and the numbers of the verdict."""

from __future__ import annotations

import pytest

from headgate.api.status import ReleaseRecord
from headgate.core.timing import to_seconds
from tests.golden.catalogue import STORIES
from tests.golden.story import Teller


def last_release(story: str) -> ReleaseRecord:
    teller = Teller(STORIES[story])
    teller.run()
    record = teller.world.status.releases[-1]
    assert to_seconds(record.finished) >= to_seconds(record.started) > 0
    return record


@pytest.mark.parametrize(
    ("story", "outcome", "weight", "verdict"),
    [
        ("canary-good", "Promoted", 100, "Good: live version 0.0 % errors"),
        ("canary-errors", "Reverted", 20, "Bad: candidate 30.0 % errors against 0.0 % (20 and 80"),
        ("bad-at-ninety", "Reverted", 90, "Bad: candidate"),
        ("aborted-and-retried", "Promoted", 100, "Good: live version"),
        ("undone-in-watch", "Undone", 100, "Unknown: live version"),
        ("blue-green-smoke", "Reverted", 0, ""),
    ],
)
def test_a_release_leaves_its_numbers(story: str, outcome: str, weight: int, verdict: str) -> None:
    record = last_release(story)
    assert (record.outcome, record.weight) == (outcome, weight)
    assert record.verdict.startswith(verdict), record.verdict
    assert bool(record.verdict) == bool(verdict)

"""What came of one release: pure, from the answers that users got and what the cluster recorded.

Above `stories` and `samples`; `releasing` collects the inputs, `table` shows the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hack.demo.stories import Release, Story
from hack.load.answers import Answer
from hack.load.report import between, failed, last_answer_of

GRACE = 10.0
"""Seconds after the pinning within which established connections may still bring answers of the
reverted version: its pods drain, and a pod's Service rules are taken away by every node."""


@dataclass(frozen=True)
class Pinning:
    """The live Service's selector from a time on: its revision, None while it is shared."""

    at: float
    revision: str | None


@dataclass(frozen=True)
class Played:
    """What was recorded of a release. Times are epoch seconds.

    `until` is when the next release was applied or the load ended, `first_bad` the time of the
    first bad sample in Prometheus, `finished` when the operator called it over. An outcome of ""
    means that no end was seen; `trouble` then says why.
    """

    story: Story
    release: Release
    applied: float
    until: float
    outcome: str = ""
    reason: str = ""
    weight: int = 0
    revision: str = ""
    finished: float | None = None
    first_bad: float | None = None
    pinned: float | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Finding:
    """What to say of a release. Durations are in seconds; `faults` is empty when all is right."""

    played: Played
    sent: int
    failed: int
    to_pinned: float | None
    to_last_bad: float | None
    faults: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether everything about it was as it must be."""
        return not self.faults


def pinned_back(history: Sequence[Pinning], stable: str, since: float) -> float | None:
    """When the live Service went back to `stable` after it had left it, or None.

    A release that never got live traffic leaves the Service where it was: None as well.
    """
    left = False
    for each in history:
        if each.at < since:
            continue
        if each.revision != stable:
            left = True
        elif left:
            return each.at
    return None


def last_bad_answer(answers: Sequence[Answer], version: str) -> float | None:
    """When a user last got a failure, or any answer at all of `version`."""
    times = [answer.ended for answer in failed(answers)]
    last = last_answer_of(answers, version)
    return max([*times, last] if last is not None else times, default=None)


def find(played: Played, answers: Sequence[Answer]) -> Finding:
    """Judge a release by every answer of its ModelDeployment."""
    during = between(answers, played.applied, played.until)
    bad = failed(during)
    last_bad = None if played.release.good else last_bad_answer(during, played.release.version)
    pinned = played.pinned
    return Finding(
        played=played,
        sent=len(during),
        failed=len(bad),
        to_pinned=_difference(played.first_bad, pinned),
        to_last_bad=_difference(pinned, last_bad),
        faults=tuple(_faults(played, during, bad)),
    )


def _difference(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else end - begin


def _faults(played: Played, during: Sequence[Answer], bad: Sequence[Answer]) -> list[str]:
    release = played.release
    faults = [played.trouble] if played.trouble else []
    if played.outcome != release.right:
        faults.append(
            f"was to be {release.right}, but "
            + (f"is {played.outcome}" if played.outcome else "has not ended")
        )
    if not any(answer.version == release.version for answer in during):
        faults.append("answered no request of a user")
    if release.good:
        if bad:
            faults.append(f"{len(bad)} requests failed while it was released ({_cause(bad[0])})")
        return faults
    if played.pinned is None:
        return [*faults, "the live Service was not seen to go back"]
    end = played.pinned + GRACE
    late = [answer for answer in during if answer.version == release.version and answer.sent > end]
    if late:
        faults.append(f"answered {len(late)} requests later than {GRACE:.0f} s after the pinning")
    after = [answer for answer in bad if answer.sent > end]
    if after:
        faults.append(
            f"{len(after)} requests failed later than {GRACE:.0f} s after the pinning "
            f"({_cause(after[0])})"
        )
    return faults


def _cause(answer: Answer) -> str:
    return answer.error or f"status {answer.status}"

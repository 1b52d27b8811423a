"""What a record of answers says: pure functions from answers to counts, shares and times.

Above `answers`. The demonstration and the tests on a cluster judge a release with these, so each
counts exactly what its docstring says. An answer without a version (no answer at all, or one from
something other than the model server) is counted under None.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hack.load.answers import Answer

Version = str | None


def between(answers: Iterable[Answer], since: float, until: float = math.inf) -> list[Answer]:
    """The answers whose requests were sent at `since` or later, and before `until`."""
    return [answer for answer in answers if since <= answer.sent < until]


def failed(answers: Iterable[Answer]) -> list[Answer]:
    """Those that failed; see `Answer.failed`."""
    return [answer for answer in answers if answer.failed]


def sent_by_version(answers: Iterable[Answer]) -> Counter[Version]:
    """How many requests each version answered."""
    return Counter(answer.version for answer in answers)


def failed_by_version(answers: Iterable[Answer]) -> Counter[Version]:
    """How many requests failed, by the version that answered them."""
    return sent_by_version(failed(answers))


def failures_by_cause(answers: Iterable[Answer]) -> Counter[str]:
    """How many requests failed, by status or kind of error."""
    return Counter(
        answer.error.partition(":")[0] if answer.error else f"status {answer.status}"
        for answer in failed(answers)
    )


def last_bad_answer(answers: Iterable[Answer]) -> float | None:
    """When the last failure reached the client, in epoch seconds; None without one."""
    return max((answer.ended for answer in failed(answers)), default=None)


def first_answer_of(answers: Iterable[Answer], version: str) -> float | None:
    """When the first answer of a version reached the client, in epoch seconds, or None."""
    return min((answer.ended for answer in answers if answer.version == version), default=None)


def last_answer_of(answers: Iterable[Answer], version: str) -> float | None:
    """When the last answer of a version reached the client, in epoch seconds, or None."""
    return max((answer.ended for answer in answers if answer.version == version), default=None)


def share_of(answers: Sequence[Answer], version: str) -> float:
    """The share, 0 to 1, of all requests that a version answered; NaN without requests."""
    return sent_by_version(answers)[version] / len(answers) if answers else math.nan


def accuracy_by_version(answers: Iterable[Answer]) -> dict[Version, float]:
    """The share of right predictions among those that each version made."""
    made: Counter[Version] = Counter()
    right: Counter[Version] = Counter()
    for answer in answers:
        if answer.right is not None:
            made[answer.version] += 1
            right[answer.version] += answer.right
    return {version: right[version] / made[version] for version in made}


def duration_quantile(answers: Iterable[Answer], quantile: float) -> float:
    """The smallest duration, in seconds, that at least this share (0 to 1) stays within; NaN
    without answers. Failed ones count with the time they took to fail."""
    durations = sorted(answer.duration for answer in answers)
    if not durations:
        return math.nan
    return durations[max(math.ceil(quantile * len(durations)) - 1, 0)]


@dataclass(frozen=True)
class Summary:
    """A record in a few numbers; `accuracy` from 0 to 1, `p50` and `p99` in seconds."""

    sent: int
    failed: int
    by_connection: Mapping[str, int]
    reused: int
    by_version: Mapping[Version, int]
    failed_by_version: Mapping[Version, int]
    causes: Mapping[str, int]
    accuracy: Mapping[Version, float]
    p50: float
    p99: float

    def text(self) -> str:
        """The summary for people, one line for each version and each cause of failures."""
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.by_connection.items()))
        lines = [
            f"{self.sent:,} requests ({kinds}; {self.reused:,} on a reused connection)",
            f"{self.failed:,} failed; p50 {self.p50 * 1000:.0f} ms, p99 {self.p99 * 1000:.0f} ms",
        ]
        for version in sorted(self.by_version, key=str):
            accuracy = self.accuracy.get(version)
            shown = "" if accuracy is None else f", {accuracy:.1%} of predictions right"
            lines.append(
                f"  {version or 'no version'}: {self.by_version[version]:,} answers, "
                f"{self.failed_by_version.get(version, 0):,} failed{shown}"
            )
        lines += [f"  {count:,} times {cause}" for cause, count in sorted(self.causes.items())]
        return "\n".join(lines)


def summarise(answers: Sequence[Answer]) -> Summary:
    """All of the above for one record or a part of it."""
    return Summary(
        sent=len(answers),
        failed=len(failed(answers)),
        by_connection=Counter(answer.connection for answer in answers),
        reused=sum(answer.reused for answer in answers),
        by_version=sent_by_version(answers),
        failed_by_version=failed_by_version(answers),
        causes=failures_by_cause(answers),
        accuracy=accuracy_by_version(answers),
        p50=duration_quantile(answers, 0.5),
        p99=duration_quantile(answers, 0.99),
    )

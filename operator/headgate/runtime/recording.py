"""What goes into the record of a release (R8): every sample, with the result of every rule.

Entries are collected in memory and written together, so that recording costs one request a
minute; `headgate.kube.records` keeps them.
"""

from __future__ import annotations

import re
from typing import Any

from headgate.api.status import Release, Status
from headgate.core.intents import Note
from headgate.core.timing import to_text
from headgate.judge import Sample
from headgate.runtime.memory import Memory, spread

RECORDS_INTERVAL = 120.0
"""Seconds between two writes of one release's record."""

RECORDS_SECONDS_PER_RELEASE = 6.0
"""With many releases under way each is written less often: all together make 20 requests a minute.
"""


def collect(
    memory: Memory, status: Status, sample: Sample | None, interval: float, now: float
) -> dict[str, Any] | None:
    """Add the newest sample and what was judged of it, once per `interval` seconds or when the
    verdict has changed, and give what was added."""
    if status.release is None or sample is None or sample.at <= memory.entered:
        return None
    # Polls come a little early or late; half of a scrape must not lose a whole interval.
    if sample.at - memory.entered < 0.9 * interval and status.verdict == memory.entered_verdict:
        return None
    memory.release = release_key(status.release)
    memory.entered, memory.entered_verdict = sample.at, status.verdict
    entry = _measured(status, sample, now)
    memory.entries.append(entry)
    return entry


def collect_notes(
    memory: Memory, release: Release | None, notes: tuple[Note, ...], now: float
) -> None:
    """Add what was decided in this release."""
    if release is not None:
        memory.release = release_key(release)
    if memory.release:
        memory.entries.extend(
            {"time": to_text(now), "reason": note.reason, "message": note.message} for note in notes
        )


def due_in(memory: Memory, ended: bool, under_way: int, clock: float) -> float | None:
    """Seconds until the collected entries are to be written; None when there are none. `clock` is
    a monotonic one, in seconds."""
    if not memory.entries or memory.unrecorded is None:
        return None
    if ended:
        return 0.0
    interval = max(RECORDS_INTERVAL, RECORDS_SECONDS_PER_RELEASE * under_way)
    return max(0.0, memory.unrecorded + spread(memory.uid) * interval - clock)


def release_key(release: Release) -> str:
    """Name of a release in the record; sorts by time: "20261123T100000Z-7f9c2ab1de"."""
    started = re.sub(r"\.\d+|[-:]", "", release.started)
    return f"{started or '0'}-{release.revision}"


def _measured(status: Status, sample: Sample, now: float) -> dict[str, Any]:
    release, analysis = status.release, status.analysis
    assert release is not None
    entry: dict[str, Any] = {
        "time": to_text(now),
        "at": to_text(sample.at),
        "stage": release.stage,
        "step": release.step,
        "weight": status.desired_weight,
        "verdict": status.verdict,
        "pods": {
            name: {"requests": pod.requests, "errors": pod.errors, "p99": pod.p99}
            for name, pod in sample.pods.items()
        },
    }
    if sample.outage is not None:
        entry["outage"] = sample.outage
    if analysis is not None:
        entry["reason"], entry["message"] = analysis.reason, analysis.message
        entry["checks"] = [
            each.model_dump(by_alias=True, exclude_none=True, exclude={"message"})
            for each in analysis.checks
        ]
    return entry

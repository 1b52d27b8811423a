"""Whose requests a poll has counted.

As a rule a pod counts its own, and a pod is of one version. A proxy before the live Service counts
for all versions together (`headgate.api.analysis.BY_SERVICE`): what it has counted is the version's
to which the live Service was pinned all the while. So its counters are read anew after each switch,
from a scrape that came later, and counted for nobody while the Service is widened.
`headgate.core.judging` calls this with every new sample.
"""

from __future__ import annotations

from headgate.core.state import State
from headgate.core.warming import warm_from
from headgate.judge import Evidence, JudgeSettings, Sample, Side, Stage, forget, observe

SETTLING = 15.0
"""Seconds after a switch in which a proxy may still count for the version before: it learns of the
new endpoints some seconds later, and requests under way have to end."""


def count(
    state: State, evidence: Evidence, sample: Sample, settings: JudgeSettings, stage: Stage
) -> Evidence:
    """The evidence with a new sample."""
    if not sample.of_service:
        return observe(evidence, sample, _sides_of_pods(state), settings, stage, warm_from(state))
    side = _served(state)
    if side is None:
        return forget(evidence, sample.at)
    others = evidence.stable_at if side is Side.CANDIDATE else evidence.candidate_at
    if others is not None:
        evidence = forget(evidence, evidence.since)
    is_first = evidence.stable_at is None and evidence.candidate_at is None
    if is_first and sample.at - sample.age < evidence.since + SETTLING:
        return evidence
    counters = dict.fromkeys((*evidence.pods, *sample.pods), side)
    return observe(evidence, sample, counters, settings, stage)


def _sides_of_pods(state: State) -> dict[str, Side]:
    release = state.release
    assert release is not None
    sides: dict[str, Side] = {}
    for pod in state.seen.pods:
        if pod.revision == release.revision:
            sides[pod.name] = Side.CANDIDATE
        elif pod.revision == state.stable:
            sides[pod.name] = Side.STABLE
    return sides


def _served(state: State) -> Side | None:
    """The side that gets all traffic; None while both do, or neither."""
    release, live = state.release, state.seen.live
    assert release is not None
    if live is None or live.revision is None:
        return None
    if live.revision == release.revision:
        return Side.CANDIDATE
    return Side.STABLE if live.revision == state.stable else None

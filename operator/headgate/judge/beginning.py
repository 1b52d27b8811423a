"""How evidence begins: that of a step, and that of counters which counted for another version.

`headgate.judge.counting` adds polls to it.
"""

from dataclasses import replace

from headgate.judge.evidence import Evidence
from headgate.judge.values import PodCounters

UNREAD = PodCounters(requests=None)
"""The counters of a pod that is known, and whose next total is only a baseline."""


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
        drift={name: found.anew() for name, found in previous.drift.items()},
    )


def forget(evidence: Evidence, since: float) -> Evidence:
    """The evidence without raw counters, because up to `since` they counted for somebody else: the
    next poll is a baseline. Pods that were known stay known, so that one of them that is missing
    from then on is missed."""
    return replace(
        evidence,
        since=since,
        stable_at=None,
        candidate_at=None,
        pods=dict.fromkeys(evidence.pods, UNREAD),
    )

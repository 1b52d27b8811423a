"""The moments at which invariants are checked: a write, and a whole pass.

They hold observations, intents and plans only, so anything that can say what the planner saw can
make them: the exploration of small worlds, told stories, or a recorder beside a real API server.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from headgate.api.status import Release
from headgate.api.strategy import Capacity
from headgate.core.intents import Intent, Plan, RunSmoke
from headgate.core.observation import Observation


@dataclass(frozen=True)
class History:
    """What really happened: the revisions whose smoke checks passed, and those taken back. `taken`
    is the uid of the Deployment that was adopted, `left` whether it is still there."""

    checked: frozenset[str] = field(default_factory=frozenset)
    rejected: frozenset[str] = field(default_factory=frozenset)
    taken: str = ""
    left: bool = False


@dataclass(frozen=True)
class Write:
    """One write of a pass: what was there before it and after it. `planned` is what the pass
    itself had seen, `now` its time."""

    before: Observation
    intent: Intent
    after: Observation
    planned: Observation
    plan: Plan
    now: float
    history: History


@dataclass(frozen=True)
class Pass:
    """A whole pass: what it saw, what it planned, what is there when all of it is done."""

    seen: Observation
    plan: Plan
    after: Observation
    now: float
    history: History

    @property
    def forward(self) -> bool:
        """Whether the release of before has gone further."""
        before, after = self.seen.status.release, self.plan.status.release
        if before is None or after is None or before.revision != after.revision:
            return False
        # What the live Service already says was decided before.
        return _place(after) > _place(before) and not self.recovered

    @property
    def recovered(self) -> bool:
        """Whether this pass took over what an earlier one had written on the live Service."""
        return any(each.reason == "Recovered" for each in self.plan.notes)


STAGES = ("Starting", "Stepping", "Promoting", "Watching")


def _place(release: Release) -> tuple[int, int]:
    if release.stage == "Reverting":
        return (-1, 0)
    return (STAGES.index(release.stage), release.step)


def swaps(moment: Write) -> bool:
    """Whether pods of one side make way for those of the other: always, or by now (Auto)."""
    release = moment.plan.status.release
    return moment.after.spec.strategy.capacity is Capacity.SWAP or (
        release is not None and bool(release.swapping)
    )


def served(seen: Observation) -> frozenset[str]:
    """The revisions whose pods the live Service selects: one, or any with a pod."""
    if seen.live is None:
        return frozenset()
    if seen.live.revision is not None:
        return frozenset({seen.live.revision})
    running = {each.revision for each in seen.workloads if each.replicas}
    return frozenset(running | {pod.revision for pod in seen.pods if not pod.terminating})


def serving(seen: Observation) -> int:
    """Ready pods that get live traffic."""
    return sum(seen.ready(revision) for revision in served(seen))


def writes(plan: Plan) -> tuple[Intent, ...]:
    """The intents that write to the API server; smoke requests do not."""
    return tuple(each for each in plan.intents if not isinstance(each, RunSmoke))


def shuffled(seen: Observation) -> Observation:
    """The same observation, its objects listed in another order."""
    return replace(
        seen,
        workloads=seen.workloads[::-1],
        pods=seen.pods[::-1],
        revisions=seen.revisions[::-1],
    )

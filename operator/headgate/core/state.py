"""The planner's working value: what is known at one point of the chain in `headgate.core.plan`.

Every link of the chain takes a `State` and returns a changed copy. What survives the pass is
written to the status by `headgate.core.report`; what was decided is told in `notes`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from headgate.api.status import ActionStatus, Rejection, Release, ReleaseRecord
from headgate.api.strategy import Capacity
from headgate.core.intents import Intent, Note
from headgate.core.observation import Observation
from headgate.core.settings import replicas_of
from headgate.core.steps import Step, direct
from headgate.core.timing import to_seconds, to_text
from headgate.judge import Evidence, Judgement

MESSAGE_LENGTH = 1000
RECORDS_KEPT = 10


@dataclass(frozen=True)
class State:
    """One ModelDeployment in the middle of being planned.

    `stable` is the revision that serves, `previous` the one kept to go back to in the watch,
    and afterwards with `kept` pods until `kept_until`. `counted` is the release's evidence, once it
    has been read. `marks` are writes on kept revisions that follow from decisions of this pass.
    `waiting` says in a sentence what the release waits for, `queued` since when a new one waits for
    its turn. `restarts` is the restart of the stable version that this pass begins or paces anew.
    `warming` says which pods are being warmed up. `leaving` is the uid of the adopted Deployment
    that this pass deletes.
    """

    seen: Observation
    now: float
    stable: str | None = None
    previous: str | None = None
    kept: int = 0
    kept_until: str = ""
    release: Release | None = None
    rejected: Rejection | None = None
    action: ActionStatus | None = None
    releases: tuple[ReleaseRecord, ...] = ()
    marks: tuple[Intent, ...] = ()
    notes: tuple[Note, ...] = ()
    judgement: Judgement | None = None
    counted: Evidence | None = None
    damaged: tuple[str, ...] = ()
    waiting: str = ""
    smoke_wanted: bool = False
    restarts: tuple[Intent, ...] = ()
    queued: str = ""
    warm_ups: tuple[Intent, ...] = ()
    warming: str = ""
    leaving: str | None = None

    @property
    def replicas(self) -> int:
        """How many pods shall serve."""
        return replicas_of(self.seen.spec)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the release under way; a first version and a way back have only one."""
        if self.release is not None and self.release.direct:
            return direct(self.seen.spec)
        return self.seen.swapping_steps if self.swaps else self.seen.steps

    @property
    def step(self) -> Step:
        """The current step; the last one when the spec now has fewer."""
        steps = self.steps
        index = self.release.step if self.release is not None else 0
        return steps[min(index, len(steps) - 1)]

    @property
    def swaps(self) -> bool:
        """Whether stable pods are taken away before pods of the candidate are added. Auto turns to
        that in a pass that touches no pod, so that a kill cannot separate both."""
        if self.release is None or self.stable is None:
            return False
        capacity, stored = self.seen.spec.strategy.capacity, self.seen.status.release
        turned = stored is not None and bool(stored.swapping and self.release.swapping)
        return capacity is Capacity.SWAP or (capacity is Capacity.AUTO and turned)

    @property
    def candidate(self) -> str | None:
        """The revision being released, until it has become stable."""
        if self.release is None or self.release.revision == self.stable:
            return None
        return self.release.revision

    def change(self, **changes: Any) -> State:
        """A copy with other fields."""
        return replace(self, **changes)

    def proceed(self, **changes: Any) -> State:
        """A copy whose release has other fields."""
        assert self.release is not None
        return replace(self, release=self.release.model_copy(update=changes))

    def say(self, reason: str, message: str, *, warning: bool = False) -> State:
        """A copy that tells one more sentence."""
        return replace(self, notes=(*self.notes, Note(reason, message, warning)))

    def wait(self, sentence: str) -> State:
        """A copy that says what it waits for."""
        return replace(self, waiting=sentence)

    def version_of(self, revision: str | None) -> str:
        """The model version of a revision, as people call it."""
        known = self.seen.known(revision)
        if known is not None:
            return known.version
        if revision == self.seen.revision:
            return self.seen.spec.model.version
        status = self.seen.status
        for side in (status.stable, status.candidate, status.previous):
            if side is not None and side.revision == revision and side.version:
                return side.version
        return revision or ""

    def since(self, time: str) -> float:
        """Seconds from a time in status until now, never negative."""
        return max(0.0, self.now - to_seconds(time))

    def _numbers(self) -> str:
        if self.judgement is not None and self.judgement.sentence:
            return f"{self.judgement.verdict}: {self.judgement.sentence}"
        # While it is taken back nothing is judged any more: what was found last still counts.
        last = self.seen.status.analysis
        return f"{last.verdict}: {last.message}" if last is not None and last.message else ""

    def finish(self, outcome: str, reason: str, message: str) -> State:
        """A copy without the release, which is now history."""
        release = self.release
        assert release is not None
        record = ReleaseRecord(
            version=release.version,
            revision=release.revision,
            outcome=outcome,
            reason=reason,
            message=message[:MESSAGE_LENGTH],
            weight=release.weight,
            verdict=self._numbers()[:MESSAGE_LENGTH],
            started=release.started,
            finished=to_text(self.now),
        )
        return replace(
            self,
            release=None,
            releases=(*self.releases, record)[-RECORDS_KEPT:],
            judgement=None,
            counted=None,
        )

"""Who leads, decided: the pure half of the election by a `coordination.k8s.io` Lease.

`headgate.runtime.leader` reads and writes the lease as `decide` says. Safety hangs on two rules
that need no agreement between the clocks of two machines, only that both run at about one speed:

- a leader may write for `Timing.deadline` after its last successful renewal *began*;
- another takes over only when it has seen the lease unchanged for `Timing.duration`, which is
  longer, counted from the moment at which it first *had* that version in hand.

A renewal that a stand-by has seen began before it was seen. So the first period is over before
the second one is, whatever was paused, delayed or lost. Times that the lease carries are for
people: they are another machine's clock, and never compared with ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Self


@dataclass(frozen=True)
class Timing:
    """`duration`, `deadline` and `retry` in seconds: 15, 10 and 2 unless said otherwise."""

    duration: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0

    @classmethod
    def of(cls, duration: float) -> Self:
        """The same proportions for another duration of the lease."""
        return cls(duration, duration * 2 / 3, duration * 2 / 15)


@dataclass(frozen=True)
class Lease:
    """A lease as it is stored. `version` changes with every renewal; an empty `holder` has let it
    go; `duration` is what its holder goes by."""

    version: str
    holder: str = ""
    duration: float = 0.0


class Step(Enum):
    """What is to be done next."""

    READ = "read the lease"
    TAKE = "create it, or replace it in the version that was seen"
    RENEW = "replace it in the version that was written last"
    RELEASE = "empty it in the version that was seen"
    WAIT = "look again after the retry period"
    LEAVE = "nothing is held: the process may end"
    LOST = "stop the process"


@dataclass(frozen=True)
class Decision:
    """The next step, and why, as people read it."""

    step: Step
    sentence: str


@dataclass(frozen=True)
class Standing:
    """What one process knows. All times are seconds of its own monotonic clock.

    `lease` is the newest known version (None: there is none, or nothing is known yet), first in
    hand at `seen`. `fresh` says that it need not be read again before the next step. `held` is when
    the last renewal that succeeded began; None: this process does not lead.
    """

    identity: str
    timing: Timing
    lease: Lease | None = None
    seen: float = 0.0
    fresh: bool = False
    held: float | None = None

    def saw(self, lease: Lease | None, now: float) -> Standing:
        """The lease was read; `now` is taken after the answer."""
        known = lease is not None and self.lease is not None and lease.version == self.lease.version
        return replace(self, lease=lease, seen=self.seen if known else now, fresh=True)

    def wrote(self, lease: Lease, began: float) -> Standing:
        """The lease was taken or renewed; `began` is taken before the request."""
        return replace(self, lease=lease, seen=began, fresh=True, held=began)

    def doubted(self) -> Standing:
        """What is stored may be another by now: after a wait, a refusal, or no answer at all."""
        return replace(self, fresh=False)

    def resigned(self) -> Standing:
        """This process writes nothing from now on."""
        return replace(self, held=None)

    def remaining(self, now: float) -> float:
        """For how many seconds this process may write; none when 0 or less."""
        return 0.0 if self.held is None else self.held + self.timing.deadline - now


def decide(standing: Standing, now: float, *, leaving: bool = False) -> Decision:
    """The next step; `leaving` when the process is about to end.

    The first row that fits:

    | leads | now | what is stored | leaving | step |
    |---|---|---|---|---|
    | yes | past its deadline | | | LOST |
    | | | not known | | READ |
    | yes | | nothing, nobody's or another's | | LOST |
    | yes | | ours | no | RENEW |
    | | | ours | yes | RELEASE |
    | | | ours: the answer to a TAKE was lost | no | TAKE |
    | no | | | yes | LEAVE |
    | no | | nothing or nobody's | no | TAKE |
    | no | unchanged for its duration | another's | no | TAKE |
    | no | | another's | no | WAIT |
    """
    lease, leads = standing.lease, standing.held is not None
    holder = "" if lease is None else lease.holder
    if leads and standing.remaining(now) <= 0:
        limit = standing.timing.deadline
        return Decision(Step.LOST, f"the lease could not be renewed for {limit:.3g} s")
    if not standing.fresh:
        return Decision(Step.READ, "what is stored may have changed")
    if leads and holder != standing.identity:
        return Decision(Step.LOST, _taken(lease))
    if holder == standing.identity:
        if leaving:
            return Decision(Step.RELEASE, "the process ends")
        if leads:
            return Decision(Step.RENEW, "this process leads")
        return Decision(Step.TAKE, "it was taken, but the answer was lost")
    if leaving:
        return Decision(Step.LEAVE, "this process does not lead")
    if lease is None:
        return Decision(Step.TAKE, "there was no lease")
    if not holder:
        return Decision(Step.TAKE, "its last holder has released it")
    patience = max(standing.timing.duration, lease.duration)
    if now - standing.seen >= patience:
        return Decision(Step.TAKE, f"{holder} has not renewed it for {patience:.3g} s")
    return Decision(Step.WAIT, f"{holder} leads")


def _taken(lease: Lease | None) -> str:
    if lease is None:
        return "the lease has been deleted"
    return f"{lease.holder} has taken the lease" if lease.holder else "the lease has been emptied"

"""From a small world to what the planner sees, and from the planner's status back to the world.

Time stands still at `NOW`: whatever a status dates is either fresh or over. `remember` keeps of a
status what the next pass reads.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from headgate.api.action import Action, ActionType
from headgate.api.status import (
    ActionStatus,
    Decision,
    Rejection,
    Release,
    ReleaseRecord,
    Status,
    VersionStatus,
)
from headgate.core.capacity import UNSCHEDULABLE
from headgate.core.observation import (
    INHERITED,
    KnownRevision,
    LiveService,
    Observation,
    Pace,
    Pod,
    SmokeResult,
    Turn,
    Workload,
)
from headgate.core.reverting import ABORTED, PEOPLES_REASONS
from headgate.core.timing import to_text
from tests.exploration.evidence import NOTHING, counted, evidence_dict, sample_of
from tests.exploration.moments import History
from tests.exploration.scope import APPROVAL_STEP, NOW, Scope
from tests.exploration.world import (
    RESTARTS,
    REVISIONS,
    VERSIONS,
    Asked,
    Memory,
    Remembered,
    World,
    may_adopt,
    reverted_too,
    to_go,
)

FRESH, OVER = to_text(NOW), to_text(NOW - 100_000)
BEGAN = to_text(NOW - 200_000)
LATER = to_text(NOW + 10_000)
LONG_GOOD = 100_000.0
GENERATION = 7
CRASHES = 3
_TEXT = "x" * 1000
_DECISIONS = [Decision(time=OVER, reason="Reason", message=_TEXT)] * 10
_RELEASES = [
    ReleaseRecord(
        version="0.0.0",
        revision="z",
        outcome="Reverted",
        reason="Reason",
        message=_TEXT,
        started=OVER,
        finished=OVER,
    )
] * 10
"""As much history as there can be: its sentences decide nothing, but they take room."""


def observation(world: World, scope: Scope) -> Observation:
    """What the planner sees."""
    names = REVISIONS[: scope.revisions]
    sides = list(zip(names, world.sides, strict=True))
    smoke = world.smoke
    result = None
    if smoke is not None and smoke.state != "asked":
        passed, sentence = smoke.state == "passed", f"its requests {smoke.state}"
        result = SmokeResult(smoke.revision, passed, sentence, smoke.after_switch)
    pods = tuple(
        pod
        for name, side in sides
        if side.pods or side.ending
        for pod in _pods(
            name, side.starting, side.ready, side.crashed, side.ending, side.stuck, side.old
        )
    )
    live = world.live
    release = world.memory.release
    spec = scope.spec(
        VERSIONS[world.wanted], world.replicas, world.suspend, world.strategy, world.frozen
    )
    if world.action is not None:
        spec = spec.model_copy(update={"action": _action(world.action)})
    if world.restart:
        spec = spec.model_copy(update={"restart_at": RESTARTS[world.restart]})
    found, adopts = world.found, may_adopt(world)
    return Observation(
        namespace="risk",
        name="fraud",
        generation=GENERATION,
        spec=spec,
        revision=world.wanted,
        status=_status(world.memory, world.action),
        workloads=tuple(
            Workload(
                name,
                side.replicas,
                side.intact,
                restarted=RESTARTS[side.restarted],
                pace=None if side.pace is None else Pace(*side.pace),
                rolling=side.old > 0,
            )
            for name, side in sides
            if side.replicas >= 0
        ),
        pods=pods,
        live=None
        if live is None
        else LiveService(
            # Without that mark it looks as if it selected both sides.
            None if live.revision == INHERITED and live.adopted is None else live.revision,
            live.stable,
            live.previous,
            live.rejected,
            f"{_reason(live.asked)}: no good" if live.rejected else None,
            live.intact,
            live.adopted,
        ),
        roles={
            role: revision
            for role, revision in zip(("stable", "candidate"), world.roles, strict=True)
            if revision is not None
        },
        revisions=tuple(
            KnownRevision(
                name,
                VERSIONS[name],
                number,
                world.side(name).once_stable,
                world.side(name).rejected,
            )
            for number, name in enumerate(world.order, 1)
        ),
        sample=sample_of(world.sample, pods, world.memory.stable, release and release.revision),
        smoke=result,
        turn=Turn(world.may_start, "1 of 1 release is under way") if scope.capped else None,
        # An author's own budget selects every pod, so none of ours is written.
        guarded=frozenset(names),
        conflict="Service fraud is nobody's" if found.service and not adopts else None,
        adoptable=found.service and adopts,
        inherited=(found.uid or None) if adopts else None,
    )


def history_of(world: World) -> History:
    """What really happened, for the invariants to compare with."""
    found = world.found
    left = found.uid == found.taken != ""
    return History(world.checked, world.reverted, taken=found.taken, left=left)


def there(world: World, scope: Scope) -> Observation:
    """What the planner sees, and what it does not: a Service that is nobody's yet, and the pods
    that it selects, also once it has been taken over, as those of a revision `INHERITED`."""
    seen, found = observation(world, scope), world.found
    if found.service:
        seen = replace(seen, live=LiveService(INHERITED))
    elif seen.live is not None and world.live is not None and world.live.revision == INHERITED:
        seen = replace(seen, live=replace(seen.live, revision=INHERITED))
    else:
        return seen
    pods = _pods(INHERITED, starting=found.starting, ready=found.ready)
    return replace(seen, pods=(*pods, *seen.pods))


@cache
def _pods(
    name: str,
    starting: int,
    ready: int,
    crashed: int = 0,
    ending: bool = False,
    stuck: int = 0,
    old: int = 0,
) -> tuple[Pod, ...]:
    return (
        *(Pod(f"{name}-s{i}", name, ready=False, created=NOW) for i in range(starting)),
        *(Pod(f"{name}-r{i}", name, ready=True, created=NOW) for i in range(ready)),
        *(Pod(f"{name}-o{i}", name, ready=True, created=NOW - 100_000) for i in range(old)),
        *(
            Pod(
                f"{name}-c{i}",
                name,
                ready=False,
                created=NOW,
                crashes=CRASHES,
                waiting="CrashLoopBackOff",
                message="exit code 1",
            )
            for i in range(crashed)
        ),
        *(
            Pod(
                f"{name}-u{i}",
                name,
                ready=False,
                created=NOW - 100_000,
                waiting=UNSCHEDULABLE,
                message="0/1 nodes are available",
            )
            for i in range(stuck)
        ),
        *((Pod(f"{name}-e", name, ready=False, terminating=True, created=NOW),) if ending else ()),
    )


@cache
def _action(asked: Asked | None) -> Action | None:
    if asked is None:
        return None
    step = APPROVAL_STEP if asked.type == "Approve" else None
    return Action(
        type=ActionType(asked.type), revision=asked.revision, step=step, to=asked.to, at=OVER
    )


def _handled(asked: Asked | None) -> ActionStatus | None:
    action = _action(asked)
    if action is None:
        return None
    return ActionStatus(**action.model_dump(mode="json", exclude_none=True), outcome="Done")


def _reason(asked: bool) -> str:
    return ABORTED if asked else "high_error_rate"


@cache
def _status(memory: Memory, action: Asked | None) -> Status:
    if memory == Memory():
        return Status()

    def side(revision: str | None) -> VersionStatus | None:
        return (revision and VersionStatus(version=VERSIONS[revision], revision=revision)) or None

    rejected = None
    if memory.rejected is not None:
        rejected = Rejection(
            revision=memory.rejected,
            version=VERSIONS[memory.rejected],
            reason=_reason(memory.asked),
            message="too many errors",
            time=OVER,
        )
    previous = side(memory.previous)
    if previous is not None and memory.kept:
        previous = previous.model_copy(update={"replicas": memory.kept})
    return Status(
        observed_generation=GENERATION if memory.current else GENERATION - 1,
        stable=side(memory.stable),
        previous=previous,
        previous_until=(OVER if memory.kept_over else LATER) if memory.kept else "",
        queued=OVER if memory.queued else "",
        adopted=memory.adopted,
        rejected=rejected,
        release=None if memory.release is None else _release(memory.release),
        action=_handled(action) if memory.handled else None,
        decisions=_DECISIONS,
        releases=[*_RELEASES[1:], _RELEASES[0].model_copy(update={"finished": FRESH})]
        if memory.just_ended
        else _RELEASES,
    )


@cache
def _release(release: Remembered) -> Release:
    return Release(
        revision=release.revision,
        version=VERSIONS[release.revision],
        stage=release.stage,
        step=release.step,
        kept=release.kept,
        direct=release.direct,
        settled=release.settled,
        smoked=release.smoked,
        checked=release.checked,
        good=LONG_GOOD if release.hold_over else 0.0,
        failed=release.failed,
        reason="Reason" if release.told or release.stage == "Reverting" else "",
        message="something went wrong" if release.told or release.stage == "Reverting" else "",
        weight=1 if release.shared else 0,
        swapping=("", FRESH, OVER)[release.swapping],
        promoting=release.promoting,
        approvals=list(release.approvals),
        instead_of=release.instead_of,
        started=BEGAN,
        step_started=OVER if release.hold_over else FRESH,
        progressed=OVER if release.deadline_over else FRESH,
        decided=OVER if release.minute_over else FRESH,
        progress=release.progress,
        evidence=evidence_dict(release.evidence),
    )


def remember(status: Status, action: Asked | None) -> Memory:
    """What of a status the next pass reads."""

    def revision(side: VersionStatus | None) -> str | None:
        return None if side is None else side.revision

    told = status.action
    handled = False
    if told is not None and action is not None:
        handled = (told.type, told.revision, told.to) == action
    release, kept = status.release, None
    if release is not None:
        going = release.stage not in ("Watching", "Reverting")
        reverting = release.stage == "Reverting"
        kept = Remembered(
            revision=release.revision,
            stage=release.stage,
            step=release.step,
            kept=release.kept,
            direct=release.direct,
            settled=release.settled,
            smoked=release.smoked,
            checked=release.checked and not reverting,
            failed=release.failed,
            told=bool(release.reason) and not reverting,
            hold_over=release.step_started == OVER and not reverting,
            deadline_over=release.progressed == OVER and going,
            minute_over=release.decided == OVER and reverting,
            shared=release.weight > 0,
            swapping=0 if not release.swapping else 2 if release.swapping == OVER else 1,
            promoting=release.promoting and going,
            approvals=tuple(release.approvals) if going else (),
            instead_of=release.instead_of,
            progress=release.progress if going else "",
            evidence=NOTHING if reverting else counted(release.evidence),
        )
    return Memory(
        stable=revision(status.stable),
        previous=revision(status.previous),
        rejected=None if status.rejected is None else status.rejected.revision,
        asked=status.rejected is not None and status.rejected.reason in PEOPLES_REASONS,
        release=kept,
        handled=handled,
        kept=status.previous.replicas if status.previous and status.previous_until else 0,
        kept_over=status.previous_until == OVER,
        queued=bool(status.queued),
        adopted=status.adopted,
    )


def store(world: World, status: Status) -> World:
    """The world once a pass has stored its status; the sample it counted is old news."""
    memory = remember(status, world.action)
    if status.releases and status.releases[-1].finished == FRESH and to_go(world):
        memory = memory._replace(just_ended=True)
    began = status.release is not None and status.release.started != BEGAN
    smoke = None if status.release is None or began else world.smoke
    world = world._replace(memory=memory, sample="", smoke=smoke)
    return reverted_too(world, memory.rejected)

"""Last link of the chain: the status that people and tools read, and when to look again."""

from __future__ import annotations

from headgate.api.quantities import parse_duration
from headgate.api.status import (
    LONGEST_QUERY,
    AnalysisStatus,
    CheckStatus,
    Decision,
    RequestCounts,
    Status,
    VersionStatus,
)
from headgate.core.adoption import adopted_mark, leaves_in, what_serves
from headgate.core.capacity import room_deadline
from headgate.core.conditions import conditions_of
from headgate.core.desire import Desire, unpinned_deadline
from headgate.core.failures import pull_deadline, waits_for_pods
from headgate.core.freeze import freeze, frozen_until
from headgate.core.intents import Intent, Note, Plan
from headgate.core.judging import evidence_of, hold_unseen
from headgate.core.keeping import keeping_left
from headgate.core.lifecycle import refused
from headgate.core.observation import Observation
from headgate.core.restarting import restart_deadline
from headgate.core.reverting import PEOPLES_REASONS
from headgate.core.settings import progress_deadline_of
from headgate.core.state import MESSAGE_LENGTH, State
from headgate.core.timing import to_text
from headgate.core.warming import cold_deadline
from headgate.judge import Check, Requests, Verdict

DECISIONS_KEPT = 10
RECHECK = 30.0


def report(state: State, desired: Desire, intents: tuple[Intent, ...]) -> Plan:
    """The whole answer of a pass."""
    phase, message = _phase(state), f"{_message(state)}{state.warming}{_adopted(state)}"
    release, seen = state.release, state.seen
    judgement = state.judgement
    weight = _desired_weight(state, desired)
    status = Status(
        observed_generation=seen.generation,
        phase=phase,
        step=f"{state.step.index + 1}/{len(state.steps)}" if release is not None else "",
        weight=f"{weight}%" if weight is not None else "",
        verdict=judgement.verdict.value if judgement is not None else "",
        message=message[:MESSAGE_LENGTH],
        desired_weight=weight,
        effective_weight=_effective_weight(state, desired),
        observed_weight=_observed_weight(state),
        replicas=sum(1 for pod in seen.pods if not pod.terminating),
        selector=_selector(state, desired),
        stable=_side(state, desired, state.stable),
        candidate=_side(state, desired, state.candidate),
        previous=_side(state, desired, state.previous),
        previous_until=state.kept_until if release is None else "",
        release=release,
        analysis=_analysis(state),
        rejected=state.rejected,
        adopted=adopted_mark(state) or "",
        queued=state.queued,
        action=state.action,
        decisions=[*seen.status.decisions, *_decisions(state)][-DECISIONS_KEPT:],
        releases=list(state.releases),
        conditions=conditions_of(state, phase, message),
    )
    return Plan(
        intents=intents,
        status=status,
        requeue_after=_requeue_after(state),
        notes=state.notes,
        polled=release is not None and release.stage != "Reverting",
        hold_left=hold_unseen(state),
    )


def conflicted(seen: Observation, now: float) -> Plan:
    """A child's name belongs to somebody else: say so, write nothing else."""
    message = str(seen.conflict)
    known = any(each.reason == "Conflict" for each in seen.status.conditions)
    state = State(seen=seen, now=now)
    status = seen.status.model_copy(
        update={
            "observed_generation": seen.generation,
            "phase": "Conflict",
            "message": message[:MESSAGE_LENGTH],
            "conditions": conditions_of(state, "Conflict", message),
        }
    )
    notes = () if known else (Note("Conflict", message, warning=True),)
    return Plan((), status, requeue_after=RECHECK, notes=notes)


def _phase(state: State) -> str:
    release = state.release
    if release is None:
        if refused(state):
            return "Reverted"
        if state.seen.spec.suspend and state.seen.revision != state.stable:
            return "Suspended"
        if _held_back(state):
            return "Frozen"
        if state.stable is None:
            return "Pending"
        return "Queued" if state.queued else "Stable"
    if release.stage == "Reverting":
        rejected = state.rejected is not None and state.rejected.revision == release.revision
        return "Reverting" if rejected else "Withdrawing"
    if state.stable is None:
        return "Failing" if release.failed else "Initializing"
    if release.stage == "Stepping":
        return "Progressing"
    return release.stage


def _held_back(state: State) -> bool:
    """Whether a freeze window keeps the spec's version from being released."""
    wanted = state.seen.revision != state.stable and not refused(state)
    return state.release is None and wanted and bool(freeze(state))


def _message(state: State) -> str:
    release, seen = state.release, state.seen
    if release is None:
        return _at_rest(state)
    if release.stage == "Reverting":
        back = state.version_of(state.stable)
        ready = f"{seen.ready(state.stable)} of {state.replicas} pods of {back} are ready"
        return f"Going back to {back}: {release.message} ({ready})."
    what = f"{release.version}, step {state.step.index + 1} of {len(state.steps)}"
    if release.stage == "Watching":
        what = f"{release.version} is live"
    elif state.stable is None:
        what = f"{release.version}, the first version"
    parts = [f"{what}: {state.waiting}" if state.waiting else what]
    if release.failed and release.message:
        parts.append(release.message)
    judgement = state.judgement
    if judgement is not None and release.stage in ("Stepping", "Watching") and judgement.sentence:
        parts.append(f"{judgement.verdict}: {judgement.sentence}")
    return ". ".join(parts) + "."


def _adopted(state: State) -> str:
    serves = what_serves(state)
    told = not serves or (state.release is None and refused(state))
    return "" if told else f" {_capital(serves)} serves."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _at_rest(state: State) -> str:
    wanted = state.seen.spec.model.version
    stable = state.version_of(state.stable)
    if refused(state):
        why = state.rejected.message if state.rejected is not None else "it was reverted before"
        where = ""
        if state.rejected is not None and state.rejected.weight:
            where = f" at {state.rejected.weight} %"
        serves = stable or _capital(what_serves(state)) or "Nothing"
        gone = "Reverted"
        if state.rejected is not None and state.rejected.reason in PEOPLES_REASONS:
            gone = "Gave up"
        return (
            f"{gone} {wanted}{where}: {why}. {serves} serves; it is not tried again "
            "until the spec changes or a retry names it."
        )
    if state.waiting:
        return state.waiting
    if state.stable is None:
        return f"{wanted} has not been started."
    ready = state.seen.ready(state.stable)
    serves = f"{stable} serves with {ready} of {state.replicas} pods ready"
    if state.previous is not None:
        serves += f"; {state.version_of(state.previous)} is kept until {state.kept_until}"
    if state.seen.missing is not None:
        return f"{serves}. {state.seen.missing}; its pods have copies, the next release waits."
    return f"{serves}."


def _desired_weight(state: State, desired: Desire) -> int | None:
    release = state.release
    if release is None or state.stable is None:
        return None
    if release.stage in ("Promoting", "Watching"):
        return 100
    if release.stage == "Stepping":
        # Without replicas only the last step is left, which it has not reached.
        return min(state.step.weight, release.weight)
    return 0


def _effective_weight(state: State, desired: Desire) -> float | None:
    release = state.release
    if release is None or state.stable is None:
        return None
    if desired.traffic == release.revision:
        return 100.0
    if desired.traffic is not None:
        return 0.0
    stable, candidate = state.seen.ready(state.stable), state.seen.ready(release.revision)
    total = stable + candidate
    return round(100 * candidate / total, 2) if total else None


def _observed_weight(state: State) -> float | None:
    release = state.release
    if release is None or not release.evidence or release.stage != "Stepping":
        return None
    evidence = evidence_of(state)
    total = evidence.stable.requests + evidence.candidate.requests
    return round(100 * evidence.candidate.requests / total, 1) if total else None


def _selector(state: State, desired: Desire) -> str:
    name = f"headgate.dev/model-deployment={state.seen.name}"
    return name if desired.traffic is None else f"{name},headgate.dev/revision={desired.traffic}"


def _side(state: State, desired: Desire, revision: str | None) -> VersionStatus | None:
    if revision is None:
        return None
    return VersionStatus(
        version=state.version_of(revision),
        revision=revision,
        replicas=desired.replicas.get(revision, 0),
        ready=state.seen.ready(revision),
    )


def _analysis(state: State) -> AnalysisStatus | None:
    judgement, release = state.judgement, state.release
    if judgement is None:
        # What led to a revert is read until the release is history.
        reverting = release is not None and release.stage == "Reverting"
        return state.seen.status.analysis if reverting else None
    return AnalysisStatus(
        verdict=judgement.verdict.value,
        reason=judgement.reason,
        message=judgement.sentence[:MESSAGE_LENGTH],
        checks=[_check(check) for check in judgement.checks[:32]],
        query=_query(state),
    )


def _query(state: State) -> str:
    """What was asked; after a restart, what was asked before it. Cut short it would be wrong."""
    before = state.seen.status.analysis
    query = state.seen.sample.query if state.seen.sample else before.query if before else ""
    return query if len(query) <= LONGEST_QUERY else ""


def _check(check: Check) -> CheckStatus:
    counted = check.verdict is not Verdict.NOT_APPLICABLE
    return CheckStatus(
        name=check.name,
        kind=check.kind.value,
        metric=check.metric.value,
        verdict=check.verdict.value,
        reason=check.reason,
        message=check.sentence[:MESSAGE_LENGTH],
        value=_rounded(check.value) if counted else None,
        limit=check.limit,
        e=_rounded(check.e) if counted else None,
        bad_from=check.bad_from if counted else None,
        candidate=_counts(check.candidate) if counted else None,
        stable=_counts(check.stable) if counted and check.stable.total else None,
    )


def _counts(requests: Requests) -> RequestCounts:
    return RequestCounts(bad=round(requests.bad, 3), total=round(requests.total, 3))


def _rounded(value: float | None) -> float | None:
    """Four significant figures: status is for reading."""
    return None if value is None else float(f"{value:.4g}")


def _decisions(state: State) -> list[Decision]:
    time = to_text(state.now)
    return [
        Decision(time=time, reason=note.reason, message=note.message[:MESSAGE_LENGTH])
        for note in state.notes
    ]


def _requeue_after(state: State) -> float | None:
    """Seconds until something could be decided that no event announces."""
    release, spec = state.release, state.seen.spec
    freeze_ends = frozen_until(spec.freeze_windows, state.now)
    thaw = None if freeze_ends is None else freeze_ends[0] - state.now
    if release is None:
        waits = [keeping_left(state), RECHECK if state.seen.missing is not None else 0.0]
        waits += [cold_deadline(state) or 0.0, leaves_in(state) or 0.0]
        waits.append(restart_deadline(state) or 0.0)
        if thaw is not None and _held_back(state):
            waits.append(thaw)
        return min((each for each in waits if each > 0), default=None)
    deadlines: list[float | None] = [pull_deadline(state), unpinned_deadline(state), thaw]
    deadlines += [room_deadline(state), keeping_left(state), cold_deadline(state)]
    deadlines.append(restart_deadline(state))
    if waits_for_pods(state):
        deadlines.append(progress_deadline_of(spec) - state.since(release.progressed))
    if release.stage == "Stepping" and not state.step.shared:
        deadlines.append(state.step.hold - state.since(release.step_started))
        approval = state.step.approval
        if approval is not None and approval.timeout is not None:
            deadlines.append(parse_duration(approval.timeout) - state.since(release.step_started))
    if release.stage in ("Stepping", "Watching"):
        deadlines.append(parse_duration(spec.analysis.interval))
    # What is overdue was acted upon in this very pass, or waits for something that an event tells.
    ahead = [each for each in deadlines if each is not None and each > 0]
    return max(0.1, min(ahead, default=parse_duration(spec.analysis.interval)))

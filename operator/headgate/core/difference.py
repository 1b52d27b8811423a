"""From what is desired to the writes that are missing, in an order that is safe to stop between.

Traffic first: a pin may precede everything, and a new revision's pods are only made after the pin.
Then the template is kept, pods are added (stable before candidate), and only then taken away.
"""

from __future__ import annotations

from headgate.core.adoption import adopted_mark
from headgate.core.desire import Desire
from headgate.core.intents import (
    DropDisruptionBudget,
    DropRevision,
    Intent,
    KeepRevision,
    MarkRevision,
    RemoveAdopted,
    RemoveWorkload,
    RunSmoke,
    SetDisruptionBudget,
    SetReplicas,
    SetRole,
    SetTraffic,
    SetWorkload,
    ShrinkWorkload,
)
from headgate.core.observation import NO_DEPLOYMENT
from headgate.core.state import State


def find_damage(state: State) -> State:
    """Notice children that were edited or deleted by hand; they are restored before any step."""
    status, seen = state.seen.status, state.seen
    damaged: list[str] = []
    release = state.release
    serving = [(state.stable, status.stable is not None)]
    if release is not None and release.stage in ("Stepping", "Promoting"):
        serving.append((state.candidate, True))
    if state.previous is not None and release is not None and release.stage == "Watching":
        serving.append((state.previous, status.previous is not None))
    for revision, existed in serving:
        workload = seen.workload(revision)
        if revision is not None and existed and (workload is None or not workload.intact):
            damaged.append(f"Deployment {seen.name}-{revision}")
    if state.stable is not None and (seen.live is None or not seen.live.intact):
        damaged.append(f"Service {seen.name}")
    for name in damaged:
        state = state.say("Restored", f"{name} was changed or deleted by hand: restoring it.")
    return state.change(damaged=tuple(damaged))


def difference(state: State, desired: Desire) -> tuple[Intent, ...]:
    """The writes that lead from what is seen to what is desired; empty when they agree."""
    return (
        *_traffic(state, desired),
        *_revisions_kept(state),
        *_more_pods(state, desired),
        *_roles(state, desired),
        *_fewer_pods(state, desired),
        *_budgets(state, desired),
        *_marks(state),
        *_replicas(state),
        *state.restarts,
        *_smoke(state),
        *_revisions_dropped(state, desired),
        *state.warm_ups,
        *_adopted(state, desired),
    )


def _traffic(state: State, desired: Desire) -> list[Intent]:
    live = state.seen.live
    rejected = state.rejected.revision if state.rejected else None
    if (
        live is not None
        and live.intact
        and live.revision == desired.traffic
        and (live.stable == state.stable or state.stable is None)
        and live.rejected == rejected
        and live.adopted == adopted_mark(state)
    ):
        return []
    return [_set_traffic(state, desired, adopted_mark(state))]


def _set_traffic(state: State, desired: Desire, adopted: str | None) -> SetTraffic:
    rejected = state.rejected
    return SetTraffic(
        revision=desired.traffic,
        stable=state.stable,
        previous=state.previous,
        rejected=rejected.revision if rejected else None,
        reason=f"{rejected.reason}: {rejected.message}" if rejected else None,
        adopted=adopted,
    )


def _adopted(state: State, desired: Desire) -> list[Intent]:
    """Deleted first and forgotten afterwards: a kill in between repeats what may be repeated."""
    if state.leaving is None:
        return []
    return [RemoveAdopted(state.leaving), _set_traffic(state, desired, NO_DEPLOYMENT)]


def _revisions_kept(state: State) -> list[Intent]:
    seen = state.seen
    wanted = state.candidate or state.stable
    if wanted != seen.revision or seen.known(seen.revision) is not None:
        return []
    number = max((each.number for each in seen.revisions), default=0) + 1
    return [KeepRevision(seen.revision, seen.spec.model.version, number)]


def _more_pods(state: State, desired: Desire) -> list[Intent]:
    seen = state.seen
    intents: list[Intent] = []
    for revision, replicas in desired.replicas.items():
        workload = seen.workload(revision)
        renderable = seen.known(revision) is not None or revision == seen.revision
        if workload is None and not renderable:
            continue
        if workload is None or not workload.intact or workload.replicas < replicas:
            intents.append(SetWorkload(revision, replicas))
    return intents


def _roles(state: State, desired: Desire) -> list[Intent]:
    return [
        SetRole(role, revision)
        for role, revision in desired.roles.items()
        if state.seen.roles.get(role) != revision
    ]


def _budgets(state: State, desired: Desire) -> list[Intent]:
    """One for each revision that has had two pods, until its pods go."""
    seen = state.seen
    intents: list[Intent] = []
    for revision, replicas in desired.replicas.items():
        wanted = replicas > 1 or revision in seen.budgets
        kept = seen.known(revision) is not None
        if wanted and kept and revision not in seen.guarded and not seen.budgets.get(revision):
            intents.append(SetDisruptionBudget(revision))
    for revision in seen.budgets:
        if revision not in desired.replicas or revision in seen.guarded:
            intents.append(DropDisruptionBudget(revision))
    return intents


def _fewer_pods(state: State, desired: Desire) -> list[Intent]:
    """Stable's last, so that a candidate which shrinks as well has no larger share meanwhile."""
    intents: list[Intent] = []
    for workload in sorted(state.seen.workloads, key=lambda each: each.revision == state.stable):
        replicas = desired.replicas.get(workload.revision)
        if replicas is None:
            at_once = workload.revision in desired.at_once
            intents.append(RemoveWorkload(workload.revision, at_once=at_once))
        elif workload.intact and replicas < workload.replicas:
            intents.append(ShrinkWorkload(workload.revision, replicas))
    return intents


def _marks(state: State) -> list[Intent]:
    """Marks of this pass, and those that a killed pass left unwritten."""
    seen = state.seen
    wanted = list(state.marks)
    stable = seen.known(state.stable)
    if stable is not None and not stable.once_stable:
        wanted.append(MarkRevision(stable.revision, once_stable=True))
    rejected = seen.known(state.rejected.revision if state.rejected else None)
    if rejected is not None and not rejected.rejected:
        wanted.append(MarkRevision(rejected.revision, rejected=True))
    unique = list(dict.fromkeys(wanted))
    return [each for each in unique if isinstance(each, MarkRevision) and _unwritten(state, each)]


def _unwritten(state: State, mark: MarkRevision) -> bool:
    known = state.seen.known(mark.revision)
    if known is None:
        return False
    return mark.once_stable not in (None, known.once_stable) or mark.rejected not in (
        None,
        known.rejected,
    )


def _replicas(state: State) -> list[Intent]:
    return [SetReplicas(state.replicas)] if state.seen.replicas_left_out else []


def _smoke(state: State) -> list[Intent]:
    release = state.release
    if not state.smoke_wanted or release is None:
        return []
    return [RunSmoke(release.revision, after_switch=release.stage == "Watching")]


def _revisions_dropped(state: State, desired: Desire) -> list[Intent]:
    used = {*desired.replicas, state.seen.revision, state.stable, state.previous}
    if state.rejected is not None:
        used.add(state.rejected.revision)
    spare = sorted(
        (each for each in state.seen.revisions if each.revision not in used),
        key=lambda each: each.number,
        reverse=True,
    )
    return [DropRevision(each.revision) for each in spare[state.seen.spec.history_limit :]]

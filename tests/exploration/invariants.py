"""What must hold of every write, every pass and every rest, whatever has happened before.

Each invariant is a function of a moment (`tests.exploration.moments`) that answers with a sentence
when it is broken, None otherwise. "§" are the chapters of the design that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from headgate.core.intents import (
    Plan,
    RemoveWorkload,
    SetTraffic,
    SetWorkload,
    ShrinkWorkload,
)
from headgate.core.observation import NOWHERE, Observation
from headgate.core.reverting import PEOPLES_REASONS
from headgate.core.settings import (
    kept_of,
    replicas_of,
    revert_floor_of,
    surge_of,
    unavailable_of,
)
from headgate.core.state import State
from headgate.core.timing import to_seconds
from tests.exploration.moments import Pass, Write, served, serving

STATUS_LIMIT = 64 * 1024
PASSES_TO_REST = 8
LONGEST_UNPINNED = 60.0


# Of a write.


def pins_to_a_side_that_answers(write: Write) -> str | None:
    """§3: "A side with no ready pod is never pinned to", while another that may serve has one."""
    before, after = write.before.live, write.after.live
    if not isinstance(write.intent, SetTraffic) or after is None or after.revision is None:
        return None
    if after.revision == NOWHERE and (before is None or before.revision == NOWHERE):
        return None
    if before is not None and before.revision == after.revision:
        return None
    if write.after.ready(after.revision) or replicas_of(write.after.spec) == 0:
        return None
    # Where the Service was deleted there is nobody who answers: it may point to what it was.
    others = served(write.before) - {after.revision}
    left = sum(write.before.ready(each) for each in others)
    return f"{after.revision} has no ready pod, {left} others have been serving" if left else None


def shares_between_two_only(write: Write) -> str | None:
    """§3: "widened only after a live read shows no pod, terminating included, of a third revision,
    and pinned again before one is created"."""
    after = write.after
    if after.live is None or after.live.revision is not None:
        return None
    pair = _pair(write)
    if isinstance(write.intent, SetTraffic):
        others = {pod.revision for pod in after.pods} - pair
    elif isinstance(write.intent, SetWorkload) and write.intent.replicas:
        others = {write.intent.revision} - pair
    else:
        return None
    return f"pods of {', '.join(sorted(others))} share the traffic" if others else None


def _pair(write: Write) -> set[str]:
    status = write.plan.status
    sides = {each.revision for each in (status.stable, status.candidate) if each is not None}
    if status.release is not None:
        sides.add(status.release.revision)
    return sides


def only_checked_revisions_serve(write: Write) -> str | None:
    """§2: "nothing unchecked goes live because status is empty"; R4: smoke predictions pass, then
    traffic."""
    if not isinstance(write.intent, SetTraffic | SetWorkload):
        return None
    unchecked = served(write.after) - served(write.before) - write.history.checked - {NOWHERE}
    if not unchecked:
        return None
    return f"{', '.join(sorted(unchecked))} gets live traffic and was not checked"


def rejected_revisions_stay_away(write: Write) -> str | None:
    """§5: "the reverted revision applied again: refused"; it gets neither traffic nor pods."""
    if isinstance(write.intent, SetTraffic):
        # What is being taken back may lose traffic only.
        before = served(write.before) if write.before.live else write.history.rejected
        back = (served(write.after) - before) & write.history.rejected
        if back:
            return f"{', '.join(sorted(back))} was rejected and gets live traffic again"
    if isinstance(write.intent, SetWorkload) and write.intent.revision in write.history.rejected:
        workload = write.before.workload(write.intent.revision)
        if write.intent.replicas > (workload.replicas if workload is not None else 0):
            return f"{write.intent.revision} was rejected and gets new pods"
    return None


def share_within_the_step(write: Write) -> str | None:
    """§3: the candidate's share, by the pods that are asked for, is never raised above the one
    that the step's whole pods express."""
    release = write.plan.status.release
    after = write.after
    if release is None or release.stage != "Stepping" or write.plan.status.stable is None:
        return None
    if after.live is None or after.live.revision is not None:
        return None
    stable = write.plan.status.stable.revision
    most = State(seen=after, now=0.0, stable=stable, release=release).step.effective_weight
    share = _share(after, stable, release.revision)
    was = _share(write.before, stable, release.revision)
    widened = write.before.live is not None and write.before.live.revision is None
    if share <= most + 1e-6 or (widened and share <= was + 1e-6):
        return None
    return f"{release.revision} is given {share:.0f} % of the pods, the step has {most:.0f} %"


def _share(seen: Observation, stable: str, candidate: str) -> float:
    pods = {each.revision: each.replicas for each in seen.workloads}
    both = pods.get(stable, 0) + pods.get(candidate, 0)
    return 100 * pods.get(candidate, 0) / both if both else 0.0


def surge_is_bounded(write: Write) -> str | None:
    """§3: "s+c ≤ N+S"; a preview and a promotion bring up a whole second side, and so does stable
    when a lost status finds traffic shared with a promotion."""
    if not isinstance(write.intent, SetWorkload):
        return None
    before = write.before.workload(write.intent.revision)
    if before is not None and write.intent.replicas <= before.replicas:
        return None
    status, spec = write.plan.status, write.after.spec
    replicas = replicas_of(spec)
    release = status.release
    if release is None or status.stable is None or release.stage == "Reverting":
        return None
    state = State(seen=write.after, now=0.0, stable=status.stable.revision, release=release)
    rebuilt = release.stage == "Starting" and served(write.planned) >= {release.revision}
    if release.stage in ("Stepping", "Starting") and state.step.shared and not rebuilt:
        most = replicas + surge_of(spec)
    else:
        most = 2 * replicas
    sides = {status.stable.revision, release.revision}
    total = sum(each.replicas for each in write.after.workloads if each.revision in sides)
    planned = sum(each.replicas for each in write.planned.workloads if each.revision in sides)
    if total <= max(most, planned):
        return None
    return f"{total} pods are asked for, {most} are allowed"


def capacity_is_kept(write: Write) -> str | None:
    """§3: "s+c ≥ N−U"; a bad version is left with the revert floor, or with nobody answering."""
    before, after = serving(write.before), serving(write.after)
    spec = write.after.spec
    needed = replicas_of(spec) - unavailable_of(spec)
    release = write.plan.status.release
    rejected = write.plan.status.rejected
    reverting = release is not None and release.stage == "Reverting"
    if release is not None and rejected is not None and reverting:
        over = write.now - to_seconds(release.decided) >= LONGEST_UNPINNED
        if rejected.revision == release.revision and rejected.reason not in PEOPLES_REASONS:
            needed = 1 if over else min(needed, revert_floor_of(spec))
    if after >= min(before, needed):
        return None
    return f"{after} ready pods serve after the write, {before} before it, {needed} are needed"


def the_version_before_is_kept(write: Write) -> str | None:
    """§3: "through the watch, stable keeps the pods of the previous step" (`keepPrevious`)."""
    status, intent = write.plan.status, write.intent
    if not isinstance(intent, ShrinkWorkload | RemoveWorkload) or status.previous is None:
        return None
    if intent.revision != status.previous.revision:
        return None
    before, after = (
        workload.replicas if workload is not None else 0
        for workload in (each.workload(intent.revision) for each in (write.before, write.after))
    )
    wanted = min(before, kept_of(write.after.spec))
    return None if after >= wanted else f"{after} of {wanted} pods of {intent.revision} are kept"


# Of a pass.


def stays_within_64_kib(done: Pass) -> str | None:
    """§6: "No status over 64 KiB"."""
    size = len(done.plan.status.model_dump_json(by_alias=True, exclude_none=True).encode())
    return None if size < STATUS_LIMIT else f"the status has {size} bytes"


def no_step_with_something_missing(done: Pass) -> str | None:
    """§5: "stable loses pods: no step forward"; "a child edited or deleted by hand: no step forward
    meanwhile"."""
    release, stable = done.seen.status.release, done.seen.status.stable
    if not done.forward or release is None or stable is None:
        return None
    seen = done.seen
    workload = seen.workload(stable.revision)
    if seen.live is None or not seen.live.intact:
        return "a step forward while the live Service is not intact"
    if workload is None or not workload.intact:
        return "a step forward while stable's Deployment is not intact"
    entered = done.plan.status.release
    leaves = release if release.stage == "Stepping" else entered
    if entered is not None and entered.promoting:
        # A person asked for it.
        return None
    if leaves is not None and leaves.stage == "Stepping":
        state = State(seen=seen, now=done.now, stable=stable.revision, release=leaves)
        ready, wanted = seen.ready(stable.revision), state.step.split.stable
        if ready < wanted and (state.step.shared or release.stage == "Stepping"):
            return f"a step forward with {ready} of {wanted} stable pods ready"
    return None


def suspended_means_no_step(done: Pass) -> str | None:
    """`suspend` "stops everything except a revert"."""
    if not done.seen.spec.suspend or done.recovered:
        return None
    if done.forward:
        return "a step forward while spec.suspend is true"
    before, after = done.seen.status.release, done.plan.status.release
    started = after is not None and (before is None or before.revision != after.revision)
    return "a release began while spec.suspend is true" if started else None


def missing_data_is_never_good(done: Pass) -> str | None:
    """§4: while traffic is shared, only a poll that shows a good candidate ends a step."""
    release, sample = done.seen.status.release, done.seen.sample
    if release is None or sample is None or release.stage != "Stepping" or not done.forward:
        return None
    stable = done.seen.status.stable
    if stable is None:
        return None
    state = State(seen=done.seen, now=done.now, stable=stable.revision, release=release)
    promoting = done.plan.status.release is not None and done.plan.status.release.promoting
    if promoting or not state.step.shared or state.step.approval is not None:
        return None
    candidates = {pod.name for pod in done.seen.pods if pod.revision == release.revision}
    told = [counters for name, counters in sample.pods.items() if name in candidates]
    if sample.outage is not None or not told:
        return "a step forward on a poll that tells nothing about the candidate"
    bad = sum(each.errors for each in told) > sum(each.requests or 0 for each in told) / 4
    return "a step forward on a poll in which the candidate fails" if bad else None


def the_first_write_of_a_revert_pins(done: Pass) -> str | None:
    """§3: "with ready stable pods ≥ revertFloor, or with no ready candidate, pin in the first
    write"; a version that is only unwanted leaves without costing capacity."""
    release, seen = done.plan.status.release, done.seen
    stable = done.plan.status.stable
    if release is None or release.stage != "Reverting" or stable is None:
        return None
    if seen.live is not None and seen.live.revision == stable.revision:
        return None
    ready, candidate = seen.ready(stable.revision), seen.ready(release.revision)
    rejected = done.plan.status.rejected
    floor = revert_floor_of(seen.spec)
    unwanted = rejected is None or rejected.revision != release.revision
    if unwanted or (rejected is not None and rejected.reason in PEOPLES_REASONS):
        floor = max(floor, replicas_of(seen.spec) - unavailable_of(seen.spec))
    if not ready or (ready < min(floor, replicas_of(seen.spec)) and candidate):
        return None
    first = done.plan.intents[0] if done.plan.intents else None
    if isinstance(first, SetTraffic) and first.revision == stable.revision:
        return None
    return f"the first write of the revert is {first}, not the pin to {stable.revision}"


def conditions_agree(done: Pass) -> str | None:
    """§6: kstatus conditions. Stalled excludes both others; Ready means that the version asked for
    gets all live traffic, with all its pods; a release under way is Reconciling."""
    status, after = done.plan.status, done.after
    kinds = {each.type: each for each in status.conditions}
    on = {kind for kind, each in kinds.items() if each.status == "True"}
    if not {"Ready", "Reconciling", "Stalled"} <= kinds.keys():
        return "a condition is missing"
    if "Stalled" in on and on & {"Ready", "Reconciling"}:
        return f"{status.phase} is {', '.join(sorted(on))} at the same time"
    if status.release is not None and not on & {"Reconciling", "Stalled"}:
        return f"{status.phase} has a release under way and is not Reconciling"
    if "Ready" in on:
        pinned = after.live is not None and after.live.revision == after.revision
        if not pinned or after.ready(after.revision) < replicas_of(after.spec):
            return f"{status.phase} is Ready, but {after.revision} does not serve with all pods"
    return None


def generation_never_goes_back(done: Pass) -> str | None:
    """§6: observedGeneration, of the status and of every condition, is that of the spec seen."""
    status = done.plan.status
    told = {status.observed_generation, *(each.observed_generation for each in status.conditions)}
    if told == {done.seen.generation}:
        return None
    return f"generations {sorted(told)} are told, {done.seen.generation} was seen"


def looks_again(done: Pass) -> str | None:
    """A release under way is looked at again without an event."""
    if done.plan.status.release is None or done.plan.requeue_after is not None:
        return None
    return "nothing makes the operator look again at a release under way"


# Of a rest: a world in which a whole pass changes nothing, and nothing is to be awaited.


def rests_with_stable(done: Pass) -> str | None:
    """§3: reverting always ends, and so does every release: all traffic is with the stable version,
    and the status says where it stands."""
    status, live = done.plan.status, done.after.live
    release = status.release
    if release is not None and done.seen.spec.suspend and release.stage != "Reverting":
        told = "suspend" in status.message
        return None if told else f"suspended, but the status says: {status.message}"
    if release is not None and replicas_of(done.seen.spec) == 0 and release.stage == "Stepping":
        # Nobody is served, so nothing can be judged: it waits for replicas.
        return None if "no replicas" in status.message else f"it waits: {status.message}"
    if status.stable is None and status.phase == "Failing":
        # A first version has nothing to go back to: it takes a person.
        return None
    if release is not None:
        return f"{status.phase} ({status.message}) and nothing more will happen"
    if status.stable is None:
        given_up = status.rejected is not None and status.rejected.revision == done.seen.revision
        return None if given_up or status.phase == "Suspended" else f"{status.phase}: no stable"
    stable = status.stable.revision
    if live is None or live.revision != stable:
        return f"traffic is not with the stable version {stable}"
    if done.after.ready(stable) < replicas_of(done.after.spec):
        return f"{done.after.ready(stable)} pods of {stable} are ready"
    wanted = done.seen.revision
    expected = {"Reverted", "Suspended"} if wanted != stable else {"Stable", "Suspended"}
    return None if status.phase in expected else f"the phase is {status.phase}"


def children_of_nobody_are_gone(done: Pass) -> str | None:
    """Only stable has pods at rest, and the role Services say so."""
    status = done.plan.status
    if status.release is not None or status.stable is None:
        return None
    stable = status.stable.revision
    left = [each.revision for each in done.after.workloads if each.revision != stable]
    if left:
        return f"{', '.join(left)} still has a Deployment"
    roles = dict(done.after.roles)
    wanted = {"stable": stable, "candidate": NOWHERE}
    return None if roles == wanted else f"the roles are {roles}"


OF_A_WRITE: tuple[Callable[[Write], str | None], ...] = (
    pins_to_a_side_that_answers,
    shares_between_two_only,
    only_checked_revisions_serve,
    rejected_revisions_stay_away,
    share_within_the_step,
    surge_is_bounded,
    capacity_is_kept,
    the_version_before_is_kept,
)
OF_A_PASS: tuple[Callable[[Pass], str | None], ...] = (
    stays_within_64_kib,
    no_step_with_something_missing,
    suspended_means_no_step,
    missing_data_is_never_good,
    the_first_write_of_a_revert_pins,
    conditions_agree,
    generation_never_goes_back,
    looks_again,
)
OF_A_REST: tuple[Callable[[Pass], str | None], ...] = (
    rests_with_stable,
    children_of_nobody_are_gone,
)


def broken_by_write(write: Write) -> Iterator[tuple[str, str]]:
    """Names and sentences of the invariants that a write breaks."""
    return _broken(OF_A_WRITE, write)


def broken_by_pass(done: Pass) -> Iterator[tuple[str, str]]:
    """Names and sentences of the invariants that a whole pass breaks."""
    return _broken(OF_A_PASS, done)


def broken_at_rest(done: Pass) -> Iterator[tuple[str, str]]:
    """Names and sentences of the invariants that are broken where nothing more happens."""
    return _broken(OF_A_REST, done)


Moment = TypeVar("Moment")


def _broken(
    invariants: tuple[Callable[[Moment], str | None], ...], moment: Moment
) -> Iterator[tuple[str, str]]:
    for invariant in invariants:
        sentence = invariant(moment)
        if sentence is not None:
            yield invariant.__name__, sentence


def deterministic(first: Plan, second: Plan) -> str | None:
    """§2: "Deterministic": the same world, its objects listed in another order, is answered by the
    same writes. (Of pods that are alike, a sentence may name either.)"""
    same = sorted(map(str, first.intents)) == sorted(map(str, second.intents))
    if same and [each.reason for each in first.notes] == [each.reason for each in second.notes]:
        return None
    return f"{first.intents} and {second.intents} for the same world"

"""What must hold of a whole pass. See `tests.exploration.of_writes` for what an invariant is."""

from __future__ import annotations

from headgate.api.status import Release
from headgate.core.intents import SetTraffic
from headgate.core.reverting import PEOPLES_REASONS
from headgate.core.settings import keep_for_of, replicas_of, revert_floor_of, unavailable_of
from headgate.core.state import State
from headgate.core.timing import to_seconds
from tests.exploration.moments import Pass

STATUS_LIMIT = 64 * 1024


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
    before, after = done.seen.status.release, done.plan.status.release
    if after is not None and after.direct and after.instead_of:
        # A person goes back to a version that was stable: that is a revert.
        return None
    if done.forward:
        return "a step forward while spec.suspend is true"
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


def a_freeze_window_holds_releases(done: Pass) -> str | None:
    """Freeze windows: "no release starts or advances inside them; reverting is always allowed", and
    so is going back."""
    after = done.plan.status.release
    if not done.seen.spec.freeze_windows or done.recovered or after is None:
        return None
    if _once_stable(done, after):
        return None
    if done.forward:
        return "a step forward in a freeze window"
    return "a release began in a freeze window" if _began(done, after) else None


def what_is_kept_stays_until_its_time_is_over(done: Pass) -> str | None:
    """`watch.keepFor`: the version before keeps its pods until then, also after the watch, unless
    another release ends that."""
    before, after = done.seen.status, done.plan.status
    if before.previous is None or before.stable is None or after.stable is None:
        return None
    if after.stable.revision != before.stable.revision or _kept_until(done) <= done.now:
        return None
    if after.release is not None and (
        after.release.stage != "Watching" or _began(done, after.release)
    ):
        return None
    name = before.previous.revision
    had, has = (
        workload.replicas if workload is not None else 0
        for workload in (each.workload(name) for each in (done.seen, done.after))
    )
    return None if has >= had else f"{has} of {had} pods of {name} are left before its time is over"


def _kept_until(done: Pass) -> float:
    status, keep_for = done.seen.status, keep_for_of(done.seen.spec)
    if status.release is None:
        return to_seconds(status.previous_until) if status.previous_until else 0.0
    if status.release.stage != "Watching" or keep_for is None:
        return 0.0
    return to_seconds(status.release.step_started) + keep_for


def a_release_waits_for_its_turn(done: Pass) -> str | None:
    """A cap on releases at the same time holds back new ones; neither a first version nor going
    back."""
    after, turn = done.plan.status.release, done.seen.turn
    if turn is None or turn.granted or done.recovered or after is None:
        return None
    if done.plan.status.stable is None or _once_stable(done, after):
        return None
    return "a release began without its turn" if _began(done, after) else None


def _began(done: Pass, after: Release) -> bool:
    before = done.seen.status.release
    return before is None or (before.revision, before.started) != (after.revision, after.started)


def _once_stable(done: Pass, release: Release) -> bool:
    known = done.seen.known(release.revision)
    return known is not None and known.once_stable and not known.rejected

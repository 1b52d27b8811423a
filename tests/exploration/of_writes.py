"""What must hold of every write, whatever has happened before.

Each invariant is a function of a moment (`tests.exploration.moments`) that answers with a sentence
when it is broken, None otherwise. "§" are the chapters of the design that it stands for.
"""

from __future__ import annotations

from collections import Counter

from headgate.api.strategy import Capacity
from headgate.core.adoption import SECONDS_AFTER_RELEASE
from headgate.core.intents import (
    RemoveAdopted,
    RemoveWorkload,
    RestartWorkload,
    SetTraffic,
    SetWorkload,
    ShrinkWorkload,
)
from headgate.core.observation import INHERITED, NOWHERE, Observation
from headgate.core.reverting import PEOPLES_REASONS
from headgate.core.settings import (
    kept_of,
    ready_floor_of,
    replicas_of,
    revert_floor_of,
    surge_of,
    unavailable_of,
)
from headgate.core.state import State
from headgate.core.timing import to_seconds
from tests.exploration.moments import Write, served, serving, swaps

LONGEST_UNPINNED = 60.0


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
    others = write.history.checked | {NOWHERE, INHERITED}
    unchecked = served(write.after) - served(write.before) - others
    if not unchecked:
        return None
    return f"{', '.join(sorted(unchecked))} gets live traffic and was not checked"


def rejected_revisions_stay_away(write: Write) -> str | None:
    """§5: "the reverted revision applied again: refused"; it gets neither traffic nor pods."""
    previous = write.planned.status.previous
    rejected = write.history.rejected
    if previous is not None:
        # A person gave it up for the one that fails now, or that is given up as well.
        rejected -= {previous.revision}
    if isinstance(write.intent, SetTraffic):
        # What is being taken back may lose traffic only.
        before = served(write.before) if write.before.live else rejected
        back = (served(write.after) - before) & rejected
        if back:
            return f"{', '.join(sorted(back))} was rejected and gets live traffic again"
    if isinstance(write.intent, SetWorkload) and write.intent.revision in rejected:
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
    if release is not None and swaps(write):
        # A single pod makes way before the new one comes, and status says so.
        swapped = replicas_of(spec) == 1 and release.stage in ("Promoting", "Reverting")
        needed = 0 if swapped else max(min(1, replicas_of(spec)), ready_floor_of(spec))
    if release is not None and rejected is not None and reverting:
        over = write.now - to_seconds(release.decided) >= LONGEST_UNPINNED
        if rejected.revision == release.revision and rejected.reason not in PEOPLES_REASONS:
            needed = 1 if over else min(needed, revert_floor_of(spec))
    if after >= min(before, needed):
        return None
    return f"{after} ready pods serve after the write, {before} before it, {needed} are needed"


def the_version_before_is_kept(write: Write) -> str | None:
    """§3: "through the watch, stable keeps the pods of the previous step" (`keepPrevious`); "none
    under `swap`, and status says that going back needs a start"."""
    status, intent = write.plan.status, write.intent
    if swaps(write) and "going back needs a start" in status.message:
        return None
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


def swapping_takes_no_more_room(write: Write) -> str | None:
    """§3: "`swap` frees stable pods first and waits until they are gone"; a revert waits for a pod
    that hangs for a minute only."""
    spec, status, intent = write.after.spec, write.plan.status, write.intent
    release = status.release
    if not swaps(write) or release is None or status.stable is None:
        return None
    if not isinstance(intent, SetWorkload):
        return None
    before = write.before.workload(intent.revision)
    if intent.replicas <= (before.replicas if before is not None else 0):
        return None
    if release.stage == "Watching":
        # Nothing is swapped any more: what serves is restored at once when it was deleted by hand.
        return None
    if release.stage == "Reverting" and write.now - to_seconds(release.decided) >= LONGEST_UNPINNED:
        return None
    running = Counter(pod.revision for pod in write.before.pods)
    asked = {each.revision: each.replicas for each in write.after.workloads}
    room = sum(max(asked.get(each, 0), running[each]) for each in {*running, *asked})
    most = replicas_of(spec)
    return f"there is room for {most} pods, not for {room}" if room > most else None


def what_was_adopted_goes_last(write: Write) -> str | None:
    """§5: "adopted on request, without downtime": the Deployment that was there before goes when
    ours serves with all its pods, the release has ended, and nodes have heard of it. Nothing else
    of that name is deleted."""
    intent, seen, status = write.intent, write.before, write.plan.status
    if not isinstance(intent, RemoveAdopted):
        return None
    if intent.uid != write.history.taken:
        return f"{intent.uid} is deleted, and {write.history.taken or 'nothing'} was adopted"
    if seen.live is None or status.stable is None or seen.live.revision != status.stable.revision:
        return "the adopted Deployment goes, and traffic is not with the stable version"
    ready = seen.ready(status.stable.revision)
    if status.release is not None or ready < max(1, replicas_of(seen.spec)):
        return f"the adopted Deployment goes with {ready} pods of ours ready, {status.phase}"
    ended = max((to_seconds(each.finished) for each in status.releases), default=0.0)
    if write.now - ended < SECONDS_AFTER_RELEASE:
        return "the adopted Deployment goes in the moment in which the release ended"
    return None


def a_restart_happens_once(write: Write) -> str | None:
    """A restart that was asked for replaces the pods of a Deployment once."""
    intent = write.intent
    if not isinstance(intent, RestartWorkload):
        return None
    workload = write.before.workload(intent.revision)
    if workload is None:
        return f"{intent.revision}, which has no Deployment, is restarted"
    if to_seconds(workload.restarted) < to_seconds(intent.at):
        return None
    if workload.restarted == intent.at and workload.pace != intent.pace:
        # The restart that is under way goes on at another pace.
        return None
    return f"{intent.revision} is restarted for {intent.at}, and was for {workload.restarted}"


def a_restart_moves_no_traffic(write: Write) -> str | None:
    """Pods are replaced only where nothing is being released, taken back or suspended: of the one
    version that gets all live traffic."""
    intent, release, live = write.intent, write.plan.status.release, write.before.live
    if not isinstance(intent, RestartWorkload):
        return None
    if release is not None and release.stage != "Watching":
        return f"{intent.revision} is restarted in a release that is {release.stage}"
    if write.planned.spec.suspend:
        return f"{intent.revision} is restarted while spec.suspend is true"
    if live is None or live.revision != intent.revision:
        return f"{intent.revision} is restarted, and does not get all live traffic"
    return None


def a_restart_keeps_the_pace(write: Write) -> str | None:
    """A restart has no more pods than maxSurge allows and no fewer ready than maxUnavailable; where
    pods make way for others, no fewer than the ready floor, but of a single one."""
    intent, spec = write.intent, write.planned.spec
    if not isinstance(intent, RestartWorkload):
        return None
    pace, most, fewest = intent.pace, surge_of(spec), unavailable_of(spec)
    if spec.strategy.capacity is not Capacity.SURGE and not pace.surge:
        fewest = max(1, replicas_of(spec) - ready_floor_of(spec))
    if pace.surge <= most and pace.unavailable <= fewest:
        return None
    return f"{intent.revision} is restarted with {pace}, allowed are {most} more, {fewest} fewer"

"""What must hold where nothing more happens: a whole pass changes nothing there, and nothing is to
be awaited. See `tests.exploration.of_writes` for what an invariant is."""

from __future__ import annotations

from headgate.api.strategy import Capacity
from headgate.core.capacity import UNSCHEDULABLE
from headgate.core.observation import NOWHERE
from headgate.core.settings import replicas_of
from tests.exploration.moments import Pass


def rests_with_stable(done: Pass) -> str | None:
    """§3: reverting always ends, and so does every release: all traffic is with the stable version,
    and the status says where it stands."""
    status, live = done.plan.status, done.after.live
    release = status.release
    if done.seen.conflict is not None:
        # A person has to ask for what is there.
        return None if status.phase == "Conflict" else f"a conflict is told as {status.phase}"
    if release is not None and done.seen.spec.suspend and release.stage != "Reverting":
        told = "suspend" in status.message
        return None if told else f"suspended, but the status says: {status.message}"
    if release is not None and replicas_of(done.seen.spec) == 0 and release.stage != "Reverting":
        # Nobody is served, so nothing can be checked or judged: it waits for replicas.
        waits = "no replicas" in status.message or "replicas is 0" in status.message
        return None if waits else f"it waits: {status.message}"
    if status.stable is None and status.phase == "Failing":
        # A first version has nothing to go back to: it takes a person.
        return None
    if release is not None:
        return f"{status.phase} ({status.message}) and nothing more will happen"
    if status.stable is None:
        given_up = status.rejected is not None and status.rejected.revision == done.seen.revision
        known = done.seen.known(done.seen.revision)
        given_up |= known is not None and known.rejected
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


def what_was_adopted_is_gone(done: Pass) -> str | None:
    """An adopted Deployment is left alone until ours serves, and never left behind."""
    status, spec = done.plan.status, done.seen.spec
    if not done.history.left or status.stable is None or status.release is not None:
        return None
    if spec.suspend or not replicas_of(spec):
        # It waits for the end of that.
        return None
    return f"the adopted Deployment {done.history.taken} is left behind"


def a_restart_is_not_forgotten(done: Pass) -> str | None:
    """`spec.restartAt`: pods whose Deployment has not been restarted since are replaced."""
    status, spec = done.plan.status, done.seen.spec
    if spec.restart_at is None or spec.suspend or status.release is not None:
        return None
    workload = done.after.workload(status.stable.revision if status.stable else None)
    if workload is None or workload.restarted == spec.restart_at:
        return None
    return f"{workload.revision} was restarted at {workload.restarted or 'no time'}"


def a_restart_ends(done: Pass) -> str | None:
    """No pod that a restart has added waits for its place for ever; where pods may not make way for
    it, the status says so."""
    status, spec = done.plan.status, done.seen.spec
    if status.stable is None or status.release is not None or spec.suspend:
        return None
    stable = status.stable.revision
    pods, workload = done.after.pods_of(stable), done.after.workload(stable)
    waiting = [each.name for each in pods if each.waiting == UNSCHEDULABLE]
    if workload is None or len(pods) <= workload.replicas or not waiting:
        return None
    told = spec.strategy.capacity is Capacity.SURGE and "finds no room" in status.message
    return None if told else f"{waiting[0]} has no place: {status.message}"

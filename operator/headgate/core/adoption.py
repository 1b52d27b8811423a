"""A link of the chain: a Service and a Deployment that were there before are taken over.

The Service is ours from the first write on, and keeps the pods that it had until our first version
is ready and checked; then it is pinned to that. The Deployment is left alone until the release of
that version has ended, and then deleted. What is to be deleted stands on the Service, so that it
needs no search and a kill forgets nothing, and in the status.
"""

from __future__ import annotations

from headgate.core.observation import INHERITED, NO_DEPLOYMENT
from headgate.core.state import State

SECONDS_AFTER_RELEASE = 10.0
"""How long the adopted Deployment stays at least: every node has to hear first that the Service has
other pods, and nothing makes its own pods wait for that."""


def adopt(state: State) -> State:
    """Say what is taken over, and let the adopted Deployment go when it is time."""
    seen = state.seen
    adopted = [
        *(["Service"] if seen.adoptable else []),
        *(["Deployment"] if seen.inherited and adopted_mark(state) == seen.inherited else []),
    ]
    if seen.live is None and state.stable is None and adopted:
        found = " and ".join(f"{kind} {seen.name}" for kind in adopted)
        version = seen.spec.model.version
        return state.say("Adopted", f"Taking over {found}, left as found until {version} serves.")
    if leaves_in(state) == 0 and seen.live is not None:
        ready, stable = seen.ready(state.stable), state.version_of(state.stable)
        return state.change(leaving=seen.live.adopted).say(
            "AdoptedRemoved",
            f"Deleting the adopted Deployment {seen.name}: {stable} serves with {ready} of "
            f"{state.replicas} pods ready.",
        )
    return state


def inherits(state: State) -> bool:
    """Whether the live Service keeps the pods that it had before it was taken over."""
    if state.stable is not None:
        return False
    live = state.seen.live
    if live is None:
        return state.seen.adoptable
    # Without a mark it looks as if it selected both sides, and there are none yet.
    unmarked = live.revision is None and adopted_mark(state) is not None
    return live.revision == INHERITED or unmarked


def adopted_mark(state: State) -> str | None:
    """What the live Service is to say of an adoption: the uid of the Deployment that is to go. The
    status still knows it when somebody edits or deletes the Service."""
    seen = state.seen
    if seen.live is not None and seen.live.adopted is not None:
        return seen.live.adopted
    if seen.status.adopted:
        return seen.status.adopted
    return (seen.inherited or NO_DEPLOYMENT) if seen.adoptable or seen.inherited else None


def what_serves(state: State) -> str:
    """What serves while nothing of ours does, as a person calls it; empty when nothing does."""
    if not inherits(state):
        return ""
    kind = "Service" if adopted_mark(state) == NO_DEPLOYMENT else "Deployment"
    return f"the adopted {kind} {state.seen.name}"


def leaves_in(state: State) -> float | None:
    """Seconds until the adopted Deployment is deleted; None when there is none, or when it has to
    wait for something else."""
    seen, live = state.seen, state.seen.live
    if live is None or live.adopted in (None, NO_DEPLOYMENT) or not live.intact:
        return None
    if state.stable is None or state.release is not None or seen.spec.suspend:
        return None
    if live.revision != state.stable or not state.replicas:
        return None
    if seen.ready(state.stable) < state.replicas:
        return None
    if not state.releases:
        return 0.0
    return max(0.0, SECONDS_AFTER_RELEASE - state.since(state.releases[-1].finished))

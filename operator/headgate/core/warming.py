"""Last link of the chain but desire: every pod of ours is warm before it gets traffic.

Pods that carry the readiness gate are asked for their warm-up as soon as their containers are
ready, whatever release is under way, suspended or not; what came of it is written into their
status. A candidate that does not get warm has failed. A version that serves, or comes back, is
warmed up as well, but its pods are worth more cold than missing: they are let in when their warm-up
fails, and soon where stable is short of pods.
"""

from __future__ import annotations

import math

from headgate.api.quantities import parse_duration
from headgate.core.failures import WARM_UP_FAILED
from headgate.core.intents import SetWarm, WarmUp
from headgate.core.observation import Pod, Warming
from headgate.core.reverting import is_bad
from headgate.core.settings import revert_floor_of
from headgate.core.state import MESSAGE_LENGTH, State
from headgate.core.timing import to_text

COLD_AFTER = 10.0
"""Seconds that a pod of stable is warmed up while the end of a bad version, or all traffic, waits
for it."""

TIMES = 2
"""A version that has served is not kept out for more than so many time-outs: pods may have to wait
for their turn, and a new operator begins to count anew."""

_NOTHING = Warming()


def warm_up(state: State) -> State:
    """Ask for the warm-up of pods that run, and write down what came of it."""
    leaving = state.release is not None and state.release.stage == "Reverting"
    revisions = [state.stable, state.previous, None if leaving else state.candidate]
    asked: list[str] = []
    for revision in dict.fromkeys(each for each in revisions if each is not None):
        state = _of(state, revision, asked)
    if asked:
        state = state.change(warm_ups=(*state.warm_ups, WarmUp(tuple(asked))))
    return state


def warm_from(state: State) -> dict[str, float]:
    """When the warm-up of each pod with a gate was over, infinity while it is not: what it was
    asked before is no user's request."""
    return {
        # Kubernetes cuts the moment down to whole seconds.
        pod.name: pod.gate.since + 1.0 if pod.gate.warm else math.inf
        for pod in state.seen.pods
        if pod.gate is not None
    }


def cold_deadline(state: State) -> float | None:
    """Seconds until a pod of stable is let in although it is not warm."""
    if not _short(state):
        return None
    left = [COLD_AFTER - _run_for(state, pod) for pod in _cold(state, state.stable)]
    return max(0.1, min(left)) if left else None


def _of(state: State, revision: str, asked: list[str]) -> State:
    """The pods of one revision; those to be asked are added to `asked`."""
    writes: list[SetWarm] = []
    under_way: list[str] = []
    for pod in _cold(state, revision):
        found = state.seen.warming.get(pod.name)
        write = _write(state, revision, pod, found or _NOTHING)
        if write is not None:
            writes.append(write)
            continue
        under_way.append(found.sentence if found is not None else "")
        if found is None or found.warm is False:
            asked.append(pod.name)
    state = state.change(warm_ups=(*state.warm_ups, *writes))
    return _told(_counted(state, revision, under_way), revision, writes)


def _write(state: State, revision: str, pod: Pod, found: Warming) -> SetWarm | None:
    """What is to be written about a pod; None while it is still to be warmed up."""
    assert pod.gate is not None
    timeout = _timeout(state, revision)
    if timeout is None:
        return _set(state, pod, True, "NoWarmUp", "there are no requests to warm it up with")
    if found.warm:
        return _set(state, pod, True, "Warm", found.sentence)
    if _proven(state, revision):
        failed = found.warm is False or pod.gate.warm is False
        urgent = revision == state.stable and _short(state)
        patience = COLD_AFTER if urgent else TIMES * timeout
        if failed or _run_for(state, pod) >= patience:
            return _set(state, pod, True, "Cold", found.sentence or pod.message)
        return None
    if found.warm is False and pod.gate.warm is None:
        return _set(state, pod, False, WARM_UP_FAILED, found.sentence)
    return None


def _proven(state: State, revision: str) -> bool:
    """Whether a version has served users before, this time or earlier."""
    release = state.release
    going_back = release is not None and release.direct and state.stable is not None
    return revision != state.candidate or going_back


def _set(state: State, pod: Pod, warm: bool, reason: str, sentence: str) -> SetWarm:
    return SetWarm(pod.name, warm, reason, sentence[:MESSAGE_LENGTH], to_text(state.now))


def _counted(state: State, revision: str, under_way: list[str]) -> State:
    """Say how many pods are being warmed up, and what one of them answered."""
    if not under_way:
        return state
    pods = sum(1 for pod in state.seen.pods_of(revision) if pod.gate is not None)
    answer = next((f": {each}" for each in under_way if each), "")
    version = state.version_of(revision)
    sentence = f" Warming up {len(under_way)} of {pods} pods of {version}{answer}."
    return state.change(warming=state.warming + sentence)


def _told(state: State, revision: str, writes: list[SetWarm]) -> State:
    """One sentence for all pods that are let in cold, one when the last pod is warm."""
    version = state.version_of(revision)
    cold = [each for each in writes if each.reason == "Cold"]
    if cold:
        pods = _pods(len(cold), "gets", "get")
        why = f": {cold[0].message}" if cold[0].message else ""
        message = f"{pods} traffic before being warm ({version}){why}"
        state = state.say("ServesCold", message, warning=True)
    warm = [each for each in writes if each.reason == "Warm"]
    gated = [pod for pod in state.seen.pods_of(revision) if pod.gate is not None]
    if warm and len(writes) == sum(1 for pod in gated if not _is_warm(pod)) and not cold:
        pods = _pods(len(gated), "is", "are")
        state = state.say("PodsWarm", f"{pods} warm ({version}): {warm[-1].message}")
    return state


def _pods(count: int, one: str, many: str) -> str:
    return f"1 pod {one}" if count == 1 else f"{count} pods {many}"


def _cold(state: State, revision: str | None) -> list[Pod]:
    """The pods of a revision that run and wait for their warm-up to be over."""
    return [
        pod
        for pod in state.seen.pods_of(revision)
        if pod.gate is not None and pod.gate.running_since is not None and not _is_warm(pod)
    ]


def _is_warm(pod: Pod) -> bool:
    return pod.gate is not None and pod.gate.warm is True


def _timeout(state: State, revision: str) -> float | None:
    """The time-out of a version's warm-up, None without one. A version is warmed up as the spec
    says while that asks for it, later as it said then."""
    if revision == state.seen.revision:
        wanted = state.seen.spec.smoke.warm_up
        return None if wanted is None else parse_duration(wanted.timeout)
    known = state.seen.known(revision)
    return None if known is None else known.warm_up


def _short(state: State) -> bool:
    """Whether stable lacks pods so badly that traffic matters more than warmth."""
    release = state.release
    if release is not None and release.stage == "Reverting" and is_bad(state):
        return True
    return state.seen.ready(state.stable) < min(revert_floor_of(state.seen.spec), state.replicas)


def _run_for(state: State, pod: Pod) -> float:
    gate = pod.gate
    if gate is None or gate.running_since is None:
        return 0.0
    return max(0.0, state.now - gate.running_since)

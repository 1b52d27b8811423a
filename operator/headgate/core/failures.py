"""What the candidate's pods say by themselves, or why there are none: no Prometheus is needed to
see a pod crash."""

from __future__ import annotations

from collections.abc import Iterable

from headgate.core.desire import targets
from headgate.core.observation import Pod
from headgate.core.reverting import revert
from headgate.core.settings import progress_deadline_of
from headgate.core.state import State
from headgate.core.timing import for_people, to_text

WARM_UP_FAILED = "WarmUpFailed"
HOPELESS = frozenset(
    {"InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", WARM_UP_FAILED}
)
PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff"})
# The kubelet tries to pull at 0, about 10 and about 30 seconds; after that the third has failed.
THIRD_PULL_SECONDS = 30.0
CRASHES = 3
POD_SECURITY = "violates PodSecurity"
"""What admission says of a pod that its namespace's Pod Security level forbids. A quota or a
webhook may change its mind while a release waits; this takes another template or namespace."""


def fail_by_pods(state: State) -> State:
    """Revert at once when the candidate's pods are forbidden, cannot start, crash, or make no
    progress."""
    release = state.release
    if release is None or release.stage == "Reverting":
        return state
    state = _note_progress(state)
    # In an order of their own: what is said of one is written beside the traffic.
    pods = tuple(sorted(state.seen.pods_of(release.revision), key=lambda each: each.name))
    refused = _refused(state)
    if POD_SECURITY in refused and waits_for_pods(state) and not _held(state):
        return revert(state, "PodsForbidden", refused)
    for pod in pods:
        if pod.waiting in HOPELESS or _pull_failed(pod, state.now):
            return revert(state, pod.waiting, f"pod {pod.name}: {_words(pod)}")
    crashes = sum(pod.crashes for pod in pods)
    if crashes >= CRASHES or (crashes and _serves_alone(state, pods)):
        pod = max(pods, key=lambda each: each.crashes)
        times = f"{crashes} crash" + ("es" if crashes > 1 else "")
        return revert(
            state, "CrashLoopBackOff", f"{times} of its pods; pod {pod.name}: {_words(pod)}"
        )
    return _deadline(state, pods)


def pull_deadline(state: State) -> float | None:
    """Seconds until a pod that cannot pull its image counts as failed."""
    release = state.release
    if release is None:
        return None
    left = [
        pod.created + THIRD_PULL_SECONDS - state.now
        for pod in state.seen.pods_of(release.revision)
        if pod.waiting in PULL_REASONS
    ]
    return min(left, default=None)


def _refused(state: State) -> str:
    """Why the API server refuses the candidate's pods, in its own words; empty when it does not."""
    workload = state.seen.workload(state.candidate)
    return "" if workload is None else workload.failure.rstrip(".")


def _pull_failed(pod: Pod, now: float) -> bool:
    return pod.waiting in PULL_REASONS and now - pod.created >= THIRD_PULL_SECONDS


def _serves_alone(state: State, pods: Iterable[Pod]) -> bool:
    """Whether all live traffic goes to pods of which none can answer."""
    release = state.release
    live = state.seen.live
    assert release is not None
    pinned = live is not None and live.revision == release.revision
    return pinned and state.replicas > 0 and not any(pod.ready for pod in pods)


def _words(pod: Pod) -> str:
    if pod.waiting and pod.message:
        return f"{pod.waiting}: {pod.message}"
    return pod.waiting or pod.message or "it ended with an error"


def _note_progress(state: State) -> State:
    release = state.release
    assert release is not None
    held = _held(state)
    if held:
        # The deadline begins anew when the release may go on.
        if release.progress == held:
            return state
        return state.proceed(progress=held, progressed=to_text(state.now))
    ready = state.seen.ready(release.revision)
    mark, _, best = release.progress.rpartition("/")
    here = f"{release.stage}/{release.step}"
    most = max(ready, int(best)) if mark == here and best.isdigit() else ready
    progress = f"{here}/{most}"
    if progress == release.progress:
        return state
    return state.proceed(progress=progress, progressed=to_text(state.now))


def _held(state: State) -> str:
    """Why nobody can expect progress; empty when there should be some."""
    if state.seen.spec.suspend:
        return "suspended"
    return "" if state.replicas else "no replicas"


def waits_for_pods(state: State) -> bool:
    """Whether the release can only go on when more pods get ready."""
    release = state.release
    if release is None:
        return False
    if release.stage == "Starting":
        return not release.smoked or state.seen.ready(release.revision) < targets(state).candidate
    if release.stage == "Promoting":
        return state.seen.ready(release.revision) < state.replicas
    return release.stage == "Stepping" and not release.settled


def _deadline(state: State, pods: tuple[Pod, ...]) -> State:
    release = state.release
    assert release is not None
    deadline = progress_deadline_of(state.seen.spec)
    stuck = state.since(release.progressed)
    if not waits_for_pods(state) or _held(state) or stuck < deadline:
        return state
    told = next((pod for pod in pods if not pod.ready and (pod.waiting or pod.message)), None)
    refused = _refused(state)
    why = f"; {refused}" if refused else ""
    if told is not None:
        why = f"; pod {told.name}: {_words(told)}"
    return revert(
        state,
        "ProgressDeadlineExceeded",
        f"no progress for {for_people(stuck)} (progressDeadline "
        f"{state.seen.spec.progress_deadline}){why}",
    )

"""What the API server says about a pod, reduced to what a release needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headgate.core.failures import WARM_UP_FAILED
from headgate.core.observation import Gate, Pod
from headgate.core.timing import to_seconds
from headgate.kube.client import Object
from headgate.kube.snapshot import revision_label
from headgate.render.names import WARM

LONGEST_MESSAGE = 300
ORDINARY = frozenset({"", "ContainerCreating", "PodInitializing"})
"""Reasons for waiting that every pod gives while it starts."""

Container = Mapping[str, Any]


def read_pods(pods: Iterable[Object]) -> tuple[Pod, ...]:
    """The pods that exist, terminating ones included, in the order of their names."""
    found = (read_pod(each) for each in pods if not ended(each))
    return tuple(sorted(found, key=lambda pod: pod.name))


def read_pod(pod: Object) -> Pod:
    """One pod. A crash is every end of a server's container, and every failure of an init
    container; containers of a pod that was told to stop end rightly."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    terminating = bool(metadata.get("deletionTimestamp"))
    initial: list[Container] = status.get("initContainerStatuses") or []
    serving: list[Container] = status.get("containerStatuses") or []
    waiting, message = _waiting([*initial, *serving], status)
    crashes = sum(_crashes(each, terminating, initial=True) for each in initial)
    crashes += sum(_crashes(each, terminating, initial=False) for each in serving)
    if not message and crashes:
        message = _last_end([*initial, *serving])
    return Pod(
        name=str(metadata["name"]),
        revision=revision_label(pod),
        ready=not terminating and _condition(status, "Ready").get("status") == "True",
        terminating=terminating,
        created=to_seconds(str(metadata.get("creationTimestamp") or "")),
        crashes=crashes,
        waiting=waiting,
        message=bounded(message),
        gate=_gate(pod),
    )


def ended(pod: Object) -> bool:
    """Whether a pod runs nothing any more, though the API server still lists it."""
    status = pod.get("status") or {}
    if status.get("phase") in ("Succeeded", "Failed"):
        return True
    containers = status.get("containerStatuses") or []
    return (
        bool(pod["metadata"].get("deletionTimestamp"))
        and bool(containers)
        and all(_state(each, "terminated") is not None for each in containers)
    )


def _gate(pod: Object) -> Gate | None:
    gates = pod["spec"].get("readinessGates") or []
    if all(each.get("conditionType") != WARM for each in gates):
        return None
    status = pod.get("status") or {}
    running, warm = _condition(status, "ContainersReady"), _condition(status, WARM)
    return Gate(
        running_since=_changed(running) if running.get("status") == "True" else None,
        warm={"True": True, "False": False}.get(str(warm.get("status"))),
        since=_changed(warm),
    )


def _changed(condition: Mapping[str, Any]) -> float:
    return to_seconds(str(condition.get("lastTransitionTime") or ""))


def _state(container: Container, name: str, last: bool = False) -> Mapping[str, Any] | None:
    state = container.get("lastState" if last else "state") or {}
    found: Mapping[str, Any] | None = state.get(name)
    return found


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    conditions: list[Mapping[str, Any]] = status.get("conditions") or []
    return next((each for each in conditions if each.get("type") == kind), {})


def _crashes(container: Container, terminating: bool, initial: bool) -> int:
    count = int(container.get("restartCount") or 0)
    terminated = _state(container, "terminated")
    waiting = _state(container, "waiting") or {}
    if waiting.get("reason") == "CrashLoopBackOff":
        # The restart counter still stands at the crash before this one.
        return count + 1
    if terminated is None or terminating or (initial and not terminated.get("exitCode")):
        return count
    return count + 1


def _waiting(containers: list[Container], status: Mapping[str, Any]) -> tuple[str, str]:
    for container in containers:
        waiting = _state(container, "waiting") or {}
        reason = str(waiting.get("reason") or "")
        if reason == "CrashLoopBackOff":
            return reason, _last_end([container]) or str(waiting.get("message") or "")
        if reason not in ORDINARY:
            return reason, str(waiting.get("message") or "")
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        return "Unschedulable", str(scheduled.get("message") or "")
    warm = _condition(status, WARM)
    if warm.get("status") == "False":
        return WARM_UP_FAILED, str(warm.get("message") or "")
    return "", ""


def _last_end(containers: list[Container]) -> str:
    for container in containers:
        end = _state(container, "terminated") or _state(container, "terminated", last=True)
        if end is not None:
            code = f"container {container['name']} ended with exit code {end['exitCode']}"
            reason = f" ({end['reason']})" if end.get("reason") else ""
            said = f": {str(end['message']).strip()}" if end.get("message") else ""
            return f"{code}{reason}{said}"
    return ""


def bounded(message: str) -> str:
    """One line of at most LONGEST_MESSAGE characters."""
    line = " ".join(message.split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: LONGEST_MESSAGE - 1]}…"

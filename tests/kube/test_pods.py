"""A pod's status, reduced to what a release needs to know."""

from typing import Any

import pytest

from headgate.kube.pods import read_pod, read_pods
from tests.kube.objects import pod


def container(
    state: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
    restarts: int = 0,
) -> dict[str, Any]:
    return {
        "name": "server",
        "restartCount": restarts,
        "state": state or {"running": {}},
        "lastState": last or {},
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason}}


@pytest.mark.parametrize(
    ("state", "last", "restarts", "crashes"),
    [
        ({"running": {}}, None, 0, 0),
        (waiting("ContainerCreating"), None, 0, 0),
        (ended(1), None, 0, 1),
        (waiting("CrashLoopBackOff"), ended(1), 0, 1),
        ({"running": {}}, ended(1), 1, 1),
        (ended(1), ended(1), 1, 2),
        (waiting("CrashLoopBackOff"), ended(1), 1, 2),
        ({"running": {}}, ended(137, "OOMKilled"), 3, 3),
        # A server that ends well has ended all the same.
        (ended(0, "Completed"), None, 0, 1),
    ],
)
def test_each_crash_is_counted_once_whatever_comes_after_it(
    state: dict[str, Any], last: dict[str, Any] | None, restarts: int, crashes: int
) -> None:
    found = read_pod(pod(ready=False, containerStatuses=[container(state, last, restarts)]))
    assert found.crashes == crashes


def test_an_init_container_that_ends_well_has_not_crashed() -> None:
    found = read_pod(pod(initContainerStatuses=[container(ended(0, "Completed"))]))
    assert found.crashes == 0
    assert read_pod(pod(initContainerStatuses=[container(ended(2))])).crashes == 1


def test_containers_of_a_stopping_pod_end_rightly() -> None:
    stopping = pod(containerStatuses=[container(ended(143)), container()])
    stopping["metadata"]["deletionTimestamp"] = "2026-11-23T10:00:00Z"
    found = read_pod(stopping)
    assert found.terminating
    assert not found.ready
    assert found.crashes == 0


@pytest.mark.parametrize(
    "reason",
    [
        "ImagePullBackOff",
        "ErrImagePull",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
    ],
)
def test_why_a_container_does_not_run_is_told_in_the_clusters_words(reason: str) -> None:
    message = 'Back-off pulling image\n "registry.example/f:2"'
    found = read_pod(pod(ready=False, containerStatuses=[container(waiting(reason, message))]))
    assert found.waiting == reason
    assert found.message == 'Back-off pulling image "registry.example/f:2"'


def test_a_crash_is_told_with_its_exit_code_and_last_words() -> None:
    last = {"terminated": {"exitCode": 1, "reason": "Error", "message": "no model\n" * 100}}
    backing_off = container(waiting("CrashLoopBackOff", "back-off 10s"), last, 1)
    found = read_pod(pod(ready=False, containerStatuses=[backing_off]))
    assert found.waiting == "CrashLoopBackOff"
    assert found.message.startswith("container server ended with exit code 1 (Error): no model")
    assert len(found.message) <= 300
    running = read_pod(pod(containerStatuses=[container(None, last, 1)]))
    assert (running.waiting, running.message) == ("", found.message)


def test_a_pod_without_a_node_is_unschedulable() -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
    }
    found = read_pod(pod(phase="Pending", conditions=[condition]))
    assert found.waiting == "Unschedulable"
    assert found.message == condition["message"]
    assert not found.ready


def test_starting_is_no_reason_to_wait() -> None:
    found = read_pod(pod(ready=False, containerStatuses=[container(waiting("PodInitializing"))]))
    assert found.waiting == ""


def test_a_pod_that_runs_nothing_any_more_is_no_pod() -> None:
    gone = pod("gone", containerStatuses=[container(ended(0))])
    gone["metadata"]["deletionTimestamp"] = "2026-11-23T10:00:00Z"
    draining = pod("draining", containerStatuses=[container(), container(ended(0))])
    draining["metadata"]["deletionTimestamp"] = "2026-11-23T10:00:00Z"
    crashed = pod("crashed", ready=False, containerStatuses=[container(ended(1))])
    pods = [gone, crashed, draining, pod("evicted", phase="Failed"), pod("done", phase="Succeeded")]
    assert [each.name for each in read_pods(pods)] == ["crashed", "draining"]


def test_a_pod_knows_its_revision_and_age() -> None:
    found = read_pod(pod("fraud-a", "aaaa"))
    assert (found.name, found.revision, found.ready) == ("fraud-a", "aaaa", True)
    assert found.created == 1795428000.0
    stranger = pod()
    stranger["metadata"]["labels"] = {}
    assert read_pod(stranger).revision == ""

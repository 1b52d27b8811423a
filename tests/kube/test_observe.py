"""Raw objects become the planner's observation, and damage is seen."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from headgate.core.observation import KnownRevision, LiveService, Workload
from headgate.kube.client import Object
from headgate.kube.observe import Broken, Snapshot, build, read
from headgate.render.names import REVISION
from headgate.render.workload import RESTARTED_AT
from tests.kube.objects import OTHER_UID, Memory, bare, kept_of, model_deployment, pod, whole

LIVE, STABLE, CANDIDATE = range(3)


def damaged(snapshot: Snapshot, index: int, change: Any) -> Snapshot:
    """The snapshot with one Service changed in place by `change`."""
    services = [deepcopy(each) for each in snapshot.services]
    change(services[index])
    return replace(snapshot, services=tuple(services))


def owned_by_another(child: Object) -> None:
    child["metadata"]["ownerReferences"][0].update(uid=OTHER_UID)


def without_owner(child: Object) -> None:
    del child["metadata"]["ownerReferences"]


def test_children_as_rendered_are_seen_intact() -> None:
    snapshot = whole(replicas=2)
    revision = kept_of(snapshot).revision
    found = build(snapshot)
    assert (found.namespace, found.name, found.generation) == ("risk", "fraud", 3)
    assert found.revision == revision
    assert found.workloads == (Workload(revision, 2),)
    assert found.live == LiveService(revision, stable=revision)
    assert found.roles == {"stable": revision, "candidate": "none"}
    assert found.revisions == (KnownRevision(revision, "1", 1),)
    assert found.conflict is None


def test_nothing_but_the_manifest_is_seen_of_a_new_one() -> None:
    found = build(bare())
    assert [*found.workloads, *found.pods, *found.revisions] == []
    assert found.live is None
    assert not found.roles
    assert found.spec.replicas == 1


def test_what_the_api_server_adds_is_no_damage() -> None:
    snapshot = whole()
    deployment = deepcopy(snapshot.deployments[0])
    template = deployment["spec"]["template"]
    template["spec"]["restartPolicy"] = "Always"
    template["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent"
    template["spec"]["containers"][0]["resources"]["limits"] = {"memory": "1024Mi", "cpu": "0.5"}
    template["metadata"]["creationTimestamp"] = None
    deployment["spec"]["strategy"]["rollingUpdate"] = {"maxSurge": "25%"}
    del deployment["spec"]["minReadySeconds"]
    found = build(replace(snapshot, deployments=(deployment,)))
    assert found.workloads[0].intact


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["spec"]["template"]["spec"]["containers"][0].update(image="evil:1"),
        lambda it: it["spec"]["template"]["spec"]["containers"][0].pop("readinessProbe"),
        lambda it: it["spec"]["template"]["metadata"]["labels"].pop(REVISION),
        lambda it: it["metadata"]["labels"].pop("app.kubernetes.io/name"),
        lambda it: it["spec"].update(progressDeadlineSeconds=600),
        without_owner,
    ],
)
def test_a_deployment_edited_by_hand_is_not_intact(change: Any) -> None:
    snapshot = whole()
    deployment = deepcopy(snapshot.deployments[0])
    change(deployment)
    found = build(replace(snapshot, deployments=(deployment,)))
    assert [each.intact for each in found.workloads] == [False]
    assert found.conflict is None


@pytest.mark.parametrize(
    ("observed", "said"), [(3, "exceeded quota: pods, used: 4, limited: 4"), (2, "")]
)
def test_why_pods_cannot_be_created_is_read_from_a_status_of_the_present_spec(
    observed: int, said: str
) -> None:
    snapshot = whole()
    stored = deepcopy(snapshot.deployments[0])
    stored["metadata"]["generation"] = 3
    stored["status"] = {
        "observedGeneration": observed,
        "conditions": [
            {"type": "Available", "status": "True", "message": "enough"},
            {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": "exceeded quota: pods, used: 4, limited: 4",
            },
        ],
    }
    found = build(replace(snapshot, deployments=(stored,)))
    assert found.workloads[0].failure == said
    assert found.workloads[0].intact


@pytest.mark.parametrize(
    ("at", "observed", "updated", "rolling"),
    [
        ("2026-11-26T10:00:00Z", 3, 2, False),
        ("2026-11-26T10:00:00Z", 3, 1, True),
        ("2026-11-26T10:00:00Z", 2, 2, True),
        ("", 2, 0, False),
    ],
)
def test_a_restart_goes_on_while_there_are_pods_of_before(
    at: str, observed: int, updated: int, rolling: bool
) -> None:
    snapshot = whole()
    found = deepcopy(snapshot.deployments[0])
    found["metadata"]["generation"] = 3
    if at:
        found["spec"]["template"]["metadata"]["annotations"] = {RESTARTED_AT: at}
    found["status"] = {"observedGeneration": observed, "replicas": 2, "updatedReplicas": updated}
    (workload,) = build(replace(snapshot, deployments=(found,))).workloads
    assert workload.rolling == rolling


def test_the_number_of_replicas_is_no_damage() -> None:
    snapshot = whole()
    deployment = deepcopy(snapshot.deployments[0])
    deployment["spec"]["replicas"] = 7
    found = build(replace(snapshot, deployments=(deployment,)))
    assert found.workloads[0] == Workload(kept_of(snapshot).revision, 7)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["spec"].update(selector={"app": "evil"}),
        lambda it: it["spec"]["selector"].update(extra="label"),
        lambda it: it["spec"]["ports"][0].update(targetPort=9999),
        lambda it: it["spec"]["ports"][0].update(port=81),
        lambda it: it["spec"].update(type="ExternalName"),
        without_owner,
    ],
)
def test_a_live_service_edited_by_hand_is_not_intact(change: Any) -> None:
    found = build(damaged(whole(), LIVE, change))
    assert found.live is not None
    assert not found.live.intact
    assert found.live.stable == kept_of(whole()).revision


def test_a_widened_service_is_pinned_to_none() -> None:
    found = build(damaged(whole(), LIVE, lambda it: it["spec"]["selector"].pop(REVISION)))
    assert found.live is not None
    assert found.live.revision is None
    assert found.live.intact


def test_all_decisions_are_read_back() -> None:
    written = {
        "headgate.dev/stable": "aaaa",
        "headgate.dev/previous": "bbbb",
        "headgate.dev/rejected": "cccc",
        "headgate.dev/reason": "high_error_rate",
        "other.example/note": "x",
    }
    found = build(damaged(whole(), LIVE, lambda it: it["metadata"].update(annotations=written)))
    assert found.live is not None
    assert (found.live.stable, found.live.previous) == ("aaaa", "bbbb")
    assert (found.live.rejected, found.live.reason) == ("cccc", "high_error_rate")


def test_a_damaged_role_is_as_good_as_missing() -> None:
    found = build(damaged(whole(), STABLE, lambda it: it["spec"]["ports"][0].update(port=1)))
    assert set(found.roles) == {"candidate"}


def test_marks_on_a_revision_are_read() -> None:
    snapshot = whole()
    revision = deepcopy(snapshot.revisions[0])
    revision["metadata"]["annotations"] = {
        "headgate.dev/once-stable": "true",
        "headgate.dev/rejected": "true",
    }
    found = build(replace(snapshot, revisions=(revision,))).revisions[0]
    assert found.once_stable
    assert found.rejected


@pytest.mark.parametrize("index", [LIVE, STABLE, CANDIDATE])
def test_a_service_of_somebody_else_is_a_conflict_and_is_not_read(index: int) -> None:
    found = build(damaged(whole(), index, owned_by_another))
    assert found.conflict is not None
    assert "belongs to ModelDeployment fraud" in found.conflict
    assert OTHER_UID in found.conflict
    assert (found.live is None) is (index == LIVE)


def test_a_deployment_of_somebody_else_is_a_conflict_and_is_not_read() -> None:
    snapshot = whole()
    deployment = deepcopy(snapshot.deployments[0])
    owned_by_another(deployment)
    found = build(replace(snapshot, deployments=(deployment,)))
    assert found.conflict is not None
    assert found.workloads == ()


def test_another_ones_objects_of_other_names_do_not_matter() -> None:
    snapshot = whole()
    other = deepcopy(snapshot.deployments[0])
    other["metadata"]["name"] = "fraud-older"
    owned_by_another(other)
    found = build(replace(snapshot, deployments=(*snapshot.deployments, other)))
    assert found.conflict is None
    assert len(found.workloads) == 1


def test_every_pod_with_our_label_is_seen_as_services_select_by_label() -> None:
    pods = (pod("b", "bbbb"), pod("a", "aaaa"), pod("c", "cccc"))
    found = build(replace(whole(), pods=pods))
    assert [each.revision for each in found.pods] == ["aaaa", "bbbb", "cccc"]
    assert [each.name for each in found.strangers({"aaaa", "bbbb"})] == ["c"]


def test_a_spec_that_cannot_be_read_is_broken_with_a_sentence() -> None:
    stored = model_deployment()
    stored["spec"]["strategy"] = {"type": "Sideways"}
    with pytest.raises(Broken, match=r"spec\.strategy\.type"):
        build(Snapshot(stored))
    del stored["spec"]
    with pytest.raises(Broken):
        build(Snapshot(stored))


def test_a_status_of_another_version_is_read_as_far_as_it_goes() -> None:
    stored = model_deployment()
    stored["status"] = {"phase": "Ready", "step": ["?"], "newer": 1, "conditions": "none"}
    found = build(Snapshot(stored)).status
    assert (found.phase, found.step, found.conditions) == ("Ready", "", [])


async def test_reading_finds_what_lists_by_label() -> None:
    snapshot = whole()
    client = Memory(
        snapshot.model_deployment,
        *snapshot.deployments,
        *snapshot.services,
        *snapshot.revisions,
        pod(),
    )
    found = await read(client, "risk", "fraud")
    assert found is not None
    assert build(found).live == build(snapshot).live
    assert len(found.pods) == 1
    assert len(client.calls) == 6

    client.calls.clear()
    again = await read(client, "risk", "fraud", known=found)
    assert again is not None
    assert again.revisions == found.revisions
    assert sorted(client.calls) == [
        ("list", "Deployment", "headgate.dev/model-deployment=fraud"),
        ("list", "Pod", "headgate.dev/model-deployment=fraud"),
        ("list", "Service", "headgate.dev/model-deployment=fraud"),
    ]


async def test_reading_looks_for_names_that_others_hold() -> None:
    unlabelled = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "fraud-stable"}}
    found = await read(Memory(model_deployment(), unlabelled), "risk", "fraud")
    assert found is not None
    conflict = build(found).conflict
    assert conflict is not None
    assert conflict.startswith("Service fraud-stable exists and belongs to nobody")


async def test_a_model_deployment_that_is_gone_is_none() -> None:
    assert await read(Memory(), "risk", "fraud") is None


def named_fraud(kind: str, controller: str = "") -> Object:
    """What somebody made who knows nothing of Headgate."""
    owner = {"kind": controller, "name": "it", "uid": OTHER_UID, "controller": True}
    metadata = {
        "name": "fraud",
        "uid": f"uid-of-old-{kind}",
        "ownerReferences": [owner] if controller else [],
    }
    spec = {"selector": {"app": "fraud"}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}


async def test_what_may_be_adopted_is_found_by_its_name() -> None:
    old = named_fraud("Service"), named_fraud("Deployment")
    found = await read(Memory(model_deployment(adopt=True), *old), "risk", "fraud")
    assert found is not None
    seen = build(found)
    assert (seen.conflict, seen.adoptable, seen.live) == (None, True, None)
    assert seen.inherited == "uid-of-old-Deployment"


def test_once_a_version_was_stable_nothing_more_is_adopted() -> None:
    status = {"stable": {"version": "1", "revision": "aaaa"}}
    stored = {**model_deployment(adopt=True), "status": status}
    foreign = named_fraud("Service"), named_fraud("Deployment", "Application")
    seen = build(Snapshot(stored, foreign=foreign))
    assert (seen.adoptable, seen.inherited) == (False, None)
    assert seen.conflict is not None
    assert seen.conflict.startswith("Service fraud exists and belongs to nobody: delete it")


def test_a_deployment_of_this_name_that_came_later_is_in_nobodys_way() -> None:
    late = replace(whole(adopt=True), foreign=(named_fraud("Deployment", "Application"),))
    assert build(late) == build(whole(adopt=True))
    seen = build(replace(late, foreign=(named_fraud("Deployment"),)))
    assert (seen.conflict, seen.inherited) == (None, None)

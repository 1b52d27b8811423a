"""What a plan's intents become, and that a failure stops a plan where it stands."""

from dataclasses import replace

import pytest

from headgate.core.intents import (
    DropRevision,
    Intent,
    KeepRevision,
    MarkRevision,
    RemoveWorkload,
    RunSmoke,
    SetRole,
    SetTraffic,
    SetWorkload,
    ShrinkWorkload,
)
from headgate.kube.apply import carry_out
from headgate.kube.client import Conflict, NotFound, Unavailable
from headgate.kube.snapshot import Snapshot
from tests.kube.objects import Memory, bare, kept_of, pod, whole

REVISION = kept_of(bare()).revision
NAME = f"fraud-{REVISION}"


def memory_of(snapshot: Snapshot) -> Memory:
    return Memory(
        snapshot.model_deployment,
        *snapshot.deployments,
        *snapshot.services,
        *snapshot.revisions,
        *snapshot.pods,
    )


async def test_a_first_release_creates_everything_in_the_plans_order() -> None:
    client = Memory()
    written = await carry_out(
        client,
        bare(),
        [
            KeepRevision(REVISION, "1", 1),
            SetWorkload(REVISION, 1),
            SetRole("stable", REVISION),
            SetTraffic(REVISION, stable=REVISION),
        ],
    )
    assert client.calls == [
        ("apply-unforced", "ControllerRevision", NAME),
        ("apply-unforced", "Deployment", NAME),
        ("get", "Service", "fraud-stable"),
        ("apply-unforced", "Service", "fraud-stable"),
        ("get", "Service", "fraud"),
        ("apply-unforced", "Service", "fraud"),
    ]
    assert [each["kind"] for each in written] == [
        "ControllerRevision",
        "Deployment",
        "Service",
        "Service",
    ]


@pytest.mark.parametrize("failed", range(3))
async def test_the_first_failure_ends_the_plan(failed: int) -> None:
    snapshot = whole()
    client = memory_of(snapshot)
    intents: list[Intent] = [
        SetTraffic(REVISION, stable=REVISION),
        SetWorkload(REVISION, 3),
        SetRole("candidate", "none"),
    ]
    calls = [
        ("apply", "Service", "fraud"),
        ("apply", "Deployment", NAME),
        ("apply", "Service", "fraud-candidate"),
    ]
    client.faults[calls[failed]] = Unavailable("no answer")
    with pytest.raises(Unavailable):
        await carry_out(client, snapshot, intents)
    assert client.calls == calls[: failed + 1]


async def test_traffic_is_written_on_the_version_that_was_seen() -> None:
    snapshot = whole()
    client = memory_of(snapshot)
    await carry_out(client, snapshot, [SetTraffic("bbbb", stable="aaaa")])
    assert client.calls == [("apply", "Service", "fraud")]
    assert client.versions == ["20"]


async def test_a_service_that_appeared_meanwhile_is_not_overwritten() -> None:
    client = memory_of(whole())
    for intent in (SetTraffic(REVISION), SetRole("stable", REVISION)):
        with pytest.raises(Conflict):
            await carry_out(client, bare(), [intent])
    assert {verb for verb, _, _ in client.calls} == {"get"}


async def test_shrinking_and_removing_what_is_gone_is_done_already() -> None:
    client = Memory()
    await carry_out(
        client,
        bare(),
        [ShrinkWorkload(REVISION, 0), RemoveWorkload(REVISION), RemoveWorkload(REVISION, True)],
    )
    assert client.calls == []


async def test_shrinking_is_written_on_the_version_that_was_seen() -> None:
    snapshot = whole()
    client = memory_of(snapshot)
    await carry_out(client, snapshot, [ShrinkWorkload(REVISION, 1)])
    assert client.calls == [("patch", "Deployment", NAME)]
    assert client.versions == ["20"]


async def test_what_changes_the_ratio_is_written_on_the_version_that_was_seen() -> None:
    for snapshot in (whole(), replace(whole(), revisions=())):
        client = memory_of(snapshot)
        await carry_out(client, snapshot, [SetWorkload(REVISION, 3)])
        await carry_out(client, snapshot, [SetWorkload(REVISION, 2)])
        assert client.versions == ["20", None]


async def test_a_deployment_that_was_deleted_since_is_not_created_anew() -> None:
    snapshot = whole()
    client = memory_of(snapshot)
    [written] = await carry_out(client, snapshot, [SetWorkload(REVISION, 3)])
    assert written["metadata"]["uid"] == snapshot.deployments[0]["metadata"]["uid"]


async def test_a_deployment_whose_template_is_lost_is_still_scaled() -> None:
    snapshot = replace(whole(), revisions=())
    client = memory_of(snapshot)
    await carry_out(client, snapshot, [SetWorkload(REVISION, 3)])
    assert client.calls == [("patch", "Deployment", NAME)]
    with pytest.raises(NotFound):
        await carry_out(client, snapshot, [SetWorkload("zzzz", 3)])


async def test_a_spec_that_changed_since_the_plan_is_not_kept_under_its_name() -> None:
    client = Memory()
    with pytest.raises(Conflict):
        await carry_out(client, bare("2"), [KeepRevision(REVISION, "1", 1)])
    assert client.calls == []


async def test_a_revision_from_history_is_never_rendered_again() -> None:
    snapshot = whole()
    older = {**snapshot.revisions[0], "data": {**snapshot.revisions[0]["data"], "port": "older"}}
    snapshot = replace(snapshot, revisions=(older,))
    client = memory_of(snapshot)
    [written] = await carry_out(client, snapshot, [KeepRevision(REVISION, "1", 9)])
    assert written["data"] == older["data"]
    assert written["revision"] == 9


async def test_pods_that_do_not_end_by_themselves_are_ended() -> None:
    # No controller answers here: the pods stay as they are until we delete them ourselves.
    snapshot = replace(whole(), pods=(pod("a", REVISION), pod("b", "bbbb")))
    client = memory_of(snapshot)
    await carry_out(client, snapshot, [RemoveWorkload(REVISION, at_once=True)])
    assert client.graces == {"a": 1, NAME: None}
    assert client.calls[0] == ("patch", "Deployment", NAME)
    assert client.calls[-1] == ("delete", "Deployment", NAME)


async def test_marking_what_is_gone_and_smoke_checks_write_nothing() -> None:
    client = Memory()
    answer = await carry_out(
        client, bare(), [MarkRevision("aaaa", once_stable=True), RunSmoke("aaaa")]
    )
    assert answer == []
    await carry_out(client, bare(), [DropRevision("aaaa")])
    assert client.calls[-1] == ("delete", "ControllerRevision", "fraud-aaaa")

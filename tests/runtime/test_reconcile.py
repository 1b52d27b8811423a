"""A pass when requests fail, objects change under it, or a ModelDeployment cannot be read.

What is decided in good weather is proven by the golden transcripts; here are the faults.
"""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from headgate.api.status import Status
from headgate.core.intents import DropDisruptionBudget, Plan, SetDisruptionBudget, SetWorkload
from headgate.core.observation import Observation, SmokeResult
from headgate.core.plan import plan
from headgate.judge import Sample
from headgate.kube.client import Conflict, Forbidden
from headgate.kube.observe import build
from headgate.kube.snapshot import Snapshot
from headgate.runtime import reconcile
from headgate.runtime.carrying import carry_out_each
from tests.runtime.fakes import Call, model_deployment
from tests.runtime.world import FRAUD, World

STATUS: Call = ("status", "ModelDeployment", "fraud")
LIVE: Call = ("apply", "Service", "fraud")
CANARY: dict[str, Any] = {
    "strategy": {
        "type": "Canary",
        "maxSurge": 1,
        "maxUnavailable": 0,
        "canary": {"steps": [{"weight": 50, "hold": "10m"}]},
    },
    "replicas": 2,
}


async def test_at_rest_a_pass_makes_no_request_and_wants_no_other() -> None:
    world = World()
    await world.serve()
    world.server.calls.clear()
    world.now += 3600
    assert await world.reconciler.reconcile(FRAUD) is None
    assert world.server.calls == []


async def test_a_new_process_finds_nothing_to_do() -> None:
    world = World()
    await world.serve()
    world.server.calls.clear()
    world.start()
    assert await world.settle() is None
    assert world.server.calls == []


async def test_a_status_that_changed_meanwhile_is_planned_and_written_anew_at_once() -> None:
    world = World()
    world.apply("1")
    world.server.before[STATUS] = lambda: world.server.put(model_deployment("fraud", "2"))
    await world.reconciler.reconcile(FRAUD)
    status = world.server.status("fraud")
    assert status["observedGeneration"] == 2
    assert world.server.calls.count(STATUS) == 2


async def test_a_traffic_write_that_is_contradicted_is_repeated_at_once_on_what_is_there() -> None:
    world = World()
    await world.serve("1", **CANARY)
    await world.settle()
    live = world.server.objects["Service", "risk", "fraud"]
    live["spec"]["selector"]["headgate.dev/revision"] = "somebody-elses"
    world.server.put(live)
    world.sync()
    world.server.calls.clear()
    world.server.faults[LIVE] = [Conflict("Service has changed")]
    await world.reconciler.reconcile(FRAUD)
    restored = world.server.objects["Service", "risk", "fraud"]["spec"]["selector"]
    assert restored["headgate.dev/revision"] != "somebody-elses"
    first = world.server.calls.index(LIVE)
    assert world.server.calls[first + 1][0] == "get", "not read anew after the conflict"


async def test_contradicted_again_and_again_a_pass_gives_way_to_the_queue() -> None:
    world = World()
    world.apply("1")
    world.server.faults[STATUS] = [Conflict("changed")] * 50
    with pytest.raises(Conflict):
        await world.reconciler.reconcile(FRAUD)
    assert world.server.calls.count(STATUS) == 5


async def test_a_status_lost_with_the_process_is_rebuilt_and_nothing_is_released() -> None:
    world = World()
    found = await world.serve()
    stored = world.server.objects["ModelDeployment", "risk", "fraud"]
    world.server.put({**stored, "status": {}})
    world.start()
    world.server.calls.clear()
    await world.settle()
    status = world.server.status("fraud")
    assert (status["phase"], status["stable"]["revision"]) == ("Stable", found)
    assert world.server.writes() == [STATUS]


async def test_a_role_that_cannot_be_pointed_holds_up_nothing_else() -> None:
    world = World()
    first = await world.serve("1", **CANARY)
    role: Call = ("apply", "Service", "fraud-candidate")
    world.server.faults[role] = [Forbidden("not allowed")] * 100
    second = world.apply("2", **CANARY)
    for _ in range(20):
        try:
            await world.reconciler.reconcile(FRAUD)
        except Forbidden:
            world.sync()
        # Nothing in the fake waits, so the smoke checks get their turn here.
        await asyncio.sleep(0)
        world.play_controllers()
        world.now += 2
    live = world.server.objects["Service", "risk", "fraud"]["spec"]["selector"]
    deployments = world.server.of_kind("Deployment")
    assert "headgate.dev/revision" not in live, "traffic was not widened"
    replicas = {each["metadata"]["name"][-10:]: each["spec"]["replicas"] for each in deployments}
    assert replicas == {first: 1, second: 1}, "what follows the role was left undone"
    assert world.server.status("fraud")["candidate"]["revision"] == second
    reasons = {each["reason"] for each in world.server.events}
    assert "WriteFailed" in reasons


async def test_a_deleted_object_is_forgotten_and_its_children_left_alone() -> None:
    world = World()
    await world.serve()
    gone = world.server.remove("ModelDeployment", "fraud")
    gone["metadata"]["resourceVersion"] = "9999"
    world.cache.drop(gone)
    world.server.remove("Service", "fraud")
    world.server.calls.clear()
    assert await world.reconciler.reconcile(FRAUD) is None
    assert world.server.calls == []


async def test_while_an_object_is_being_deleted_nothing_is_restored() -> None:
    world = World()
    found = await world.serve()
    stored = world.server.objects["ModelDeployment", "risk", "fraud"]
    stored["metadata"]["deletionTimestamp"] = "2026-11-23T10:00:00Z"
    world.server.put(stored)
    world.sync()
    world.cache.drop(world.server.remove("Deployment", f"fraud-{found}"))
    world.server.calls.clear()
    assert await world.reconciler.reconcile(FRAUD) is None
    assert world.server.calls == []


async def test_one_of_the_same_name_starts_without_the_memory_of_the_first() -> None:
    world = World()
    await world.serve()
    for key in list(world.server.objects):
        del world.server.objects[key]
    world.server.put(model_deployment("fraud", "7"))
    world.cache.prune(world.cache.mark({"ModelDeployment", "Deployment", "Service", "Pod"}), [])
    world.cache.prune(world.cache.mark({"ControllerRevision"}), [])
    world.sync()
    await world.settle()
    status = world.server.status("fraud")
    assert status["phase"] == "Initializing"
    assert status["releases"] == []


async def test_a_failed_check_is_not_asked_again_in_the_same_attempt() -> None:
    world = World()
    asked = []

    async def check(snapshot: Snapshot, revision: str) -> SmokeResult | None:
        asked.append(revision)
        return SmokeResult(revision, passed="1" in snapshot.spec.model.version, sentence="said so")

    world.smoke._check = check
    await world.serve("1")
    second = world.apply("2")
    await world.until("Reverted")
    for _ in range(3):
        world.now += 60
        await world.settle()
    assert asked.count(second) == 1


async def test_somebody_who_undoes_every_write_slows_us_down() -> None:
    world = World()
    await world.serve()
    waits = []
    for _ in range(20):
        live = world.server.objects["Service", "risk", "fraud"]
        live["spec"]["selector"]["headgate.dev/revision"] = "somebody-elses"
        world.server.put(live)
        world.sync()
        waits.append(await world.reconciler.reconcile(FRAUD) or 0.0)
        world.sync()
    assert waits[0] == 0.0
    assert waits[-1] > 5.0


async def test_what_is_overdue_is_looked_at_less_and_less_often_and_written_rarely() -> None:
    world = World()
    world.apply("1", progressDeadline="1m")
    await world.settle()
    world.now += 120
    await world.settle()
    world.server.calls.clear()
    began, passes = world.now, 0
    while world.now < began + 120:
        again = await world.reconciler.reconcile(FRAUD)
        assert again is not None
        world.now += max(again, 0.01)
        world.sync()
        passes += 1
    assert passes <= 25
    assert world.server.calls.count(STATUS) <= 13


async def test_in_a_namespace_that_is_being_deleted_nothing_is_restored_or_told() -> None:
    world = World()
    found = await world.serve()
    world.cache.drop(world.server.remove("Deployment", f"fraud-{found}"))
    gone = "unable to create new content in namespace risk because it is being terminated"
    world.server.faults["apply", "Deployment", f"fraud-{found}"] = [Forbidden(gone)]
    told = len(world.server.events)
    again = await world.reconciler.reconcile(FRAUD)
    assert again is not None
    assert again >= 10
    assert len(world.server.events) == told


async def test_a_cached_deployment_that_is_gone_is_noticed_by_the_write_that_fails() -> None:
    world = World()
    await world.serve("1", **CANARY)
    found = world.apply("1", **{**CANARY, "replicas": 1})
    world.server.remove("Deployment", f"fraud-{found}")
    await world.reconciler.reconcile(FRAUD)
    world.sync()
    await world.settle()
    deployments = world.server.of_kind("Deployment")
    assert [each["spec"]["replicas"] for each in deployments] == [1]


async def test_before_traffic_moves_the_pods_are_read_live() -> None:
    world = World()
    await world.serve("1", **CANARY)
    world.apply("2", **CANARY)
    await world.until("Progressing")
    live = [call for call in world.server.calls if call[:2] in (("list", "Pod"), LIVE[:2])]
    for before, call in pairwise(live):
        if call == LIVE:
            assert before[:2] == ("list", "Pod")


async def test_traffic_does_not_move_to_a_pod_that_is_ready_in_the_cache_only() -> None:
    world = World()
    await world.serve("1", **CANARY)
    second = world.apply("2", **CANARY)
    await world.until("Starting")

    def fail() -> None:
        for each in world.server.of_kind("Pod"):
            if each["metadata"]["labels"]["headgate.dev/revision"] == second:
                world.server.put({**each, "status": {"phase": "Running"}})

    world.server.before["list", "Pod", "headgate.dev/model-deployment=fraud"] = fail
    for _ in range(3):
        await world.settle()
    live = world.server.objects["Service", "risk", "fraud"]["spec"]["selector"]
    assert world.server.before == {}, "the pods were not read"
    assert "headgate.dev/revision" in live, "traffic was widened to a pod that is not ready"


async def test_pods_that_are_as_they_were_known_call_for_no_second_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    await world.serve("1", **CANARY)
    world.apply("2", **CANARY)
    plans: list[Plan] = []
    read = False

    def counted(seen: Observation, now: float) -> Plan:
        plans.append(plan(seen, now))
        return plans[-1]

    await world.until("Starting")
    monkeypatch.setattr(reconcile, "plan", counted)
    for _ in range(20):
        plans.clear()
        world.server.calls.clear()
        await world.reconciler.reconcile(FRAUD)
        await asyncio.sleep(0)
        world.play_controllers()
        world.now += 1
        read = read or any(call[:2] == ("list", "Pod") for call in world.server.calls)
        assert len(plans) == 1
    assert read, "no pass moved traffic"


async def test_a_removed_deployment_is_removed_once() -> None:
    world = World()
    first = await world.serve("1", strategy={"type": "BlueGreen"})
    world.apply("2", strategy={"type": "BlueGreen"})
    await world.until("Stable")
    deletions = [call for call in world.server.calls if call[0] == "delete"]
    assert deletions == [
        ("delete", "Deployment", f"fraud-{first}"),
        ("delete", "PodDisruptionBudget", f"fraud-{first}"),
    ]


async def test_replicas_left_out_are_written_once_and_status_needs_no_second_look() -> None:
    world = World()
    scale: Call = ("patch", "ModelDeployment", "fraud")
    await world.serve("1", replicas=None, environment="staging")
    assert world.server.calls.count(scale) == 1
    # Once before the first write of the process, and never because of a contradiction.
    assert world.server.calls.count(("get", "ModelDeployment", "fraud")) == 1
    stored = world.server.objects["ModelDeployment", "risk", "fraud"]
    assert stored["spec"]["replicas"] == 2
    assert stored["status"]["observedGeneration"] == stored["metadata"]["generation"]
    world.server.put({**stored, "spec": {**stored["spec"], "replicas": 3}})
    world.sync()
    await world.settle()
    assert world.server.status("fraud")["stable"]["replicas"] == 3
    assert world.server.calls.count(scale) == 1


async def test_a_budget_that_cannot_be_written_holds_up_nothing_else() -> None:
    world = World()
    first = await world.serve()
    snapshot = world.cache.snapshot(FRAUD)
    assert snapshot is not None
    name = f"fraud-{first}"
    world.server.faults["apply", "PodDisruptionBudget", name] = [Forbidden("not you")]
    world.server.faults["delete", "PodDisruptionBudget", name] = [Conflict("another one")]
    intents = [SetDisruptionBudget(first), DropDisruptionBudget(first), SetWorkload(first, 3)]
    outcome = await carry_out_each(
        world.server, snapshot, intents, world.cache.put, world.cache.drop
    )
    assert (outcome.written, outcome.failed) == (1, SetDisruptionBudget(first))
    assert world.server.objects["Deployment", "risk", name]["spec"]["replicas"] == 3


async def test_at_rest_everything_is_text() -> None:
    world = World()
    await world.serve()
    await world.settle()
    assert world.cache._families[FRAUD].snapshot is None
    memory = world.reconciler._memories[FRAUD]
    assert (memory.seen, memory._status) == (None, None)
    assert memory.status == Status.model_validate(world.server.status("fraud"))


async def test_a_sample_alone_compares_no_child_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Snapshot] = []

    def spy(snapshot: Snapshot) -> Observation:
        compared.append(snapshot)
        return build(snapshot)

    monkeypatch.setattr("headgate.runtime.reconcile.build", spy)
    world = World()
    await world.serve("1", **CANARY)
    world.apply("2", **CANARY)
    await world.until("Progressing")
    await world.settle()
    compared.clear()
    for second in range(5):
        world.reconciler.deliver(FRAUD, Sample(world.now + second, outage="down"))
        await world.reconciler.reconcile(FRAUD)
    assert len(compared) <= 1


async def test_a_process_reads_live_before_its_first_write_and_only_then() -> None:
    world = World()
    await world.serve("1")
    world.apply("2")
    world.start()
    world.server.calls.clear()
    await world.settle()
    calls = world.server.calls
    reads = [index for index, each in enumerate(calls) if each[:2] == ("get", "ModelDeployment")]
    assert len(reads) == 1
    assert reads[0] < calls.index(world.server.writes()[0])


async def test_a_process_at_rest_reads_nothing() -> None:
    world = World()
    await world.serve("1")
    world.start()
    world.server.calls.clear()
    await world.settle()
    assert world.server.calls == []


async def test_nothing_planned_from_an_old_view_outlives_it() -> None:
    world = World()
    await world.serve("1")
    world.start()
    await world.settle()
    stored = world.server.objects["ModelDeployment", "risk", "fraud"]
    releases = [*stored["status"]["releases"], {"revision": "bad", "outcome": "Reverted"}]
    world.server.put({**stored, "status": {**stored["status"], "releases": releases}})
    world.apply("2")
    await world.settle()
    assert [each["outcome"] for each in world.server.status("fraud")["releases"]] == [
        "Promoted",
        "Reverted",
    ]

"""What a pass tells: the status and how rarely it is written, Events, records, and the polls."""

import contextlib
from typing import Any
from uuid import UUID

import pytest

from headgate.api.spec import ModelDeploymentSpec
from headgate.core.intents import Plan
from headgate.core.observation import Observation
from headgate.core.plan import plan
from headgate.core.settings import judge_settings
from headgate.judge import JudgeSettings, PodCounters, Sample
from headgate.kube.client import Forbidden, Unavailable
from headgate.metrics import Poller, Provider, Providers
from headgate.runtime.memory import QUIET_STATUS_INTERVAL, quiet_interval
from headgate.runtime.polling import Polling
from headgate.runtime.queue import Quarantine
from headgate.runtime.recording import RECORDS_INTERVAL
from tests.runtime.fakes import Call
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


async def test_decisions_and_their_events_outlive_a_status_that_could_not_be_written() -> None:
    world = World()
    world.apply("1")
    world.server.faults[STATUS] = [Unavailable("no answer")]
    with pytest.raises(Unavailable):
        await world.reconciler.reconcile(FRAUD)
    assert world.server.status("fraud") == {}
    world.now += 5
    await world.settle()
    decisions = world.server.status("fraud")["decisions"]
    assert [each["reason"] for each in decisions] == ["ReleaseStarted"]
    assert [each["reason"] for each in world.server.events] == ["ReleaseStarted"]


async def test_a_status_that_somebody_removed_is_written_again() -> None:
    world = World()
    await world.serve()
    before = world.server.status("fraud")
    stored = world.server.objects["ModelDeployment", "risk", "fraud"]
    world.server.put({**stored, "status": {}})
    world.sync()
    await world.settle()
    assert world.server.status("fraud") == before


async def test_a_failed_write_ends_the_pass_and_is_told() -> None:
    world = World()
    found = world.apply("1")
    deployment: Call = ("apply", "Deployment", f"fraud-{found}")
    world.server.faults[deployment] = [Forbidden("exceeded quota: pods")]
    with pytest.raises(Forbidden):
        await world.reconciler.reconcile(FRAUD)
    after = world.server.calls[world.server.calls.index(deployment) :]
    assert not [each for each in after if each[0] == "apply" and each[1] == "Service"]
    assert "exceeded quota" in world.server.events[-1]["message"]
    world.sync()
    await world.settle()
    assert world.server.of_kind("Deployment")


async def test_a_broken_object_is_told_about_and_disturbs_no_other() -> None:
    world = World()
    world.break_it("broken")
    world.apply("1", "fraud")
    with pytest.raises(Quarantine):
        await world.reconciler.reconcile(("risk", "broken"))
    status = world.server.status("broken")
    assert status["phase"] == "Invalid"
    assert "strategy" in status["message"]
    stalled = [each for each in status["conditions"] if each["type"] == "Stalled"]
    assert stalled[0]["status"] == "True"
    assert [each["type"] for each in world.server.events] == ["Warning"]
    await world.until("Stable")


async def test_a_broken_object_costs_no_second_write() -> None:
    world = World()
    world.break_it()
    for _ in range(3):
        with pytest.raises(Quarantine):
            await world.reconciler.reconcile(FRAUD)
        world.sync()
        world.now += 300
    assert world.server.calls.count(STATUS) == 1


async def test_a_repaired_object_goes_on_where_it_stood() -> None:
    world = World()
    found = await world.serve()
    world.break_it()
    with pytest.raises(Quarantine):
        await world.reconciler.reconcile(FRAUD)
    assert world.server.status("fraud")["stable"]["revision"] == found
    world.apply("1")
    await world.settle()
    assert world.server.status("fraud")["phase"] == "Stable"


async def test_numbers_alone_are_written_only_now_and_then() -> None:
    world = World()
    await world.serve("1", **CANARY)
    world.apply("2", **CANARY)
    await world.until("Progressing")
    await world.settle()
    world.now += 1.25 * QUIET_STATUS_INTERVAL
    await world.settle()
    world.server.calls.clear()
    for second in range(30):
        world.now += 1
        names = [each["metadata"]["name"] for each in world.server.of_kind("Pod")]
        counters = PodCounters(requests=100.0 + 10 * second)
        world.reconciler.deliver(FRAUD, Sample(world.now, dict.fromkeys(names, counters)))
        again = await world.settle()
        assert again is not None
    assert 1 <= world.server.calls.count(STATUS) <= 2
    evidence = world.server.status("fraud")["release"]["evidence"]
    assert evidence["candidate"]["requests"] > 0


def test_releases_that_began_together_do_not_write_numbers_together() -> None:
    intervals = sorted(quiet_interval(str(UUID(int=n)), 50) for n in range(50))
    assert 100 <= intervals[0] < intervals[-1] < 125
    # Of fifty no ten within two seconds.
    assert all(b - a > 2 for a, b in zip(intervals, intervals[9:], strict=False))


async def test_what_was_measured_can_be_read_afterwards() -> None:
    world = World()
    await world.serve("1", **CANARY)
    world.apply("2", **CANARY)
    await world.until("Progressing")
    for _ in range(5):
        world.now += 60
        names = [each["metadata"]["name"] for each in world.server.of_kind("Pod")]
        counters = PodCounters(requests=world.now % 1000)
        world.reconciler.deliver(FRAUD, Sample(world.now, dict.fromkeys(names, counters)))
        await world.settle()
    world.now += 1.25 * RECORDS_INTERVAL
    await world.settle()
    record = world.server.objects["ConfigMap", "risk", "fraud-release-records"]
    text = "".join(record["data"].values())
    assert text.count('"checks"') == 5
    assert '"StepEntered"' in text


async def test_a_record_that_cannot_be_written_is_kept_and_holds_up_nothing() -> None:
    world = World()
    world.server.faults["apply", "ConfigMap", "fraud-release-records"] = [Unavailable("busy")]
    await world.serve()
    world.now += 120
    await world.settle()
    record = world.server.objects["ConfigMap", "risk", "fraud-release-records"]
    assert '"ReleaseStarted"' in "".join(record["data"].values())


async def test_a_fault_of_ours_is_told_where_people_look(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.apply("1")

    def broken(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("headgate.runtime.reconcile.plan", broken)
    with pytest.raises(ZeroDivisionError):
        await world.reconciler.reconcile(FRAUD)
    assert "ZeroDivisionError" in world.server.events[-1]["message"]


async def test_a_step_is_in_the_status_before_anything_follows_from_it() -> None:
    world = World()
    await world.serve("1", **CANARY)
    world.apply("2", **CANARY)
    await world.until("Starting")
    await world.settle()
    world.play_controllers()
    await world.settle()
    status = world.server.status("fraud")
    assert (status["phase"], status["weight"]) == ("Progressing", "50%")


async def test_what_goes_badly_is_written_at_once() -> None:
    world = World()
    await world.serve("1", **CANARY)
    world.apply("2", **CANARY)
    await world.until("Progressing")
    world.apply("1", **CANARY)
    await world.reconciler.reconcile(FRAUD)
    assert world.server.status("fraud")["phase"] == "Withdrawing"


async def test_the_scrape_interval_of_the_provider_reaches_the_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: set[float] = set()

    def spy(spec: ModelDeploymentSpec, scrape_interval: float) -> JudgeSettings:
        seen.add(scrape_interval)
        return judge_settings(spec, scrape_interval)

    monkeypatch.setattr("headgate.core.judging.judge_settings", spy)
    world = World()
    providers = Providers(
        providers={"default": Provider(url="http://prometheus:9090", scrape_interval=5)}
    )
    poller = Poller(providers)
    world.reconciler.polling = Polling(poller, providers, world.reconciler.deliver)
    world.apply("1")
    await world.settle()
    await world.reconciler.polling.close()
    poller.close()
    assert seen == {5.0}


async def test_the_polls_are_told_when_a_hold_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[Plan] = []

    def spy(observation: Observation, now: float) -> Plan:
        planned.append(plan(observation, now))
        return planned[-1]

    monkeypatch.setattr("headgate.runtime.reconcile.plan", spy)
    world = World()
    await world.serve("1", **CANARY)
    assert planned[-1].hold_left is None
    world.apply("2", **CANARY)
    await world.until("Progressing")
    for _ in range(5):
        world.play_controllers()
        await world.settle()
    left = planned[-1].hold_left
    assert left is not None
    assert 590 <= left <= 600
    world.now += 100
    names = [each["metadata"]["name"] for each in world.server.of_kind("Pod")]
    world.reconciler.deliver(FRAUD, Sample(world.now, dict.fromkeys(names, PodCounters(9.0))))
    world.now += 1
    await world.settle()
    assert planned[-1].hold_left == pytest.approx(left - 101)


async def test_a_revert_whose_traffic_cannot_be_moved_is_told_loudly_and_once() -> None:
    world = World()
    first = await world.serve("1", **CANARY)
    world.apply("2", **CANARY)
    await world.until("Progressing")
    await world.settle()
    world.server.faults[LIVE] = [Forbidden("a webhook is in the way")] * 3
    for second in range(3):
        world.now += 60
        counters = PodCounters(requests=1000.0 * second, errors=900.0 * second)
        names = [each["metadata"]["name"] for each in world.server.of_kind("Pod")]
        good = PodCounters(requests=1000.0 * second)
        pods = {name: good if first in name else counters for name in names}
        world.reconciler.deliver(FRAUD, Sample(world.now, pods))
        with contextlib.suppress(Forbidden):
            await world.settle()
        world.sync()
    told = [each for each in world.server.events if each["reason"] == "RevertFailed"]
    assert len(told) == 1
    assert "a webhook is in the way. It is tried again." in told[0]["message"]
    while world.server.faults.get(LIVE):
        with contextlib.suppress(Forbidden):
            await world.settle()
    await world.until("Reverted")


async def test_one_refused_write_of_a_revert_is_no_alarm() -> None:
    world = World()
    first = await world.serve("1", **CANARY)
    world.apply("2", **CANARY)
    await world.until("Progressing")
    await world.settle()
    world.server.faults[LIVE] = [Unavailable("busy")]
    for second in range(3):
        world.now += 60
        bad = PodCounters(requests=1000.0 * second, errors=900.0 * second)
        good = PodCounters(requests=1000.0 * second)
        names = [each["metadata"]["name"] for each in world.server.of_kind("Pod")]
        pods = {name: good if first in name else bad for name in names}
        world.reconciler.deliver(FRAUD, Sample(world.now, pods))
        with contextlib.suppress(Unavailable):
            await world.settle()
        world.sync()
    await world.until("Reverted")
    assert not world.server.faults[LIVE]
    assert "RevertFailed" not in {each["reason"] for each in world.server.events}

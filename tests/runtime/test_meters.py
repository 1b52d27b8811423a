"""What is measured is what happened, and a name that an author chose is no label."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from headgate.core.intents import Note
from headgate.judge import PodCounters, Sample
from headgate.kube.snapshot import Snapshot
from headgate.metrics import Providers
from headgate.runtime.meters import Meters
from headgate.runtime.polling import Polling
from tests.runtime.fakes import model_deployment
from tests.runtime.test_telling import CANARY
from tests.runtime.world import FRAUD, World

NAMED = ("fraud", "risk")
"""The labels of FRAUD, in the order of their names."""

Series = dict[tuple[str, tuple[str, ...]], float]


def read(meters: Meters) -> Series:
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(meters.text().decode())
        for sample in family.samples
    }


async def test_a_release_is_seen_while_it_is_under_way_and_counted_when_it_ends() -> None:
    world = World()
    first = await world.serve("1", **CANARY)
    seen = read(world.meters)
    assert seen["headgate_model_deployments", ("Stable",)] == 1
    assert seen["headgate_releases_total", ("Promoted",)] == 1
    world.apply("2", **CANARY)
    await world.until("Progressing")
    assert read(world.meters)["headgate_release_weight_percent", NAMED] == 50
    for second in range(2):
        world.now += 60
        names = [each["metadata"]["name"] for each in world.server.of_kind("Pod")]
        bad = PodCounters(requests=1000.0 * second, errors=900.0 * second)
        good = PodCounters(requests=1000.0 * second)
        pods = {name: good if first in name else bad for name in names}
        world.reconciler.deliver(FRAUD, Sample(world.now, pods))
        await world.settle()
    await world.until("Reverted")
    seen = read(world.meters)
    assert seen["headgate_releases_total", ("Reverted",)] == 1
    assert ("headgate_release_weight_percent", NAMED) not in seen
    assert seen["headgate_model_deployments", ("Reverted",)] == 1
    world.reconciler.forget(FRAUD)
    assert ("headgate_model_deployments", ("Reverted",)) not in read(world.meters)


def test_only_warnings_are_alerts() -> None:
    meters, snapshot = Meters(), Snapshot(model_deployment("fraud", "1"))
    meters.told(snapshot, Note("StepPassed", "passed"))
    meters.told(snapshot, Note("RevertFailed", "stuck", warning=True))
    seen = read(meters)
    assert seen["headgate_alerts_total", ("RevertFailed",)] == 1
    assert ("headgate_alerts_total", ("StepPassed",)) not in seen


def test_who_stands_by_does_not_lead() -> None:
    meters = Meters()
    meters.leads = lambda: False
    assert read(meters)["headgate_leader", ()] == 0


def test_passes_and_their_failures_are_counted() -> None:
    meters = Meters()
    meters.passed(0.02, failed=False)
    meters.passed(0.2, failed=True)
    seen = read(meters)
    assert seen["headgate_pass_seconds_count", ()] == 2
    assert seen["headgate_pass_failures_total", ()] == 1


async def test_a_provider_that_nobody_configured_is_no_label() -> None:
    meters = Meters()

    class Silent:
        async def poll(self, targets: object, now: float) -> dict[tuple[str, str], Sample]:
            return {FRAUD: Sample(now, outage="nobody configured it")}

    polling = Polling(Silent(), Providers(), lambda key, sample: None, meters=meters)
    await polling._ask("chosen-by-an-author", [])
    assert "chosen-by-an-author" not in meters.text().decode()
    assert read(meters)["headgate_poll_outages_total", ("unconfigured",)] == 1

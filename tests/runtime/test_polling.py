"""Polls: one for all releases of a provider, none without a release, and none lost to a fault."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from headgate.core.settings import DEFAULT_SCRAPE_INTERVAL
from headgate.judge import Sample
from headgate.kube.snapshot import Snapshot
from headgate.metrics import Provider, Providers, Target
from headgate.runtime.cache import Key
from headgate.runtime.polling import Polling
from tests.runtime.fakes import model_deployment, pod

PATIENCE = 20.0
PROVIDERS = Providers(
    providers={
        "default": Provider(url="http://prometheus.monitoring:9090", scrape_interval=5),
        "slow": Provider(url="http://prometheus.monitoring:9091", scrape_interval=30),
    }
)


def snapshot(name: str, **analysis: Any) -> Snapshot:
    body = model_deployment(name, analysis={"interval": "10s", **analysis})
    body["metadata"]["uid"] = f"uid-of-{name}"
    return Snapshot(body, pods=(pod(name, "aaaa", 1), pod(name, "bbbb", 1)))


class Prometheus:
    def __init__(self, *faults: Exception) -> None:
        self.asked: list[list[Key]] = []
        self.faults = list(faults)

    async def poll(self, targets: list[Target], now: float) -> Mapping[Key, Sample]:
        self.asked.append(sorted(target.key for target in targets))
        if self.faults:
            raise self.faults.pop(0)
        return {target.key: Sample(now) for target in targets}


class Setup:
    def __init__(self, *faults: Exception) -> None:
        self.prometheus = Prometheus(*faults)
        self.samples: asyncio.Queue[tuple[Key, Sample]] = asyncio.Queue()
        self.polling = Polling(
            self.prometheus, PROVIDERS, lambda *each: self.samples.put_nowait(each), lambda: 7.0
        )

    async def sample(self) -> Key:
        key, found = await asyncio.wait_for(self.samples.get(), PATIENCE)
        assert found.at == 7.0
        return key


async def test_all_releases_of_a_provider_are_asked_about_at_once() -> None:
    setup = Setup()
    setup.polling.follow(snapshot("a"))
    setup.polling.follow(snapshot("b"))
    assert {await setup.sample(), await setup.sample()} == {("risk", "a"), ("risk", "b")}
    assert setup.prometheus.asked == [[("risk", "a"), ("risk", "b")]]
    await setup.polling.close()


async def test_nothing_under_way_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = Setup()
    monkeypatch.setattr(setup.polling, "interval", lambda _: 0.0)
    setup.polling.follow(snapshot("a"))
    assert await setup.sample() == ("risk", "a")
    setup.polling.leave(("risk", "a"))
    assert len(setup.polling) == 0
    rounds = list(setup.polling._rounds.values())
    await asyncio.wait_for(asyncio.gather(*rounds), PATIENCE)
    asked = len(setup.prometheus.asked)
    setup.polling.follow(snapshot("b"))
    assert await setup.sample() == ("risk", "b")
    assert len(setup.prometheus.asked) > asked
    await setup.polling.close()


async def test_the_polls_go_on_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = Setup(ZeroDivisionError())
    monkeypatch.setattr(setup.polling, "interval", lambda _: 0.0)
    setup.polling.follow(snapshot("a"))
    assert await setup.sample() == ("risk", "a")
    assert len(setup.prometheus.asked) >= 2
    await setup.polling.close()


async def test_a_release_that_changes_its_provider_leaves_the_old_one() -> None:
    setup = Setup()
    setup.polling.follow(snapshot("a"))
    setup.polling.follow(snapshot("a", provider="slow"))
    assert await setup.sample() == ("risk", "a")
    assert setup.prometheus.asked == [[("risk", "a")]]
    assert len(setup.polling) == 1
    await setup.polling.close()


@pytest.mark.parametrize(
    ("provider", "interval", "expected"),
    [
        ("default", "10s", 5.0),
        ("default", "1m", 5.0),
        ("slow", "10s", 10.0),
        ("slow", "1m", 30.0),
        ("unknown", "1m", DEFAULT_SCRAPE_INTERVAL),
    ],
)
async def test_polls_come_at_the_scrape_or_the_analysis_interval(
    provider: str, interval: str, expected: float
) -> None:
    setup = Setup()
    setup.polling.follow(snapshot("a", provider=provider, interval=interval))
    assert setup.polling.interval(provider) == expected
    await setup.polling.close()


async def test_the_end_of_a_hold_is_seen_when_it_comes_and_not_a_scrape_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    setup = Setup()
    monkeypatch.setattr(setup.polling, "interval", lambda _: 10 * PATIENCE)
    setup.polling.follow(snapshot("a"))
    assert await setup.sample() == ("risk", "a")
    setup.polling.follow(snapshot("a"), hold_left=0.1)
    assert await setup.sample() == ("risk", "a")
    await setup.polling.close()


async def test_ends_of_holds_add_no_poll_before_its_time() -> None:
    setup = Setup()
    now = asyncio.get_running_loop().time()
    setup.polling.follow(snapshot("a"), hold_left=0.0)
    assert await setup.polling._until_due("default", now + 0.2, now + 100) == now + 0.2
    assert await setup.polling._until_due("default", now + 100, now + 0.2) == now + 0.2
    await setup.polling.close()


async def test_a_release_that_is_left_ends_no_hold() -> None:
    setup = Setup()
    setup.polling.follow(snapshot("a"), hold_left=100)
    setup.polling.follow(snapshot("a"))
    assert setup.polling._holds == {}
    setup.polling.follow(snapshot("a"), hold_left=100)
    setup.polling.leave(("risk", "a"))
    assert setup.polling._holds == {}
    await setup.polling.close()

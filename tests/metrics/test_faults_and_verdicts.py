"""Whatever goes wrong with Prometheus: nothing is promoted on missing data, no healthy version is
taken back before `unknownTimeout`, and when it is over the release goes on.

A lying stand-in on loopback answers the real poller; what it says is counted and judged as the
planner does it, minute by minute, with a release that is healthy all the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from headgate.judge import (
    Evidence,
    Judgement,
    JudgeSettings,
    Side,
    Stage,
    Verdict,
    begin,
    judge,
    observe,
)
from headgate.metrics import Poller, Provider, Providers, Target
from tests.metrics.servers import Answer, Handler, endless, hanging, row, rows, send, serving

NOW = 1_700_000_000.0
MINUTE = 60.0
SETTINGS = JudgeSettings(interval=MINUTE, error_rate_max=0.05, latency_max=1.0)
SIDES = {"old": Side.STABLE, "new": Side.CANDIDATE}
COMPARED = Stage(compared=True, hold_over=True)
Rows = list[dict[str, Any]]


@dataclass
class Healthy:
    """900 requests a minute of stable and 100 of the candidate, 1 % of them failing; `reset` pods
    began anew, `missing` ones are not in the answer."""

    minute: int = 0
    began: dict[str, int] = field(default_factory=lambda: {"old": -1000, "new": 0})
    missing: frozenset[str] = frozenset()

    def rows(self) -> Rows:
        found = []
        for pod, rate in (("old", 900), ("new", 100)):
            if pod in self.missing:
                continue
            total, where = rate * (self.minute - self.began[pod]), {"namespace": "a", "pod": pod}
            found += [
                row(total, headgate_kind="requests", **where),
                row(total // 100, headgate_kind="errors", **where),
                row(total, headgate_kind="bucket", le="1.0", **where),
                row(total, headgate_kind="bucket", le="+Inf", **where),
            ]
        return found


def answering(change: Callable[[Rows], Rows], **more: Any) -> Callable[[Healthy], Answer]:
    """A healthy answer, changed."""
    return lambda world: lambda handler: send(handler, rows(change(world.rows()), **more))


def refusing(status: int, body: bytes = b"") -> Callable[[Healthy], Answer]:
    return lambda _: lambda handler: send(handler, body, status)


def valued(kind: str, value: str) -> Callable[[Rows], Rows]:
    """Every row of a kind with another value."""

    def change(found: Rows) -> Rows:
        return [
            {**each, "value": [each["value"][0], value]}
            if each["metric"]["headgate_kind"] == kind
            else each
            for each in found
        ]

    return change


def without(pod: str) -> Callable[[Rows], Rows]:
    return lambda found: [each for each in found if each["metric"]["pod"] != pod]


def always(answer: Answer) -> Callable[[Healthy], Answer]:
    return lambda _: answer


BOTH_SIDES: dict[str, Callable[[Healthy], Answer]] = {
    "refuses": refusing(503, b"overloaded"),
    "cannot be understood": refusing(200, b'{"status": "succ'),
    "is too large": always(endless),
    "does not answer": always(hanging),
    "is empty": answering(lambda _: []),
    "is partial": answering(lambda found: found, warnings=["one store is down"]),
    "has totals that are no number": answering(valued("requests", "NaN")),
    "has infinite totals": answering(valued("requests", "+Inf")),
    "has negative infinite totals": answering(valued("requests", "-Inf")),
    "has errors that are no number": answering(valued("errors", "NaN")),
    "has every series twice": answering(lambda found: found + found),
}
ONE_SIDE: dict[str, Callable[[Healthy], Answer]] = {
    "knows nothing of the candidate": answering(without("new")),
    "has a candidate without a total": answering(
        lambda found: [
            each
            for each in found
            if (each["metric"]["pod"], each["metric"]["headgate_kind"]) != ("new", "requests")
        ]
    ),
}


class Release:
    """Judged once a minute."""

    def __init__(self, url: str) -> None:
        provider = Provider(url=url, timeout=0.3, max_bytes=100_000, scrape_interval=15)
        self.poller = Poller(Providers(providers={"default": provider}))
        self.target = Target("a", "fraud", "default", "http", frozenset(SIDES), frozenset({1.0}))
        self.at = NOW
        self.evidence: Evidence = begin(NOW, None)

    async def look(self, seconds: float = MINUTE) -> Judgement:
        self.at += seconds
        sample = (await self.poller.poll([self.target], self.at))[self.target.key]
        evidence = observe(self.evidence, sample, SIDES, SETTINGS, COMPARED)
        self.evidence = Evidence.from_dict(evidence.to_dict())
        return judge(self.evidence, SETTINGS, COMPARED)


async def play(
    fault: Callable[[Healthy], Answer], minutes: int
) -> tuple[list[Judgement], list[Judgement], float]:
    """Two healthy minutes, a fault for some, six healthy ones: the judgements of the fault, those
    after it, and by how many seconds the hold went on during the fault."""
    world = Healthy()
    answer = answering(lambda found: found)

    def act(handler: Handler) -> None:
        answer(world)(handler)

    with serving(act) as server:
        release = Release(server.url)
        for _ in range(2):
            world.minute += 1
            await release.look()
        observed, answer = release.evidence.observed, fault
        during = []
        for _ in range(minutes):
            world.minute += 1
            during.append(await release.look())
        went_on = release.evidence.observed - observed
        answer = answering(lambda found: found)
        after = []
        for _ in range(6):
            world.minute += 1
            after.append(await release.look())
        release.poller.close()
    return during, after, went_on


@pytest.mark.parametrize("name", BOTH_SIDES)
async def test_without_an_answer_the_release_is_held_and_then_goes_on(name: str) -> None:
    during, after, went_on = await play(BOTH_SIDES[name], minutes=12)
    assert {each.verdict for each in during} == {Verdict.UNKNOWN}
    assert {each.reason for each in during} == {"ProviderDown"}
    assert went_on == 0
    assert after[-1].verdict is Verdict.GOOD
    assert Verdict.BAD not in {each.verdict for each in after}


@pytest.mark.parametrize("name", ONE_SIDE)
async def test_a_silent_candidate_is_held_until_the_time_out_and_not_before(name: str) -> None:
    during, after, went_on = await play(ONE_SIDE[name], minutes=9)
    assert {each.verdict for each in during} == {Verdict.UNKNOWN}
    assert {each.reason for each in during} == {"CandidateSilent"}
    assert went_on <= 2 * SETTINGS.scrape_interval
    assert after[-1].verdict is Verdict.GOOD
    longer, _, _ = await play(ONE_SIDE[name], minutes=10)
    assert longer[-1].verdict is Verdict.BAD


@pytest.mark.parametrize("pod", ["old", "new"])
async def test_a_pod_that_starts_anew_is_no_fault(pod: str) -> None:
    world = Healthy()
    with serving(lambda handler: send(handler, rows(world.rows()))) as server:
        release = Release(server.url)
        for minute in range(1, 12):
            world.minute = minute
            if minute == 5:
                world.began[pod] = minute - 1
            found = await release.look()
            assert found.verdict is not Verdict.BAD
        release.poller.close()
    assert found.verdict is Verdict.GOOD
    assert release.evidence.candidate.requests == pytest.approx(1000, abs=200)


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
async def test_a_clock_that_jumps_an_hour_ends_no_hold_and_reverts_nothing(jump: float) -> None:
    world = Healthy()
    with serving(lambda handler: send(handler, rows(world.rows()))) as server:
        release = Release(server.url)
        for minute in range(1, 4):
            world.minute = minute
            await release.look()
        before = release.evidence.observed
        world.minute += 1
        jumped = await release.look(MINUTE + jump)
        assert jumped.verdict is not Verdict.BAD
        assert release.evidence.observed - before <= 2 * SETTINGS.interval
        for _ in range(4):
            world.minute += 1
            found = await release.look()
            assert found.verdict is not Verdict.BAD
        release.poller.close()
    assert found.verdict is Verdict.GOOD

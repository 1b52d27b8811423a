"""The poller against a Prometheus that fails in every way: an outage with a reason, in time."""

import asyncio
import gzip
import math
import re
import socket
import time
from collections.abc import Mapping

import pytest

from headgate.judge import PodCounters, Sample
from headgate.metrics import Poller, Provider, Providers, Target
from headgate.metrics.client import Row
from headgate.metrics.questions import ask_by
from tests.metrics.servers import (
    Answer,
    Handler,
    dripping,
    dripping_headers,
    endless,
    hanging,
    healthy,
    row,
    rows,
    send,
    serving,
)

NOW = 1_700_000_000.0


def target(namespace: str = "a", provider: str = "default", **changes: object) -> Target:
    values: dict[str, object] = {
        "namespace": namespace,
        "name": "fraud",
        "provider": provider,
        "runtime": "http",
        "pods": frozenset({"p"}),
        "limits": frozenset({1.0}),
    }
    return Target(**(values | changes))  # type: ignore[arg-type]


def provider(url: str, timeout: float = 5.0, max_bytes: int = 100_000) -> Provider:
    return Provider(url=url, timeout=timeout, max_bytes=max_bytes)


async def poll(poller: Poller, *targets: Target) -> Mapping[tuple[str, str], Sample]:
    return await poller.poll(targets, NOW)


async def poll_once(answer: Answer, *targets: Target, timeout: float = 5.0) -> Sample:
    with serving(answer) as server:
        poller = Poller(Providers(providers={"default": provider(server.url, timeout)}))
        try:
            samples = await poll(poller, *(targets or (target(),)))
        finally:
            poller.close()
    return samples[("a", "fraud")]


async def test_a_good_answer_is_a_sample_at_the_evaluation_time() -> None:
    times = []

    def answer(handler: Handler) -> None:
        times.append(handler.at)
        healthy(handler)

    sample = await poll_once(answer)
    expected = Sample(NOW, {"p": PodCounters(100, 3, {1.0: 2})}, age=30.0, query=sample.query)
    assert sample == expected
    assert 'namespace="a"' in sample.query
    assert set(times) == {"1700000000.000"}


def refuse(status: int, document: object, **headers: str) -> Answer:
    return lambda handler: send(handler, document, status, headers)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refuse(500, b"oops"), "answered HTTP 500"),
        (refuse(503, b""), "answered HTTP 503"),
        (refuse(422, {"status": "error", "error": "too\nmany"}), "answered HTTP 422: too many"),
        (refuse(302, b"", Location="/elsewhere"), "answered HTTP 302"),
        (refuse(200, rows([], warnings=["partial"])), "gave a partial answer: partial"),
        (refuse(200, b'{"status": "success", "data": {"resu'), "cannot be read"),
        (refuse(200, b"[]"), "cannot be read"),
        (refuse(200, b'"text"'), "cannot be read"),
        (refuse(200, b"null"), "cannot be read"),
        (refuse(200, b"[" * 50_000), "cannot be read"),
        (refuse(200, b"\xff\xfe"), "cannot be read"),
        (refuse(200, {"status": "success", "data": {"resultType": "matrix", "result": []}}),
         "cannot be read"),
        (refuse(200, {"status": "error", "data": {"resultType": "vector", "result": []}}),
         "cannot be read"),
        (refuse(200, rows([{"metric": {}, "value": [1]}])), "cannot be read"),
        (refuse(200, gzip.compress(b"{}"), **{"Content-Encoding": "gzip"}), "cannot be read"),
        (refuse(200, b"{}", **{"Content-Length": "50"}), "could not be reached"),
        (refuse(200, b" " * 200_000), "more than 100,000 bytes for namespace a"),
        (endless, "more than 100,000 bytes for namespace a"),
    ],
)  # fmt: skip
async def test_an_answer_that_cannot_be_used_is_an_outage(answer: Answer, said: str) -> None:
    # A shorter body than announced is noticed when the connection ends.
    def and_close(handler: Handler) -> None:
        answer(handler)
        handler.close_connection = True

    sample = await poll_once(and_close)
    assert sample.outage is not None
    assert said in sample.outage
    assert sample.outage.startswith('metrics provider "default" ')
    assert (sample.at, sample.pods) == (NOW, {})


@pytest.mark.parametrize("answer", [hanging, dripping, dripping_headers])
async def test_a_slow_answer_is_an_outage_at_the_deadline(answer: Answer) -> None:
    started = time.monotonic()
    sample = await poll_once(answer, timeout=0.5)
    assert sample.outage == 'metrics provider "default" did not answer within 500ms'
    assert time.monotonic() - started < 4


async def test_slow_answers_leave_no_thread_busy() -> None:
    with serving(dripping_headers) as server:
        poller = Poller(Providers(providers={"default": provider(server.url, 0.2)}))
        for _ in range(4):
            sample = (await poll(poller, target()))[("a", "fraud")]
            assert "did not answer within" in (sample.outage or "")
        poller.close()


async def test_a_closed_port_is_an_outage() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        poller = Poller(Providers(providers={"default": provider(url)}))
        sample = (await poll(poller, target()))[("a", "fraud")]
        poller.close()
    assert sample.outage == 'metrics provider "default" could not be reached'


async def test_a_redirect_is_not_followed_and_nothing_is_asked_twice() -> None:
    with serving(refuse(307, b"", Location="/api/v1/query")) as server:
        poller = Poller(Providers(providers={"default": provider(server.url)}))
        await poll(poller, target())
        poller.close()
        assert len(server.queries) == 1


async def test_values_that_are_no_number_are_missing_pods_and_no_outage() -> None:
    where = {"namespace": "a", "pod": "p"}
    answer = rows([row("NaN", headgate_kind="requests", **where)])
    sample = await poll_once(refuse(200, answer))
    assert (sample.outage, sample.pods) == (None, {})
    answer = rows([
        row(5, headgate_kind="requests", **where), row("+Inf", headgate_kind="errors", **where)
    ])  # fmt: skip
    assert (await poll_once(refuse(200, answer))).pods == {}


async def test_names_that_nobody_configured_are_outages_of_their_own() -> None:
    with serving(healthy) as server:
        poller = Poller(Providers(providers={"default": provider(server.url)}))
        samples = await poll(
            poller,
            target(),
            target("b", provider="mine"),
            target("c", runtime="nonesuch"),
            target("d", pods=frozenset()),
        )
        poller.close()
    assert samples[("a", "fraud")].outage is None
    assert samples[("b", "fraud")].outage == (
        'metrics provider "mine" is not configured; the administrator configured: default'
    )
    assert "nonesuch" in (samples[("c", "fraud")].outage or "")
    assert (samples[("d", "fraud")].outage, samples[("d", "fraud")].pods) == (None, {})


async def test_a_provider_that_hangs_does_not_hold_up_another() -> None:
    with serving(hanging) as stuck, serving(healthy) as well:
        poller = Poller(
            Providers(providers={"stuck": provider(stuck.url, 20), "well": provider(well.url, 20)})
        )
        hung = asyncio.create_task(poll(poller, target(provider="stuck")))
        samples = await asyncio.wait_for(poll(poller, target(provider="well")), 10)
        assert samples[("a", "fraud")].outage is None
        assert not hung.done()
        second = asyncio.create_task(poll(poller, target(provider="stuck")))
        await asyncio.sleep(0)
        third = await asyncio.wait_for(poll(poller, target(provider="stuck")), 10)
        assert "still busy" in (third[("a", "fraud")].outage or "")
        stuck.over.set()
        await asyncio.gather(hung, second)
        poller.close()


@pytest.mark.parametrize("releases", [1, 200])
async def test_the_number_of_queries_does_not_grow_with_the_releases(releases: int) -> None:
    with serving(healthy) as server:
        poller = Poller(Providers(providers={"default": provider(server.url)}))
        targets = [
            target("abcd"[n % 4], name=f"m{n}", pods=frozenset({"p", f"m{n}-x"}))
            for n in range(releases)
        ]
        samples = await poll(poller, *targets)
        poller.close()
        assert len(samples) == releases
        assert len(server.queries) == 2


@pytest.mark.parametrize(("requests", "asked"), [(0, 0), (7, 1)])
async def test_a_native_histogram_is_asked_for_only_where_requests_were_not_timed(
    requests: float, asked: int
) -> None:
    def untimed(handler: Handler) -> None:
        where = {"namespace": "a", "pod": "p"}
        found = [row(requests, headgate_kind="requests", **where)]
        send(handler, rows(found if "histogram_count" not in handler.query else []))

    with serving(untimed) as server:
        poller = Poller(Providers(providers={"default": provider(server.url)}))
        await poll(poller, target())
        poller.close()
        assert sum("histogram_count" in query for query in server.queries) == asked


async def test_one_namespace_with_too_much_does_not_blind_the_others() -> None:
    def answer(handler: Handler) -> None:
        if re.search(r'namespace=~"[^"]*c', handler.query) and "kind" in handler.query:
            send(handler, b" " * 150_000)
        else:
            healthy(handler)

    with serving(answer) as server:
        poller = Poller(Providers(providers={"default": provider(server.url)}))
        samples = await poll(poller, *(target(namespace) for namespace in "abcd"))
        poller.close()
    outages = {namespace: sample.outage for (namespace, _), sample in samples.items()}
    assert outages == {
        "a": None,
        "b": None,
        "d": None,
        "c": 'metrics provider "default" gave an answer of more than 100,000 bytes for namespace c',
    }
    assert all(samples[(namespace, "fraud")].pods for namespace in "abd")


async def test_a_quantile_that_fails_is_not_shown_and_blinds_nobody() -> None:
    def answer(handler: Handler) -> None:
        if "histogram_quantile" in handler.query:
            send(handler, b"", 500)
        else:
            healthy(handler)

    sample = await poll_once(answer)
    assert sample.pods["p"] == PodCounters(100, 3, {1.0: 2})


async def test_a_quantile_is_shown_unless_it_is_no_number() -> None:
    for value, shown in ((0.412, 0.412), (math.nan, None)):

        def answer(handler: Handler, value: float = value) -> None:
            if "histogram_quantile" in handler.query:
                send(handler, rows([row(value, namespace="a", pod="p")]))
            else:
                healthy(handler)

        assert (await poll_once(answer)).pods["p"].p99 == shown


async def test_a_limit_between_boundaries_is_read_from_the_next_poll_on() -> None:
    def answer(handler: Handler) -> None:
        where = {"namespace": "a", "pod": "p"}
        if handler.query.startswith("count"):
            send(handler, rows([row(1, le=le, **where) for le in ("0.5", "2.5", "+Inf")]))
        elif "headgate_kind" in handler.query:
            buckets = [row(100, headgate_kind="bucket", le="+Inf", **where)]
            if r"2\\.5" in handler.query:
                buckets.append(row(90, headgate_kind="bucket", le="2.5", **where))
            send(handler, rows([row(100, headgate_kind="requests", **where), *buckets]))
        else:
            send(handler, rows([]))

    with serving(answer) as server:
        poller = Poller(Providers(providers={"default": provider(server.url)}))
        first = (await poll(poller, target()))[("a", "fraud")]
        second = (await poll(poller, target()))[("a", "fraud")]
        third = (await poll(poller, target()))[("a", "fraud")]
        poller.close()
        assert sum(query.startswith("count") for query in server.queries) == 1
    assert first.pods["p"].slower == {}
    assert second == third
    assert second.pods["p"].slower == {1.0: 10}
    assert second.boundaries == {1.0: 2.5}


async def test_the_evaluation_time_does_not_go_back_with_a_small_clock_step() -> None:
    with serving(healthy) as server:
        poller = Poller(Providers(providers={"default": provider(server.url)}))
        times = [
            (await poller.poll([target()], now))[("a", "fraud")].at
            for now in (NOW, NOW - 5, NOW + 5, NOW - 3600)
        ]
        poller.close()
    assert times == [NOW, NOW, NOW + 5, NOW - 3600]


async def test_the_p99_for_people_is_asked_at_every_second_poll_and_shown_at_each() -> None:
    def answer(handler: Handler) -> None:
        if "histogram_quantile" in handler.query:
            send(handler, rows([row(0.4, namespace="a", pod="p")]))
        else:
            healthy(handler)

    with serving(answer) as server:
        poller = Poller(Providers(providers={"default": provider(server.url)}))
        shown = [(await poll(poller, target()))[("a", "fraud")].pods["p"].p99 for _ in range(4)]
        poller.close()
        assert sum("histogram_quantile" in query for query in server.queries) == 2
    assert shown == [0.4] * 4


class Counting:
    """A provider where a proxy has counted a request to each Service, and how often it is asked."""

    def __init__(self, targets: list[Target]) -> None:
        self.targets = targets
        self.asked = 0

    def ask(self, query: str, at: float) -> list[Row]:
        self.asked += 1
        labels = {"headgate_kind": "requests", "controller_pod": "controller-1"}
        return [
            Row(metric={"namespace": of.namespace, "service": of.name, **labels}, value=(at, 1.0))
            for of in self.targets
            if "headgate_kind" in query
        ]


@pytest.mark.parametrize("models", [1, 100])
def test_a_proxy_is_asked_the_same_number_of_questions_for_any_number_of_services(
    models: int,
) -> None:
    targets = [
        target(f"n{number}", name=f"model-{number}", runtime="ingress-nginx")
        for number in range(models)
    ]
    client = Counting(targets)
    found = ask_by(client, "default", provider("http://nowhere"), targets, NOW, {})
    assert [len(sample.pods) for sample in found.samples.values()] == [1] * models
    # The counters, native histograms where there are no buckets, and the p99 for people.
    assert client.asked == 3

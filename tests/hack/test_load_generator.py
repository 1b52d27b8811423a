"""The load generator against a real server on loopback: what it sends and what it records."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from hack.load import generator
from hack.load.answers import FRESH, KEEP_ALIVE, Answer
from hack.load.generator import Load, Row, held_out_rows, send

PATIENCE = 60.0
ROWS = [Row([float(digit)] * 64, digit) for digit in range(10)]
HEADERS = {"X-Model-Version": "1.0.0", "X-Pod": "pod-a"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers; each answers every path with one handler."""
    runners = []

    async def start(handler: Handler) -> str:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(application, shutdown_timeout=5)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    yield start
    for runner in runners:
        await runner.cleanup()


async def prediction(request: web.Request) -> web.StreamResponse:
    """Every pixel of a test row is its digit."""
    [row] = (await request.json())["instances"]
    return web.json_response({"predictions": [int(row[0])]}, headers=HEADERS)


async def answers_of(load: Load) -> list[Answer]:
    answers: list[Answer] = []
    sent = await asyncio.wait_for(send(load, ROWS, answers.append, asyncio.Event()), PATIENCE)
    assert sent == len(answers)
    return answers


def load(url: str, most: int = 40, rate: float = 400) -> Load:
    return Load(url, rate=rate, duration=PATIENCE, most=most)


async def test_half_of_the_requests_use_fresh_connections_and_half_are_kept_alive(
    serve: Serve,
) -> None:
    connections: list[object] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.path == "/predict"
        connections.append(request.transport)
        return await prediction(request)

    answers = await answers_of(load(await serve(handler), rate=100))
    assert len(answers) == 40
    assert [answer for answer in answers if answer.failed] == []
    assert {answer.right for answer in answers} == {True}
    assert {(answer.version, answer.pod) for answer in answers} == {("1.0.0", "pod-a")}
    fresh = [answer for answer in answers if answer.connection == FRESH]
    kept = [answer for answer in answers if answer.connection == KEEP_ALIVE]
    assert len(fresh) == len(kept) == 20
    assert not any(answer.reused for answer in fresh)
    opened = sum(not answer.reused for answer in kept)
    # Four, and one more for each request that found its connection busy.
    assert 4 <= opened < 20
    assert len(connections) == 40
    assert len(set(connections)) == len(fresh) + opened


async def test_failing_answers_are_recorded_with_status_and_version(serve: Serve) -> None:
    count = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal count
        count += 1
        if count % 4 == 0:
            return web.Response(status=500, headers=HEADERS)
        return await prediction(request)

    answers = await answers_of(load(await serve(handler)))
    bad = [answer for answer in answers if answer.failed]
    assert count == len(answers) == 40
    assert [(answer.status, answer.version, answer.right) for answer in bad] == [
        (500, "1.0.0", None)
    ] * 10


async def test_a_connection_that_ends_without_an_answer_is_a_failure_and_is_not_retried(
    serve: Serve,
) -> None:
    used: set[object] = set()
    asked = 0
    cut_reused = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal asked, cut_reused
        asked += 1
        assert request.transport is not None
        if request.transport in used:
            cut_reused += 1
            request.transport.abort()
        used.add(request.transport)
        return await prediction(request)

    answers = await answers_of(load(await serve(handler), rate=100))
    bad = [answer for answer in answers if answer.failed]
    assert asked == len(answers) == 40
    assert len(bad) == cut_reused > 0
    assert all(answer.reused and answer.status is None and answer.error for answer in bad)


async def test_a_connection_that_a_server_closes_with_its_answer_costs_no_request(
    serve: Serve,
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer = await prediction(request)
        answer.force_close()
        return answer

    answers = await answers_of(load(await serve(handler)))
    assert [answer for answer in answers if answer.failed or answer.reused] == []


async def test_a_wrong_digit_is_no_failure_and_an_answer_without_prediction_is(
    serve: Serve,
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        [row] = (await request.json())["instances"]
        digit = int(row[0])
        if digit == 1:
            return web.json_response({"predictions": "none"})
        if digit == 2:
            return web.Response(text="no json")
        if digit == 3:
            raise web.HTTPFound("/elsewhere")
        return web.json_response({"predictions": [4]})

    answers = await answers_of(load(await serve(handler), most=10))
    by_digit = sorted(answers, key=lambda answer: answer.sent)
    assert [answer.failed for answer in by_digit[:5]] == [False, True, True, True, False]
    assert [answer.right for answer in by_digit[:5]] == [False, None, None, None, True]
    assert by_digit[3].status == 302


async def test_an_answer_that_takes_too_long_is_a_failure(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "TIMEOUT", 0.2)

    async def handler(request: web.Request) -> web.StreamResponse:
        await over.wait()
        return await prediction(request)

    over = asyncio.Event()
    answers = await answers_of(load(await serve(handler), most=4))
    over.set()
    assert all(answer.failed and "Timeout" in (answer.error or "") for answer in answers)
    assert len(answers) == 4


async def test_a_refused_connection_is_a_failure(unused_tcp_port: int) -> None:
    answers = await answers_of(load(f"http://127.0.0.1:{unused_tcp_port}", most=4))
    assert len(answers) == 4
    assert all(answer.failed and answer.status is None for answer in answers)


async def test_requests_leave_at_their_rate_though_no_answer_has_come(serve: Serve) -> None:
    asked = 0
    all_asked = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        if asked == 30:
            all_asked.set()
        await all_asked.wait()
        return await prediction(request)

    answers = await answers_of(load(await serve(handler), most=30))
    assert [answer for answer in answers if answer.failed] == []


async def test_a_stop_ends_the_sending_and_waits_for_what_is_under_way(serve: Serve) -> None:
    stop = asyncio.Event()
    asked = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        if asked == 5:
            stop.set()
        await stop.wait()
        return await prediction(request)

    answers: list[Answer] = []
    url = await serve(handler)
    sent = await asyncio.wait_for(send(load(url, 10_000), ROWS, answers.append, stop), PATIENCE)
    assert 5 <= sent < 10_000
    assert sent == asked == len(answers)
    assert [answer for answer in answers if answer.failed] == []


async def test_a_stop_is_seen_by_a_sender_that_cannot_keep_its_rate(serve: Serve) -> None:
    stop = asyncio.Event()
    answers: list[Answer] = []

    def record(answer: Answer) -> None:
        answers.append(answer)
        stop.set()

    hopeless = load(await serve(prediction), 100_000, rate=10_000_000)
    sent = await asyncio.wait_for(send(hopeless, ROWS, record, stop), PATIENCE)
    assert sent < 100_000


async def test_a_record_that_cannot_be_written_ends_the_load(serve: Serve) -> None:
    def full(_: Answer) -> None:
        raise OSError("no space left")

    url = await serve(prediction)
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(send(load(url, 10_000), ROWS, full, asyncio.Event()), PATIENCE)


def test_duration_and_number_bound_the_load() -> None:
    assert Load("http://x", rate=50, duration=2, most=1000).count == 100
    assert Load("http://x", rate=50, duration=2, most=7).count == 7
    with pytest.raises(ValueError, match="above zero"):
        Load("http://x", rate=0, duration=2, most=7)


def test_rows_are_real_digits_in_the_same_mixed_order_each_time() -> None:
    rows = held_out_rows()
    assert rows == held_out_rows()
    assert len(rows) == 898
    assert {row.digit for row in rows[:60]} == set(range(10))
    assert all(len(row.pixels) == 64 for row in rows)

"""Smoke checks against a server on loopback that answers rightly, wrongly or not at all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from headgate.core.observation import SmokeResult
from headgate.kube.client import Object
from headgate.kube.smoke import LARGEST_ANSWER, check
from tests.kube.objects import bare, kept_of, pod


class Server:
    """A model server; `answers` maps a path to what it does."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[tuple[str, str, str, bytes]] = []
        self.answers: dict[str, Any] = {"/health": web.Response}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        header = request.headers.get("X-Headgate-Check", "")
        self.requests.append((request.method, request.path, header, await request.read()))
        answer = self.answers.get(request.path, lambda: web.Response(status=404))()
        found: web.StreamResponse = await answer if asyncio.iscoroutine(answer) else answer
        return found


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", found.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


def ready(server: Server, name: str = "a", address: str = "127.0.0.1", **changes: Any) -> Object:
    found = pod(name, kept_of(bare()).revision, podIP=address, **changes)
    found["spec"]["containers"][0]["ports"][0]["containerPort"] = server.port
    return found


async def ask(server: Server, *pods: Object, **smoke: Any) -> SmokeResult | None:
    snapshot = bare(smoke=smoke)
    return await check(replace(snapshot, pods=pods or (ready(server),)), kept_of(snapshot).revision)


async def test_a_healthy_version_that_answers_as_expected_passes(server: Server) -> None:
    server.answers["/predict"] = lambda: web.json_response({"predictions": [1, 2]})
    found = await ask(
        server,
        requests=[
            {"body": {"rows": [1]}, "expect": {"field": "predictions", "type": "array"}},
            {"path": "/health", "method": "GET"},
        ],
    )
    assert found is not None
    assert found.passed
    assert "POST /predict on pod a answered 200" in found.sentence
    assert server.requests == [
        ("GET", "/health", "smoke", b""),
        ("POST", "/predict", "smoke", b'{"rows": [1]}'),
        ("GET", "/health", "smoke", b""),
    ]


@pytest.mark.parametrize(
    ("body", "expect", "said"),
    [
        ([1], {"type": "object"}, "the answer is array, not object"),
        ({"p": True}, {"field": "p", "type": "number"}, "p is boolean, not number"),
        ({"p": 1.5}, {"field": "p", "type": "integer"}, "p is number, not integer"),
        ({"p": None}, {"field": "p", "type": "string"}, "p is null, not string"),
        ({"q": 1}, {"field": "p", "type": "number"}, "without the field p"),
        ([1], {"field": "p", "type": "number"}, "without the field p"),
        ([1], {"status": 201}, "answered 200"),
    ],
)
async def test_a_wrong_answer_fails_and_is_told(
    server: Server, body: Any, expect: Any, said: str
) -> None:
    server.answers["/predict"] = lambda: web.json_response(body)
    found = await ask(server, requests=[{"body": 1, "expect": expect}])
    assert found is not None
    assert not found.passed
    assert said in found.sentence


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: web.Response(status=500), "answered 500"),
        (lambda: web.Response(text="<html>"), "no JSON"),
        (lambda: web.Response(text="[" * 20_000), "no JSON"),
        (lambda: web.Response(text='"' + "x" * LARGEST_ANSWER + '"'), "more than 64 KiB"),
        (lambda: web.Response(status=302, headers={"Location": "/health"}), "answered 302"),
        (lambda: asyncio.sleep(30, web.Response()), "did not answer within 0.5 s"),
    ],
)
async def test_a_server_that_misbehaves_fails_and_is_told(
    server: Server, answer: Any, said: str
) -> None:
    server.answers["/predict"] = answer
    request = {"body": 1, "expect": {"type": "array"}}
    found = await ask(server, requests=[request], timeout="500ms")
    assert found is not None
    assert not found.passed
    assert said in found.sentence
    assert [path for _, path, _, _ in server.requests] == ["/health", "/predict"]


async def test_too_slow_is_a_failure_when_the_author_says_so(server: Server) -> None:
    server.answers["/predict"] = lambda: asyncio.sleep(0.05, web.json_response([]))
    found = await ask(server, requests=[{"body": 1}], maxLatency="1ms")
    assert found is not None
    assert not found.passed
    assert "longer than the 1 ms allowed" in found.sentence


async def test_every_ready_pod_must_be_healthy(server: Server) -> None:
    pods = (ready(server, "a"), ready(server, "b", "127.0.0.9"), ready(server, "c", ready=False))
    pods[1]["spec"]["containers"][0]["ports"][0]["containerPort"] = 1
    found = await ask(server, *pods, requests=[{"body": 1}])
    assert found is not None
    assert not found.passed
    assert "GET /health on pod b failed" in found.sentence
    assert "pod c" not in found.sentence
    assert [path for _, path, _, _ in server.requests] == ["/health"]


async def test_nothing_is_said_while_no_pod_is_ready(server: Server) -> None:
    assert await ask(server, ready(server, ready=False)) is None
    assert await ask(server, ready(server, address="")) is None


async def test_pods_of_other_revisions_are_not_asked(server: Server) -> None:
    other = ready(server)
    other["metadata"]["labels"]["headgate.dev/revision"] = "other"
    assert await ask(server, other) is None
    assert server.requests == []

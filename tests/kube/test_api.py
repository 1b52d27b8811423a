"""The client's behaviour when the API server is slow, away, or breaks off."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from headgate.kube.api import PAGE, ApiClient
from headgate.kube.client import (
    POD,
    SERVICE,
    Conflict,
    Forbidden,
    Invalid,
    KubeError,
    NotFound,
    NotLeader,
    Object,
    Unavailable,
)

BODY: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "fraud", "namespace": "risk"},
}


class Server:
    """An HTTP server in the place of an API server."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[web.Request] = []
        self.bodies: list[Any] = []
        self.answer: Callable[[web.Request], Any] = lambda _: web.json_response(BODY)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.json() if request.can_read_body else None)
        answer = self.answer(request)
        found: web.StreamResponse = await answer if asyncio.iscoroutine(answer) else answer
        return found


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", found.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[ApiClient]:
    async with ApiClient(
        Configuration(host=server.url),
        timeout=0.5,
    ) as found:
        yield found


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Invalid),
        (401, Unavailable),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (422, Invalid),
        (429, Unavailable),
        (500, Unavailable),
        (504, Unavailable),
    ],
)
async def test_a_refusal_has_its_name_and_the_servers_own_words(
    server: Server, client: ApiClient, status: int, error: type[KubeError]
) -> None:
    server.answer = lambda _: web.json_response({"message": "so it is"}, status=status)
    with pytest.raises(error, match="so it is"):
        await client.get(SERVICE, "risk", "fraud")


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"cut": '])
async def test_an_answer_that_is_no_object_is_no_answer(
    server: Server, client: ApiClient, text: str
) -> None:
    server.answer = lambda _: web.Response(text=text)
    with pytest.raises(Unavailable):
        await client.get(SERVICE, "risk", "fraud")


async def test_a_request_has_a_deadline_headers_and_body_alike(
    server: Server, client: ApiClient
) -> None:
    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    for answer in (lambda _: asyncio.sleep(30, web.Response()), slowly):
        server.answer = answer
        with pytest.raises(Unavailable, match="in time"):
            await client.get(SERVICE, "risk", "fraud")


async def test_a_server_that_is_away_is_unavailable() -> None:
    async with ApiClient(Configuration(host="http://127.0.0.1:1"), timeout=2) as client:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await client.apply(BODY)


async def test_a_connection_that_was_closed_is_tried_once_more(
    server: Server, client: ApiClient
) -> None:
    def close(request: web.Request) -> web.Response:
        assert request.transport is not None
        if len(server.requests) == 1:
            request.transport.abort()
        return web.json_response(BODY)

    server.answer = close
    assert await client.apply(BODY) == BODY
    assert len(server.requests) == 2


async def test_requests_are_as_kubernetes_wants_them(server: Server, client: ApiClient) -> None:
    await client.apply(BODY, resource_version="7")
    await client.apply(BODY, force=False)
    await client.patch(SERVICE, "risk", "fraud", {"spec": {"a": None}}, resource_version="8")
    await client.patch(SERVICE, "risk", "fraud", [{"op": "test", "path": "/a", "value": 1}])
    await client.delete(POD, "risk", "a", uid="u", grace_period_seconds=1)
    server.answer = lambda _: web.json_response({"items": [{"metadata": {"name": "a"}}]})
    listed = await client.list(POD, "risk", "a=b,c=d")
    assert listed == [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}]
    seen = [
        (each.method, each.path_qs, each.headers.get("Content-Type")) for each in server.requests
    ]
    service = "/api/v1/namespaces/risk/services/fraud"
    assert seen[:5] == [
        ("PATCH", f"{service}?fieldManager=headgate&force=true", "application/apply-patch+yaml"),
        ("PATCH", f"{service}?fieldManager=headgate&force=false", "application/apply-patch+yaml"),
        ("PATCH", f"{service}?fieldManager=headgate", "application/merge-patch+json"),
        ("PATCH", f"{service}?fieldManager=headgate", "application/json-patch+json"),
        ("DELETE", "/api/v1/namespaces/risk/pods/a", "application/json"),
    ]
    assert server.requests[5].query == {"labelSelector": "a=b,c=d", "limit": str(PAGE)}
    assert server.bodies[0]["metadata"]["resourceVersion"] == "7"
    assert server.bodies[2] == {"spec": {"a": None}, "metadata": {"resourceVersion": "8"}}
    assert server.bodies[4]["preconditions"] == {"uid": "u"}
    assert server.bodies[4]["gracePeriodSeconds"] == 1
    assert server.requests[0].headers["User-Agent"].startswith("headgate/")


async def test_a_long_list_comes_in_pages_of_one_selection(
    server: Server, client: ApiClient
) -> None:
    tokens = {"": "second", "second": "third", "third": ""}

    def page(request: web.Request) -> web.Response:
        token = request.query.get("continue", "")
        item = {"metadata": {"name": token or "first"}}
        return web.json_response({"items": [item], "metadata": {"continue": tokens[token]}})

    server.answer = page
    pages = [each async for each in client.pages(POD, None, "a=b")]
    assert [[each["metadata"]["name"] for each in page] for page in pages] == [
        ["first"],
        ["second"],
        ["third"],
    ]
    assert {each.query["labelSelector"] for each in server.requests} == {"a=b"}
    assert [each["metadata"]["name"] for each in await client.list(POD, None, "a=b")] == [
        "first",
        "second",
        "third",
    ]


async def test_without_the_lease_nothing_is_written(server: Server) -> None:
    def refuse() -> float:
        raise NotLeader("another process leads")

    configuration = Configuration(host=server.url)
    async with ApiClient(configuration, before_write=refuse) as client:
        await client.get(SERVICE, "risk", "fraud")
        for write in (
            client.create_event({**BODY, "kind": "Event"}),
            client.apply(BODY),
            client.create(BODY),
            client.replace(BODY),
            client.replace_status(BODY),
            client.patch(SERVICE, "risk", "fraud", {}),
            client.delete(SERVICE, "risk", "fraud"),
        ):
            with pytest.raises(NotLeader):
                await write
    assert len(server.requests) == 1


async def test_a_lease_that_ends_before_the_second_attempt_prevents_it(server: Server) -> None:
    asked: list[float] = []

    def once() -> float:
        if asked:
            raise NotLeader("the lease has run out")
        asked.append(1.0)
        return asked[0]

    def close(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.json_response(BODY)

    server.answer = close
    async with ApiClient(Configuration(host=server.url), before_write=once) as client:
        with pytest.raises(NotLeader, match="has run out"):
            await client.apply(BODY)
    assert len(server.requests) == 1


async def test_a_write_is_given_up_when_the_lease_ends(server: Server) -> None:
    server.answer = lambda _: asyncio.sleep(30, web.json_response(BODY))
    configuration = Configuration(host=server.url)
    async with ApiClient(configuration, timeout=25, before_write=lambda: 0.2) as client:
        with pytest.raises(Unavailable, match="in time"):
            await asyncio.wait_for(client.apply(BODY), 10)


async def test_a_service_accounts_token_is_sent_and_an_unreadable_config_is_told(
    server: Server, tmp_path: Any
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(
        f"""
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here, user: me}}}}]
clusters: [{{name: here, cluster: {{server: "{server.url}"}}}}]
users: [{{name: me, user: {{token: secret-token}}}}]
"""
    )
    async with await ApiClient.connect(path) as client:
        await client.get(SERVICE, "risk", "fraud")
    assert server.requests[0].headers["Authorization"] == "Bearer secret-token"
    with pytest.raises(Unavailable):
        await ApiClient.connect(tmp_path / "missing")

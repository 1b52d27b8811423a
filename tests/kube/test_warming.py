"""The warm-up of a pod, by a server on loopback that is slow at first, and what pods say of it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from headgate.api.smoke import WarmUp
from headgate.core.intents import SetWarm
from headgate.core.observation import Gate, Warming
from headgate.core.timing import to_seconds
from headgate.kube.apply import carry_out
from headgate.kube.client import POD, Conflict, Invalid, Object
from headgate.kube.config_maps import UsedConfigMaps
from headgate.kube.observe import build
from headgate.kube.pods import read_pod
from headgate.kube.smoke import Target
from headgate.kube.warming import requests_of, set_warm, warm_up
from headgate.render.revision import controller_revision, keep
from tests.kube.conftest import World
from tests.kube.objects import Memory, bare, kept_of, pod, stored
from tests.kube.test_smoke import Server, server

__all__ = ["server"]

GATES = [{"conditionType": "headgate.dev/Warm"}]
REQUEST = {"body": {"inputs": [1]}, "expect": {"field": "predictions", "type": "array"}}
SLOW_SECONDS = 1.2


def wanted(**changes: Any) -> WarmUp:
    return WarmUp.model_validate(
        {"requests": [REQUEST], "fasterThan": "1s", "timeout": "60s", **changes}
    )


async def ask(server: Server, wanted: WarmUp) -> tuple[Warming, list[str]]:
    told: list[str] = []
    found = await warm_up(Target("a", f"http://127.0.0.1:{server.port}"), wanted, told.append)
    return found, told


def answers(server: Server, *slow: bool) -> None:
    """Answers of /predict, the last one for ever: slow or at once."""
    left = list(slow)

    async def predict() -> web.Response:
        if left.pop(0) if len(left) > 1 else left[0]:
            await asyncio.sleep(SLOW_SECONDS)
        return web.json_response({"predictions": [1]})

    server.answers["/predict"] = predict


async def test_a_pod_is_warm_after_so_many_fast_answers_in_a_row(server: Server) -> None:
    answers(server, True, True, False, True, False)
    found, told = await ask(server, wanted(inARow=2))
    assert found.warm is True
    assert "POST /predict on pod a answered 200" in found.sentence
    assert found.sentence.endswith("the last of 2 in a row")
    assert len(told) == 3
    assert all("longer than the 1000 ms allowed" in each for each in told)
    # Slow, slow, fast, slow: the one fast answer in between begins no row.
    assert len(server.requests) == 6
    assert {header for _, _, header, _ in server.requests} == {"warm-up"}


async def test_each_request_is_sent_at_least_once(server: Server) -> None:
    requests = [{"path": f"/{number}", "method": "GET"} for number in range(5)]
    for number in range(5):
        server.answers[f"/{number}"] = web.Response
    found, _ = await ask(server, wanted(requests=requests, inARow=1, fasterThan="30s"))
    assert found.warm is True
    assert [path for _, path, _, _ in server.requests] == ["/0", "/1", "/2", "/3", "/4"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: web.Response(status=503), "answered 503"),
        (lambda: web.json_response({"predictions": 1}), "predictions is number, not array"),
        (lambda: asyncio.sleep(30, web.Response()), "has not answered"),
        (lambda: web.Response(status=302, headers={"Location": "/health"}), "answered 302"),
    ],
)
async def test_a_pod_that_never_answers_rightly_has_failed(
    server: Server, answer: Any, said: str
) -> None:
    server.answers["/predict"] = answer
    found, _ = await ask(server, wanted(timeout="2s", fasterThan="30s"))
    assert found.warm is False
    assert found.sentence.startswith("not warm within 2s: ")
    assert said in found.sentence
    assert {path for _, path, _, _ in server.requests} == {"/predict"}


async def test_errors_are_not_answered_with_a_flood(server: Server) -> None:
    server.answers["/predict"] = lambda: web.Response(status=500)
    await ask(server, wanted(timeout="1s"))
    assert 1 <= len(server.requests) <= 5


def test_a_version_is_warmed_up_as_its_release_began_once_the_spec_asks_for_another() -> None:
    before = bare("1", smoke={"warmUp": {"requests": [{"path": "/v1"}]}})
    kept = kept_of(before)
    after = bare("2", smoke={"warmUp": {"requests": [{"path": "/v2"}]}})
    body = stored(controller_revision(kept, "risk", "fraud", after.owner, 1))
    after = replace(after, revisions=(body,))
    assert requests_of(after, kept.revision) == before.spec.smoke.warm_up
    assert requests_of(after, kept_of(after).revision) == after.spec.smoke.warm_up
    assert requests_of(after, "unknown") is None
    assert requests_of(bare("1"), kept.revision) is None


def test_a_corrected_request_counts_for_a_version_that_uses_a_config_map_too() -> None:
    found = UsedConfigMaps({"settings": "digest"})
    before = bare("1", smoke={"warmUp": {"requests": [{"path": "/wrong"}]}})
    kept = keep(before.spec, before.name, found.digests)
    after = bare("1", smoke={"warmUp": {"requests": [{"path": "/right"}]}})
    body = stored(controller_revision(kept, "risk", "fraud", after.owner, 1))
    after = replace(after, revisions=(body,), config_maps=found)
    assert requests_of(after, kept.revision) == after.spec.smoke.warm_up


def warm(status: str, **more: str) -> dict[str, str]:
    return {"type": "headgate.dev/Warm", "status": status, **more}


RUNNING = {
    "type": "ContainersReady",
    "status": "True",
    "lastTransitionTime": "2026-11-23T10:00:05Z",
}


def test_what_a_pod_says_of_its_gate_is_read() -> None:
    assert read_pod(pod()).gate is None
    gated = pod(ready=False)
    gated["spec"]["readinessGates"] = GATES
    assert read_pod(gated).gate == Gate()
    gated["status"]["conditions"] = [RUNNING]
    found = read_pod(gated)
    assert found.gate is not None
    assert found.gate.running_since == found.created + 5
    since = {"lastTransitionTime": "2026-11-23T10:00:09Z"}
    gated["status"]["conditions"] = [RUNNING, warm("True", **since)]
    assert read_pod(gated).gate == Gate(found.created + 5, True, found.created + 9)
    gated["status"]["conditions"] = [RUNNING, warm("False", message="too slow")]
    failed = read_pod(gated)
    assert failed.gate is not None
    assert failed.gate.warm is False
    assert (failed.waiting, failed.message) == ("WarmUpFailed", "too slow")


WARM = SetWarm("fraud-a", True, "Warm", "fast", "2026-11-23T10:00:10.000Z")


async def test_a_pod_that_has_changed_is_a_conflict_and_one_that_is_gone_is_nothing() -> None:
    seen = replace(bare(), pods=(stored(pod()),))
    client = Memory(*seen.pods)
    assert await set_warm(client, seen, WARM) is not None
    client.faults["patch", "Pod", "fraud-a"] = Invalid("the test failed")
    with pytest.raises(Conflict):
        await set_warm(client, seen, WARM)
    assert await set_warm(Memory(), seen, WARM) is None
    assert await set_warm(Memory(), bare(), WARM) is None


@pytest.mark.control_plane
async def test_the_condition_is_set_on_exactly_the_pod_that_was_seen(world: World) -> None:
    """On a real API server: what others say of the pod stays, and another pod of that name, or one
    whose status has changed since, is not touched."""
    await world.put(smoke={"warmUp": {"requests": [REQUEST]}})
    revision = build(await world.read()).revision
    for name in ("a", "b"):
        await world.client.apply(authored(world, name, revision))
        await world.client.patch(
            POD,
            world.namespace,
            name,
            {"status": {"conditions": [RUNNING, {"type": "Ready", "status": "False"}]}},
            subresource="status",
        )
    seen = await world.read()
    time = "2026-11-23T10:00:10.000Z"
    failed = SetWarm("a", False, "WarmUpFailed", "too slow", time)
    await carry_out(world.client, seen, [failed])
    with pytest.raises(Conflict):
        await carry_out(world.client, seen, [replace(failed, warm=True)])
    told = {each.name: each for each in build(await world.read()).pods}
    assert (told["a"].waiting, told["a"].message) == ("WarmUpFailed", "too slow")
    assert told["b"].gate == Gate(told["a"].gate.running_since if told["a"].gate else None)

    (written,) = await carry_out(
        world.client, await world.read(), [SetWarm("a", True, "Warm", "fast", time)]
    )
    assert [each["type"] for each in written["status"]["conditions"]] == [
        "ContainersReady",
        "Ready",
        "headgate.dev/Warm",
    ]
    assert read_pod(written).gate == Gate(
        to_seconds(RUNNING["lastTransitionTime"]), True, to_seconds(time)
    )

    seen = await world.read()
    await world.client.delete(POD, world.namespace, "b", grace_period_seconds=0)
    await carry_out(world.client, seen, [SetWarm("b", True, "Warm", "fast", time)])
    await world.client.apply(authored(world, "b", revision))
    with pytest.raises(Conflict):
        await carry_out(world.client, seen, [SetWarm("b", True, "Warm", "fast", time)])
    another = next(each for each in build(await world.read()).pods if each.name == "b")
    assert another.gate == Gate()
    (written,) = await carry_out(
        world.client, await world.read(), [SetWarm("b", True, "Warm", "fast", time)]
    )
    assert written["status"]["conditions"][-1]["type"] == "headgate.dev/Warm"


def authored(world: World, name: str, revision: str) -> Object:
    body = pod(name, revision)
    del body["status"], body["metadata"]["uid"], body["metadata"]["creationTimestamp"]
    body["metadata"]["namespace"] = world.namespace
    body["spec"]["readinessGates"] = GATES
    body["spec"]["containers"][0]["image"] = "registry.example/f:1"
    return body

"""The smoke checks of R4: real requests to a candidate's pods, before any live traffic.

Addresses come from the API server's view of the pods, never from a spec. Answers are read up to
64 KiB, redirects are not followed, and the header keeps the requests out of the model's metrics.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from headgate.api.quantities import parse_duration
from headgate.api.smoke import Expect, JsonType, Method, Smoke, SmokeRequest
from headgate.core.observation import SmokeResult
from headgate.kube.client import Object
from headgate.kube.pods import read_pod
from headgate.kube.snapshot import Snapshot, revision_label

CHECK_HEADER = "X-Headgate-Check"
LARGEST_ANSWER = 64 * 1024
AT_A_TIME = 16
LONGEST_SENTENCE = 1000

TYPES: Mapping[JsonType, tuple[type, ...]] = {
    JsonType.ARRAY: (list,),
    JsonType.NUMBER: (int, float),
    JsonType.STRING: (str,),
    JsonType.OBJECT: (dict,),
    JsonType.INTEGER: (int,),
    JsonType.BOOLEAN: (bool,),
}


@dataclass(frozen=True)
class Target:
    """One pod to be asked: its name, and the root of its address."""

    pod: str
    root: str


@dataclass(frozen=True)
class Answer:
    """What one request came to; `sentence` says it either way."""

    passed: bool
    sentence: str


async def check(snapshot: Snapshot, revision: str) -> SmokeResult | None:
    """Ask every ready pod of `revision` for its health, then one of them the smoke requests of
    the spec, in their order. None when no pod is ready: then there is nothing to be said yet.

    Never raises for what a pod does: the sentence says it, and the first failure ends it.
    """
    asked = targets(snapshot, revision)
    if not asked:
        return None
    smoke = snapshot.spec.smoke
    async with connect(parse_duration(smoke.timeout), "smoke") as session:
        return _result(revision, await _answers(session, smoke, asked))


def connect(timeout: float | None, purpose: str) -> aiohttp.ClientSession:
    """Connections to pods; `timeout` is in seconds, for one answer (None: the caller has one),
    `purpose` goes into the header that tells a server whose requests these are."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout),
        headers={CHECK_HEADER: purpose, "Accept": "application/json"},
        trust_env=False,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def targets(snapshot: Snapshot, revision: str) -> list[Target]:
    """The ready pods of a revision that have an address, in the order of their names."""
    ready = [
        pod for pod in snapshot.pods if revision_label(pod) == revision and read_pod(pod).ready
    ]
    found = [target for pod in ready if (target := target_of(snapshot, pod)) is not None]
    return sorted(found, key=lambda target: target.pod)


def target_of(snapshot: Snapshot, pod: Object) -> Target | None:
    """Where a pod is asked: its own address and the port that Services target; None without."""
    address = str((pod.get("status") or {}).get("podIP") or "")
    if not address:
        return None
    host = f"[{address}]" if ":" in address else address
    port_name = snapshot.port_name(revision_label(pod))
    port = _port(pod, port_name, snapshot.spec.service.target_port)
    return Target(str(pod["metadata"]["name"]), f"http://{host}:{port}")


def _port(pod: Object, name: str, otherwise: int) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or []:
            if port.get("name") == name:
                return int(port["containerPort"])
    return otherwise


async def _answers(
    session: aiohttp.ClientSession, smoke: Smoke, asked: list[Target]
) -> list[Answer]:
    slots = asyncio.Semaphore(AT_A_TIME)
    health = SmokeRequest(path=smoke.health_path, method=Method.GET, expect=Expect(status=200))

    async def healthy(target: Target) -> Answer:
        async with slots:
            return await ask(session, target, health, None)

    answers = list(await asyncio.gather(*(healthy(target) for target in asked)))
    slowest = None if smoke.max_latency is None else parse_duration(smoke.max_latency)
    for request in smoke.requests:
        if not all(answer.passed for answer in answers):
            break
        answers.append(await ask(session, asked[0], request, slowest))
    return answers


def _result(revision: str, answers: list[Answer]) -> SmokeResult:
    failed = [answer for answer in answers if not answer.passed]
    said = failed or answers
    sentence = "; ".join(dict.fromkeys(answer.sentence for answer in said))
    if len(sentence) > LONGEST_SENTENCE:
        sentence = f"{sentence[: LONGEST_SENTENCE - 1]}…"
    return SmokeResult(revision=revision, passed=not failed, sentence=sentence)


async def ask(
    session: aiohttp.ClientSession,
    target: Target,
    request: SmokeRequest,
    slowest: float | None,
) -> Answer:
    """Send one request to a pod; an answer slower than `slowest` seconds is a failure. Never
    raises for what the pod does."""
    # A query may hold a key, and status and Events have more readers than the spec.
    path = request.path.partition("?")[0]
    asked = f"{request.method.value} {path} on pod {target.pod}"
    body = {} if request.method is Method.GET else {"json": request.body}
    began = time.monotonic()
    try:
        async with session.request(
            request.method.value, target.root + request.path, allow_redirects=False, **body
        ) as response:
            text = await _bounded(response)
            status = response.status
    except TimeoutError:
        return Answer(False, f"{asked} did not answer within {session.timeout.total:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(False, f"{asked} failed: {str(error) or type(error).__name__}")
    took = time.monotonic() - began
    found = f"{asked} answered {status} in {took * 1000:.0f} ms"
    if status != request.expect.status:
        return Answer(False, f"{found}, not {request.expect.status}")
    wrong = _wrong(request.expect, text)
    if wrong is not None:
        return Answer(False, f"{found}, but {wrong}")
    if slowest is not None and took > slowest:
        return Answer(False, f"{found}, longer than the {slowest * 1000:.0f} ms allowed")
    return Answer(True, found)


async def _bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """The body, or None when it is larger than we read."""
    text = b""
    async for part in response.content.iter_chunked(8192):
        text += part
        if len(text) > LARGEST_ANSWER:
            response.close()
            return None
    return text


def _wrong(expect: Expect, text: bytes | None) -> str | None:
    if expect.type is None:
        return None
    if text is None:
        return f"with more than {LARGEST_ANSWER // 1024} KiB, which is not read"
    try:
        answer: Any = json.loads(text)
    except (ValueError, RecursionError):
        return "with something that is no JSON"
    what = "the answer"
    if expect.field is not None:
        if not isinstance(answer, dict) or expect.field not in answer:
            return f"without the field {expect.field}"
        what, answer = expect.field, answer[expect.field]
    if not _is(answer, expect.type):
        return f"{what} is {_type_of(answer)}, not {expect.type.value}"
    return None


def _is(value: Any, kind: JsonType) -> bool:
    # In Python a bool is an int; in JSON it is none.
    if isinstance(value, bool):
        return kind is JsonType.BOOLEAN
    return isinstance(value, TYPES[kind])


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    return next((kind.value for kind in JsonType if _is(value, kind)), type(value).__name__)

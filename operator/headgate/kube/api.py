"""`KubeClient` on kubernetes.aio: raw JSON requests over its connection, identity and TLS.

Its typed models are not used, they drop fields they do not know. Each request has a deadline of
its own; trying again is for the pass that asked, which reads and plans anew.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import aiohttp
from kubernetes.aio import client as kubernetes
from kubernetes.aio import config

from headgate import __version__
from headgate.kube.client import (
    EVENT,
    FIELD_MANAGER,
    KINDS,
    Conflict,
    Forbidden,
    Invalid,
    Kind,
    KubeError,
    NotFound,
    Object,
    Page,
    Unavailable,
)

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
JSON = "application/json"

PAGE = 250
"""Objects in one answer to a list. Read as Python objects they take ten times their bytes."""

DEEPEST = 10_000
"""Levels of JSON that an API server takes. Python gives up at 1,000, and with one object that is
deeper no list that contains it can be read, nor a watch that tells of it."""

FRAMES_A_LEVEL = 5
"""Of Python's stack, in whatever reads, copies or writes such an object; no more than four are."""

ERRORS: Mapping[int, type[KubeError]] = {
    400: Invalid,
    403: Forbidden,
    404: NotFound,
    405: Invalid,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
}
"""What an HTTP status means; every other one is `Unavailable`. A 401 is among those: it is what a
token that is just being rotated looks like, and the next request reads the token anew."""


class ApiClient:
    """A connection to one API server.

    `timeout` is in seconds, for one request. `before_write` is called just before every attempt to
    change something, and gives the seconds that it may take, or raises (`NotLeader`) to prevent it.
    `field_manager` is who the API server records as the writer of fields.
    """

    def __init__(
        self,
        configuration: Any,
        *,
        timeout: float = 10.0,
        before_write: Callable[[], float] | None = None,
        field_manager: str = FIELD_MANAGER,
    ) -> None:
        # Whoever reads JSON here, kopf's watches and copies of objects included.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), FRAMES_A_LEVEL * DEEPEST))
        # Neither a proxy for the world outside nor a .netrc is meant for the API server.
        configuration.client_session_kwargs = {"trust_env": False}
        self._client: Any = kubernetes.ApiClient(configuration)
        self._client.user_agent = f"headgate/{__version__}"
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._before_write = before_write
        self._managed = {"fieldManager": field_manager}

    @classmethod
    async def connect(
        cls,
        kubeconfig: Path | None = None,
        context: str | None = None,
        *,
        timeout: float = 10.0,
        before_write: Callable[[], float] | None = None,
        field_manager: str = FIELD_MANAGER,
    ) -> Self:
        """Connect as the kubeconfig says if one is given, else as the pod's service account, else
        as the user's own kubeconfig. Raises `Unavailable` when none of these can be read.

        The service account's token is read again every minute, so its rotation goes unnoticed.
        """
        configuration = kubernetes.Configuration()
        load: Any = config
        try:
            if kubeconfig is not None or context is not None:
                path = None if kubeconfig is None else str(kubeconfig)
                await load.load_kube_config(path, context, configuration, persist_config=False)
            else:
                try:
                    load.load_incluster_config(configuration)
                except config.ConfigException:
                    await load.load_kube_config(
                        client_configuration=configuration, persist_config=False
                    )
        except (config.ConfigException, OSError) as error:
            raise Unavailable(f"no way to reach a cluster: {error}") from error
        return cls(
            configuration,
            timeout=timeout,
            before_write=before_write,
            field_manager=field_manager,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        return await self._request("GET", _address(kind, namespace, name))

    async def list(self, kind: Kind, namespace: str | None, labels: str = "") -> list[Object]:
        return [each async for page in self.pages(kind, namespace, labels) for each in page]

    async def pages(
        self, kind: Kind, namespace: str | None, labels: str = ""
    ) -> AsyncIterator[Page]:
        query = {"limit": str(PAGE)} | ({"labelSelector": labels} if labels else {})
        while True:
            answer = await self._request("GET", _address(kind, namespace), query=query)
            items = answer.get("items") or []
            yield [{"apiVersion": kind.api_version, "kind": kind.name, **item} for item in items]
            token = (answer.get("metadata") or {}).get("continue")
            if not token:
                return
            query["continue"] = str(token)

    async def create(self, body: Object) -> Object:
        kind, namespace, _ = _identity(body)
        return await self._request("POST", _address(kind, namespace), body, query=self._managed)

    async def replace(self, body: Object) -> Object:
        return await self._request("PUT", _address(*_identity(body)), body, query=self._managed)

    async def apply(
        self, body: Object, *, resource_version: str | None = None, force: bool = True
    ) -> Object:
        if resource_version is not None:
            metadata = {**body["metadata"], "resourceVersion": resource_version}
            body = {**body, "metadata": metadata}
        query = {**self._managed, "force": str(force).lower()}
        return await self._request("PATCH", _address(*_identity(body)), body, APPLY, query)

    async def replace_status(self, body: Object) -> Object:
        address = f"{_address(*_identity(body))}/status"
        return await self._request("PUT", address, body, query=self._managed)

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        changes: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        resource_version: str | None = None,
        subresource: Literal["", "status", "scale"] = "",
    ) -> Object:
        address = _address(kind, namespace, name)
        if subresource:
            address = f"{address}/{subresource}"
        if not isinstance(changes, Mapping):
            operations = [dict(each) for each in changes]
            return await self._request("PATCH", address, operations, JSON_PATCH, self._managed)
        body = dict(changes)
        if resource_version is not None:
            metadata = {**body.get("metadata", {}), "resourceVersion": resource_version}
            body["metadata"] = metadata
        return await self._request("PATCH", address, body, MERGE, self._managed)

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_period_seconds: int | None = None,
    ) -> None:
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        options: Object = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {key: value for key, value in preconditions.items() if value},
        }
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        try:
            await self._request("DELETE", _address(kind, namespace, name), options)
        except NotFound:
            return

    async def create_event(self, body: Object) -> None:
        await self._request("POST", _address(EVENT, body["metadata"]["namespace"]), body)

    async def user(self) -> str:
        """Who makes these requests, in the API server's own words."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self._request(
            "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review
        )
        return str(((answer.get("status") or {}).get("userInfo") or {}).get("username") or "")

    async def _request(
        self,
        method: str,
        address: str,
        body: object = None,
        content_type: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> Object:
        try:
            status, text = await self._exchange(method, address, body, content_type, query or {})
        except TimeoutError as error:
            raise Unavailable(
                f"the API server did not answer {method} {address} in time"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"the API server cannot be reached: {error}") from error
        return _read(status, text, f"{method} {address}")

    async def _exchange(
        self, method: str, address: str, body: object, content_type: str, query: Mapping[str, str]
    ) -> tuple[int, bytes]:
        for attempt in (1, 2):
            request = await self._client.param_serialize(
                method,
                address,
                query_params=list(query.items()),
                header_params={"Accept": JSON, "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
            )
            try:
                # Asked as late as can be, and again before the second attempt.
                async with asyncio.timeout(self._limit(method)):
                    answer = await self._client.call_api(*request, _request_timeout=self._timeout)
                    return answer.status, await answer.read()
            except (aiohttp.ServerDisconnectedError, ConnectionResetError):
                # A kept connection that the server had closed. Every write of ours says the same
                # when it arrives twice, and a revert must not wait for the next pass.
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def _limit(self, method: str) -> float | None:
        if method == "GET" or self._before_write is None:
            return self._timeout.total
        return min(self._timeout.total or math.inf, self._before_write())


def _address(kind: Kind, namespace: str | None, name: str | None = None) -> str:
    prefix = "/api" if "/" not in kind.api_version else "/apis"
    parts = [prefix, kind.api_version]
    if namespace is not None:
        parts += ["namespaces", namespace]
    parts.append(kind.plural)
    if name is not None:
        parts.append(name)
    return "/".join(parts)


def _identity(body: Object) -> tuple[Kind, str, str]:
    kind = KINDS[(body["apiVersion"], body["kind"])]
    return kind, body["metadata"]["namespace"], body["metadata"].get("name", "")


def _read(status: int, text: bytes, request: str) -> Object:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if 200 <= status < 300 and isinstance(answer, dict):
        return answer
    message = answer.get("message") if isinstance(answer, dict) else None
    error = Unavailable if 200 <= status < 300 else ERRORS.get(status, Unavailable)
    raise error(message or f"the API server answered {status} to {request}")

"""A connection to the API server on which one request gets another answer than it should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import aiohttp

from headgate.kube.api import ApiClient


class Answer(StrEnum):
    """What one request gets: an HTTP status before it has done anything, no reply to what was
    done (`LOST`: the connection breaks, `LATE`: 504 of a proxy), or nothing until the time is
    over."""

    CONFLICT = "409"
    TOO_MANY = "429"
    ERROR = "500"
    UNAVAILABLE = "503"
    TIMEOUT = "504"
    LATE = "504, done"
    LOST = "reply lost"
    HUNG = "hung"


@dataclass(frozen=True)
class Fault:
    """An answer to request number `request`, counted from 1."""

    request: int
    answer: Answer


class FaultyApi(ApiClient):
    """`requests` are those since `arm`; watches are none of them."""

    fault: Fault | None = None
    requests: list[str]

    def arm(self, fault: Fault | None) -> None:
        """Count from here."""
        self.fault, self.requests = fault, []

    async def _exchange(
        self, method: str, address: str, body: object, content_type: str, query: Mapping[str, str]
    ) -> tuple[int, bytes]:
        self.requests = [*getattr(self, "requests", ()), f"{method} {address}"]
        fault = self.fault
        if fault is None or fault.request != len(self.requests):
            return await super()._exchange(method, address, body, content_type, query)
        if fault.answer is Answer.HUNG:
            await asyncio.sleep(HANG_SECONDS)
            raise TimeoutError
        if fault.answer not in (Answer.LATE, Answer.LOST):
            return _status(int(fault.answer))
        await super()._exchange(method, address, body, content_type, query)
        if fault.answer is Answer.LATE:
            return _status(504)
        raise aiohttp.ServerDisconnectedError


HANG_SECONDS = 2.0


def _status(code: int) -> tuple[int, bytes]:
    status = {"kind": "Status", "code": code, "message": f"on purpose: {code}"}
    return code, json.dumps(status).encode()

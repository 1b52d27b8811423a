"""Holds the lease, or waits for it: requests and clock around `headgate.runtime.leadership`.

One process of several leads and writes; the others keep their caches warm. Every write of the
leader asks `remaining` first (`headgate.kube.api`), so one that has lost the lease, slept through
it or cannot reach the API server writes nothing, whatever it believed a moment before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from headgate.kube.client import LEASE, Conflict, KubeClient, KubeError, NotFound, NotLeader, Object
from headgate.runtime.leadership import Decision, Lease, Standing, Step, Timing, decide

LEAVE_SECONDS = 5.0
"""How long the end of a process may wait for the lease to be released; it runs out by itself."""

_log = logging.getLogger(__name__)


def uptime() -> float:
    """Seconds that no clock change moves, those in which the machine was suspended included: a
    process must not wake up in the belief that it still leads."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def own_identity() -> str:
    """The pod's name, and what tells this process from the one before in the same pod."""
    return f"{socket.gethostname()}_{uuid4().hex[:12]}"


class Leader:
    """`elected` is set when this process leads. `client` must not ask `remaining` before it writes,
    and is best one of its own, so that no other request keeps a renewal waiting."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        timing: Timing,
        *,
        identity: str | None = None,
        clock: Callable[[], float] = uptime,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._clock = clock
        self._standing = Standing(identity or own_identity(), timing)
        self._stored: Object = {}
        self._leaving = asyncio.Event()
        self._told = ""
        self.elected = asyncio.Event()

    def remaining(self) -> float:
        """For how many seconds this process may still write. Raises `NotLeader` when for none."""
        left = self._standing.remaining(self._clock())
        if left <= 0:
            raise NotLeader(f"this process does not hold the lease {self._namespace}/{self._name}")
        return left

    @property
    def leads(self) -> bool:
        """Whether this process may write at this moment."""
        return self._standing.remaining(self._clock()) > 0

    async def run(self) -> None:
        """Until `leave`. Raises `NotLeader` when the lease was held and is lost: what the process
        believes may then be old, so it is to end, and another one to start clean."""
        while True:
            now = self._clock()
            decision = decide(self._standing, now, leaving=self._leaving.is_set())
            self._tell(decision)
            match decision.step:
                case Step.LOST:
                    self._standing = self._standing.resigned()
                    raise NotLeader(f"leadership lost: {decision.sentence}")
                case Step.LEAVE:
                    return
                case Step.WAIT:
                    self._standing = self._standing.doubted()
                    await self._pause(now)
                case _:
                    await self._try(decision, now)

    def leave(self) -> None:
        """Release the lease, so that another one leads at once; `run` then ends."""
        self._leaving.set()

    async def _try(self, decision: Decision, began: float) -> None:
        step = decision.step
        timing = self._standing.timing
        limit = timing.deadline / 2
        if self._standing.held is not None:
            limit = min(limit, self._standing.remaining(began))
        try:
            async with asyncio.timeout(limit):
                await self._request(step, began)
        except (Conflict, NotFound) as refusal:
            # Somebody else was faster, or has touched it: what is there decides.
            _log.info("to %s was refused: %s", step.name.lower(), refusal)
            self._standing = self._standing.doubted()
            if step is Step.TAKE:
                await self._pause(began)
        except (KubeError, TimeoutError) as error:
            said = str(error) or f"no answer in {limit:.3g} s"
            _log.warning("to %s failed: %s", step.name.lower(), said)
            self._standing = self._standing.doubted()
            await self._pause(began)
        else:
            if step is Step.TAKE:
                _log.info("leading: %s", decision.sentence)
                self.elected.set()
            if step in (Step.TAKE, Step.RENEW):
                await self._pause(began)

    async def _request(self, step: Step, began: float) -> None:
        standing = self._standing
        match step:
            case Step.READ:
                lease = await self._read()
                self._standing = standing.saw(lease, self._clock())
            case Step.RELEASE:
                # Before the lease is anybody's, and whether or not the answer arrives.
                self._standing = standing.resigned().doubted()
                await self._write("")
            case _:
                lease = await self._write(standing.identity)
                self._standing = standing.wrote(lease, began)

    async def _read(self) -> Lease | None:
        try:
            self._stored = await self._client.get(LEASE, self._namespace, self._name)
        except NotFound:
            self._stored = {}
            return None
        return lease_of(self._stored)

    async def _write(self, holder: str) -> Lease:
        timing = self._standing.timing
        body = lease_body(
            self._stored, self._namespace, self._name, holder, timing.duration, time.time()
        )
        if self._stored:
            self._stored = await self._client.replace(body)
        else:
            self._stored = await self._client.create(body)
        return lease_of(self._stored)

    async def _pause(self, began: float) -> None:
        """Until a retry period after `began`; no longer than this process may still write, and
        not at all when it has just been told to leave."""
        now = self._clock()
        seconds = began + self._standing.timing.retry - now
        if self._standing.held is not None:
            seconds = min(seconds, self._standing.remaining(now))
        if self._leaving.is_set():
            await asyncio.sleep(max(0.0, seconds))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._leaving.wait()

    def _tell(self, decision: Decision) -> None:
        if decision.step is Step.WAIT and decision.sentence != self._told:
            self._told = decision.sentence
            _log.info("standing by: %s", decision.sentence)


def lease_of(stored: Object) -> Lease:
    """A lease as the API server sent it, whatever somebody has written into it."""
    spec: dict[str, Any] = stored.get("spec") or {}
    return Lease(
        version=str(stored["metadata"].get("resourceVersion") or ""),
        holder=str(spec.get("holderIdentity") or ""),
        duration=float(spec.get("leaseDurationSeconds") or 0),
    )


def lease_body(
    stored: Object, namespace: str, name: str, holder: str, duration: float, now: float
) -> Object:
    """The lease to be written over `stored` (empty: there is none); `now` in epoch seconds."""
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds")
    moment = moment.replace("+00:00", "Z")
    before: dict[str, Any] = stored.get("spec") or {}
    transitions = int(before.get("leaseTransitions") or 0)
    spec: dict[str, Any] = {
        **before,
        "holderIdentity": holder,
        "leaseDurationSeconds": math.ceil(duration),
        "renewTime": moment,
    }
    if holder and holder != before.get("holderIdentity"):
        spec |= {"acquireTime": moment, "leaseTransitions": transitions + bool(stored)}
    metadata = stored.get("metadata") or {"namespace": namespace, "name": name}
    return {
        "apiVersion": LEASE.api_version,
        "kind": LEASE.name,
        "metadata": metadata,
        "spec": spec,
    }

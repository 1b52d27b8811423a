"""Keeps the cache true: lists what there is, keeps kopf's watches running, and lists again where a
watch may have missed that something was deleted.

kopf tells neither that a list is complete nor what a broken watch has missed, so both come from
lists of our own: once at the start, after each of kopf's lists, and every half hour.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from headgate.kube.client import (
    MODEL_DEPLOYMENT,
    Forbidden,
    KubeClient,
    KubeError,
    NotFound,
    Object,
)
from headgate.kube.snapshot import KINDS
from headgate.render.names import OWNED_BY
from headgate.runtime.cache import Cache, Identity, Key, identity_of, key_of
from headgate.runtime.watching import DELETED, WATCHED, Receive

RELIST_SECONDS = 1800.0
AFTER_START_SECONDS = 5.0
AFTER_LIST_SECONDS = 2.0
FIRST_BACK_OFF = 1.0
LONGEST_BACK_OFF = 30.0
WELL_SECONDS = 120.0
"""A watch that ran this long was well; its end is no repetition of the one before."""

_log = logging.getLogger(__name__)


class Watches(Protocol):
    """`headgate.runtime.watching.Watch`, or what tests put in its place."""

    @property
    def ended(self) -> Future[None]:
        """Done when it is over, with the exception that ended it."""
        ...

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End."""
        ...


class Informer:
    """`changed(key, itself)` is called for each ModelDeployment that something changed for;
    `itself` says that it was its own spec. `listed` is set from the first complete list on."""

    def __init__(
        self,
        client: KubeClient,
        cache: Cache,
        namespaces: Sequence[str],
        watch: Callable[[Receive], Watches],
        changed: Callable[[Key, bool], None],
    ) -> None:
        self._client = client
        self._cache = cache
        self._namespaces: Sequence[str | None] = tuple(namespaces) or (None,)
        self._watch = watch
        self._changed = changed
        self._relist_at = 0.0
        self._nudge = asyncio.Event()
        self.listed = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        await self.list_all()
        clock = asyncio.get_running_loop().time
        back_off = FIRST_BACK_OFF
        while True:
            began = clock()
            error = await self._watch_until_it_ends()
            if clock() - began > WELL_SECONDS:
                back_off = FIRST_BACK_OFF
            _log.warning("the watches ended, again in %.0f s: %r", back_off, error)
            await asyncio.sleep(back_off)
            back_off = min(LONGEST_BACK_OFF, 2 * back_off)

    async def relist(self) -> None:
        """Read everything live and make the cache agree. Raises `KubeError`s."""
        before = self._cache.mark({kind.name for kind in WATCHED})
        listed: set[Identity] = set()
        # One after the other, and page by page: what is held in memory at the same time here is
        # what the process keeps from then on.
        for namespace in self._namespaces:
            for kind in WATCHED:
                labels = OWNED_BY if kind in KINDS else ""
                async for page in self._client.pages(kind, namespace, labels):
                    listed.update(map(identity_of, page))
                    for each in page:
                        self._take(None, each)
        for key in self._cache.prune(before, listed):
            self._changed(key, False)

    async def list_all(self) -> None:
        """`relist`, again and again until it succeeds."""
        back_off = FIRST_BACK_OFF
        while True:
            try:
                await self.relist()
            except KubeError as error:
                _log.error("%s; again in %.0f s", _cure(error), back_off)
                await asyncio.sleep(back_off)
                back_off = min(LONGEST_BACK_OFF, 2 * back_off)
            else:
                self.listed.set()
                return

    async def _watch_until_it_ends(self) -> BaseException | None:
        loop = asyncio.get_running_loop()
        watch = self._watch(lambda type, body: _in_loop(loop, lambda: self._receive(type, body)))
        ended: asyncio.Future[None] = asyncio.wrap_future(watch.ended)
        self._relist_at = loop.time() + AFTER_START_SECONDS
        watch.start()
        try:
            while not ended.done():
                await self._until_a_list_is_due(ended)
                if not ended.done() and loop.time() >= self._relist_at:
                    await self._list_again()
            return ended.exception()
        finally:
            watch.stop()

    async def _until_a_list_is_due(self, ended: asyncio.Future[None]) -> None:
        self._nudge.clear()
        nudged = asyncio.ensure_future(self._nudge.wait())
        timeout = max(0.0, self._relist_at - asyncio.get_running_loop().time())
        both: set[asyncio.Future[Any]] = {ended, nudged}
        try:
            await asyncio.wait(both, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nudged.cancel()

    async def _list_again(self) -> None:
        loop = asyncio.get_running_loop()
        self._relist_at = loop.time() + RELIST_SECONDS
        try:
            await self.relist()
        except KubeError as error:
            _log.warning("%s; listing again in %.0f s", _cure(error), LONGEST_BACK_OFF)
            self._relist_at = loop.time() + LONGEST_BACK_OFF

    def _receive(self, type: str | None, body: Object) -> None:
        if type is None:
            # kopf lists: its watch is new, or was broken and may have missed a deletion.
            self._relist_at = min(
                self._relist_at, asyncio.get_running_loop().time() + AFTER_LIST_SECONDS
            )
            self._nudge.set()
        self._take(type, body)

    def _take(self, type: str | None, body: Object) -> None:
        own = body["kind"] == MODEL_DEPLOYMENT.name
        before = self._cache.get(identity_of(body)) if own else None
        keys = self._cache.drop(body) if type == DELETED else self._cache.put(body)
        itself = own and (before is None or _generation(before) != _generation(body))
        for key in keys:
            self._changed(key, itself and key == key_of(body))


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    # After the loop has closed there is nobody left to tell.
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


def _generation(stored: Object) -> int:
    return int(stored["metadata"].get("generation") or 0)


def _cure(error: KubeError) -> str:
    if isinstance(error, NotFound):
        return "the CRD is not installed (headgate crd | kubectl apply -f -)"
    if isinstance(error, Forbidden):
        return f"this account may not list what it has to (see the chart's roles): {error}"
    return str(error)

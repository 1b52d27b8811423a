"""The smoke checks (R4) that run beside the passes: one for each attempt to release a revision."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from headgate.api.status import Release
from headgate.core.observation import SmokeResult
from headgate.kube.smoke import check
from headgate.kube.snapshot import Snapshot
from headgate.runtime.cache import Key

LOOK_AGAIN_SECONDS = 1.0
"""For pods that were ready a moment ago and are not when they are to be asked."""

Attempt = tuple[str, str, bool]
"""A revision, when its release began, and whether it is live already."""

Check = Callable[[Snapshot, str], Awaitable[SmokeResult | None]]

_log = logging.getLogger(__name__)


@dataclass
class _Run:
    attempt: Attempt
    task: asyncio.Task[None] | None = None
    result: SmokeResult | None = None


class SmokeRuns:
    """`requeue(key, seconds)` is called when a result is there. A check that has failed stays
    failed for its attempt."""

    def __init__(self, requeue: Callable[[Key, float], None], check: Check = check) -> None:
        self._requeue = requeue
        self._check = check
        self._runs: dict[Key, _Run] = {}

    def start(self, key: Key, snapshot: Snapshot, release: Release) -> None:
        """Ask the pods of a release, unless they are being asked or have answered."""
        attempt = _attempt(release)
        known = self._runs.get(key)
        if known is not None and known.attempt == attempt:
            return
        self.forget(key)
        run = self._runs[key] = _Run(attempt)
        run.task = asyncio.create_task(
            self._ask(key, run, snapshot), name=f"smoke checks of {key[0]}/{key[1]}"
        )

    def result(self, key: Key, release: Release | None) -> SmokeResult | None:
        """What came of the checks of this attempt; None while there is nothing to be said."""
        run = self._runs.get(key)
        if run is None or release is None or run.attempt != _attempt(release):
            return None
        return run.result

    def forget(self, key: Key) -> None:
        """End the checks of a ModelDeployment and drop their result."""
        run = self._runs.pop(key, None)
        if run is not None and run.task is not None:
            run.task.cancel()

    async def close(self) -> None:
        """End all checks."""
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        for key in list(self._runs):
            self.forget(key)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, key: Key, run: _Run, snapshot: Snapshot) -> None:
        try:
            result = await self._check(snapshot, run.attempt[0])
            run.result = result and replace(result, after_switch=run.attempt[2])
        except Exception as error:
            # A fault of ours must not pass for a model's: it is asked again, and the progress
            # deadline ends it if that never works.
            _log.exception("smoke checks of %s/%s broke", *key, exc_info=error)
        if self._runs.get(key) is not run:
            return
        if run.result is None:
            del self._runs[key]
            self._requeue(key, LOOK_AGAIN_SECONDS)
        else:
            self._requeue(key, 0.0)


def _attempt(release: Release) -> Attempt:
    return release.revision, release.started, release.stage == "Watching"

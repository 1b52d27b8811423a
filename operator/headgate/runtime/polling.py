"""Asks Prometheus about every release under way, once per interval and provider, and nothing while
there is none.

`Reconciler` says which pods are to be asked about; each answer is handed back to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from headgate.api.quantities import parse_duration
from headgate.core.settings import DEFAULT_SCRAPE_INTERVAL
from headgate.judge import Sample
from headgate.kube.snapshot import Snapshot
from headgate.metrics import Providers, Target, target_of
from headgate.runtime.cache import Key
from headgate.runtime.meters import Meters

EARLY_SECONDS = 15.0
"""Between two polls that come early because a hold ends: however many releases there are, they add
less than a third to the polls of a provider that is scraped every five seconds."""

LATE_SECONDS = 0.02
"""A poll that is to see the end of a hold comes so much after it."""

_log = logging.getLogger(__name__)


class Asks(Protocol):
    """`headgate.metrics.Poller`, or what tests put in its place."""

    async def poll(self, targets: list[Target], now: float) -> Mapping[Key, Sample]:
        """One sample for each target."""
        ...


class Polling:
    """The releases under way. `deliver(key, sample)` is called with each answer; `now` is the wall
    clock in epoch seconds. All methods belong to one event loop."""

    def __init__(
        self,
        poller: Asks,
        providers: Providers,
        deliver: Callable[[Key, Sample], None],
        now: Callable[[], float] = time.time,
        meters: Meters | None = None,
    ) -> None:
        self._poller = poller
        self._meters = meters or Meters()
        self._providers = providers
        self._deliver = deliver
        self._now = now
        self._targets: dict[str, dict[Key, Target]] = {}
        self._intervals: dict[Key, float] = {}
        self._rounds: dict[str, asyncio.Task[None]] = {}
        self._holds: dict[Key, float] = {}
        self._earlier = asyncio.Event()

    def __len__(self) -> int:
        return len(self._intervals)

    def follow(self, snapshot: Snapshot, hold_left: float | None = None) -> None:
        """Ask about the pods of a ModelDeployment from now on. `hold_left` is in how many seconds
        its hold could end, if a poll sees that. Raises `Broken`."""
        pods = [str(each["metadata"]["name"]) for each in snapshot.pods]
        target = target_of(snapshot.namespace, snapshot.name, snapshot.spec, pods)
        key = target.key
        others = [name for name in self._targets if name != target.provider]
        for name in others:
            self._targets[name].pop(key, None)
        self._targets.setdefault(target.provider, {})[key] = target
        self._intervals[key] = parse_duration(snapshot.spec.analysis.interval)
        self._holds.pop(key, None)
        if hold_left is not None:
            self._holds[key] = asyncio.get_running_loop().time() + hold_left + LATE_SECONDS
            self._earlier.set()
        running = self._rounds.get(target.provider)
        if running is None or running.done():
            self._rounds[target.provider] = asyncio.create_task(
                self._ask_again_and_again(target.provider), name=f"polls of {target.provider}"
            )

    def leave(self, key: Key) -> None:
        """Ask about a ModelDeployment no more."""
        self._intervals.pop(key, None)
        self._holds.pop(key, None)
        for targets in self._targets.values():
            targets.pop(key, None)

    async def close(self) -> None:
        """End all rounds."""
        tasks = list(self._rounds.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def interval(self, provider: str) -> float:
        """Seconds between two polls of a provider: its scrape interval, or the shortest interval
        that a release under way asks for."""
        asked = (self._intervals[key] for key in self._targets.get(provider, ()))
        return max(1.0, min([self.scrape_interval(provider), *asked]))

    def scrape_interval(self, provider: str) -> float:
        """Seconds between two scrapes of a provider. One that nobody configured has the usual
        one: asking it gives a sample that says so."""
        known = self._providers.get(provider)
        return known.scrape_interval if known is not None else DEFAULT_SCRAPE_INTERVAL

    async def _ask_again_and_again(self, provider: str) -> None:
        clock = asyncio.get_running_loop().time
        due = clock()
        early_from = due
        while targets := list(self._targets.get(provider, {}).values()):
            # Whatever ends by now is seen by this poll; the pass that follows says what is next.
            self._holds = {key: ends for key, ends in self._holds.items() if ends > clock()}
            await self._ask(provider, targets)
            # From the time it was due, so that polls do not drift behind scrapes; but a slow
            # answer makes no second poll follow on its heels.
            least = clock() + 0.5
            regular = max(due + self.interval(provider), least)
            due = await self._until_due(provider, regular, max(least, early_from))
            if due < regular:
                early_from = due + EARLY_SECONDS

    async def _until_due(self, provider: str, regular: float, early_from: float) -> float:
        """Wait for the next poll, which comes early where a hold ends before it; gives the moment
        that it was due."""
        clock = asyncio.get_running_loop().time
        while True:
            self._earlier.clear()
            ends = [
                max(early_from, self._holds[key])
                for key in self._targets.get(provider, ())
                if key in self._holds
            ]
            due = min([regular, *ends])
            if due <= clock():
                return due
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due - clock()):
                    await self._earlier.wait()

    async def _ask(self, provider: str, targets: list[Target]) -> None:
        began = time.monotonic()
        try:
            samples = await self._poller.poll(targets, self._now())
        except Exception as error:
            # A fault in one poll must not end the polls: without them nothing is ever reverted.
            _log.exception("poll of metrics provider %s broke", provider, exc_info=error)
            return
        # What nobody configured is a name that an author may choose.
        known = provider if self._providers.get(provider) is not None else "unconfigured"
        self._meters.polled(known, time.monotonic() - began, list(samples.values()))
        for key, sample in samples.items():
            if key in self._intervals:
                self._deliver(key, sample)

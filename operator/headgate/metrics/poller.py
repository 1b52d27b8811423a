"""One poll for all releases: every provider asked at the same time, none waiting for another.

The runtime calls `Poller.poll` with every release under way and hands each sample to
`headgate.judge`. A provider's questions run in a thread of its own small pool, so one that hangs
delays neither the event loop nor the other providers; it cannot pile up threads either.
"""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from headgate.judge import Sample
from headgate.metrics.providers import Provider, Providers
from headgate.metrics.questions import Answers, ask, outage
from headgate.metrics.subjects import Pod, owner
from headgate.metrics.targets import Key, Target

THREADS = 2
"""Polls of one provider that may be under way at once; a further one is an outage."""

SHOWN_EVERY = 2
"""Polls of which one asks for the p99 that people see; nothing is judged by it."""

CLOCK_STEP = 120.0
"""Seconds; a clock that went back by less is waited for, one that went back by more is followed."""

_GRACE = 1.0


class _Lane:
    """One provider, its threads, and the bucket boundaries and p99 it told of."""

    def __init__(self, name: str, provider: Provider) -> None:
        self._name = name
        self._provider = provider
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"metrics-{name}")
        self._pending: set[Future[Answers]] = set()
        self._layouts: dict[Pod, tuple[float, ...]] = {}
        self._quantiles: dict[Pod, float] = {}
        self._polls = 0

    async def poll(self, targets: list[Target], at: float) -> Mapping[Key, Sample]:
        self._pending = {future for future in self._pending if not future.done()}
        if len(self._pending) >= THREADS:
            busy = f'metrics provider "{self._name}" is still busy with earlier questions'
            return outage(targets, at, busy)
        names = frozenset[Pod]().union(*(target.counted for target in targets))
        layouts = {pod: found for pod, found in self._layouts.items() if owner(pod) in names}
        shown = self._quantiles if self._polls % SHOWN_EVERY else None
        self._polls += 1
        future = self._threads.submit(ask, self._name, self._provider, targets, at, layouts, shown)
        self._pending.add(future)
        waiting = asyncio.wrap_future(future)
        # Looking up a host name is the one thing that the session's deadline does not end.
        done, _ = await asyncio.wait({waiting}, timeout=self._provider.timeout + _GRACE)
        if not done:
            waiting.cancel()
            return outage(targets, at, f'metrics provider "{self._name}" does not answer')
        error = waiting.exception()
        if error is not None:
            # Whatever a provider's answer breaks in here is that provider's outage, not ours.
            return outage(targets, at, f'metrics provider "{self._name}" failed: {error!r}'[:300])
        answers = waiting.result()
        self._layouts = {**layouts, **answers.layouts}
        self._quantiles = answers.quantiles
        return answers.samples

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class Poller:
    """Reads Prometheus for all releases; to be used from one event loop and closed after use."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._lanes: dict[str, _Lane] = {}
        self._last: float | None = None

    async def poll(self, targets: Iterable[Target], now: float) -> dict[Key, Sample]:
        """One sample for each target, by namespace and name; an outage is a sample as well.

        `now` is in seconds since the epoch. All samples are of one evaluation time, which does
        not go back when the clock does by a little.
        """
        at = self._evaluation_time(now)
        by_provider: dict[str, list[Target]] = {}
        for target in targets:
            by_provider.setdefault(target.provider, []).append(target)
        answers = await asyncio.gather(
            *(self._poll_provider(name, of_it, at) for name, of_it in by_provider.items())
        )
        return {key: sample for answer in answers for key, sample in answer.items()}

    def close(self) -> None:
        """Lets the threads end; questions under way end at their deadline."""
        for lane in self._lanes.values():
            lane.close()
        self._lanes = {}

    async def _poll_provider(
        self, name: str, targets: list[Target], at: float
    ) -> Mapping[Key, Sample]:
        provider = self._providers.get(name)
        if provider is None:
            return outage(targets, at, self._providers.unknown(name))
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(name, provider)
        return await lane.poll(targets, at)

    def _evaluation_time(self, now: float) -> float:
        at = now
        if self._last is not None and self._last - CLOCK_STEP < now < self._last:
            at = self._last
        self._last = at
        return at

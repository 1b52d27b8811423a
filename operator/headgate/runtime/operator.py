"""The process: wires the parts, runs until it is told to stop, and stops in order.

On SIGTERM or SIGINT no pass is begun any more; those under way may end, so that a traffic change
is not cut in two where that can be avoided. (Where it cannot, the next process finishes it.)

With a lease, only the process that holds it makes passes, asks Prometheus and writes. The others
watch and keep their caches, and so are ready, too: a rollout of the operator waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from headgate import __version__
from headgate.core.intents import Note
from headgate.kube.api import ApiClient
from headgate.kube.client import KubeClient, NotLeader, Unavailable
from headgate.kube.snapshot import Snapshot
from headgate.metrics import Poller, Providers
from headgate.runtime import logs
from headgate.runtime.cache import Cache, Key
from headgate.runtime.configuration import Configuration
from headgate.runtime.garbage import collect_at_rest
from headgate.runtime.health import health_server
from headgate.runtime.informer import Informer
from headgate.runtime.leader import LEAVE_SECONDS, Leader
from headgate.runtime.meters import Meters
from headgate.runtime.notifying import Notifications
from headgate.runtime.polling import Polling
from headgate.runtime.queue import KeyedQueue
from headgate.runtime.reconcile import Reconciler
from headgate.runtime.smoke_runs import SmokeRuns
from headgate.runtime.turns import Turns
from headgate.runtime.warm_ups import WarmUps
from headgate.runtime.watching import Receive, Watch

SETTLE_SECONDS = 0.02
"""Changes come in bursts (a pod's status, its Deployment's): one pass sees them all."""

DRAIN_SECONDS = 10.0

_log = logging.getLogger(__name__)


def run(configuration: Configuration) -> int:
    """Run the operator; the exit code: 0 stopped as asked, 1 failed, 2 wrong configuration."""
    logs.configure(configuration.log_level, configuration.log_format)
    try:
        providers = configuration.load_providers()
        notifications = configuration.load_notifications()
    except (OSError, ValueError) as error:
        print(f"headgate run: {error}", file=sys.stderr)
        return 2
    try:
        return asyncio.run(_run(configuration, providers, notifications))
    except (Unavailable, OSError) as error:
        print(f"headgate run: {error}", file=sys.stderr)
        return 1


async def _run(
    configuration: Configuration, providers: Providers, notifications: Notifications | None
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with _clients(configuration) as (client, leader):
        operator = Operator(client, configuration, providers, leader, notifications)
        async with health_server(
            configuration.health_port,
            lambda: operator.healthy,
            lambda: operator.ready,
            metrics=operator.meters.text,
        ) as port:
            _log.info("headgate %s started, health on port %d", __version__, port)
            return await operator.run(stop)


@asynccontextmanager
async def _clients(configuration: Configuration) -> AsyncIterator[tuple[ApiClient, Leader | None]]:
    """The client for everything, which writes only while the lease is held, and its holder."""
    async with AsyncExitStack() as stack:
        leader = None
        if configuration.lease is not None:
            namespace, _, name = configuration.lease.partition("/")
            own = await ApiClient.connect(configuration.kubeconfig)
            await stack.enter_async_context(own)
            leader = Leader(own, namespace, name, configuration.timing)
        client = await ApiClient.connect(
            configuration.kubeconfig, before_write=None if leader is None else leader.remaining
        )
        await stack.enter_async_context(client)
        yield client, leader


class Operator:
    """All parts of the process but its command line. Without a `leader` it leads by itself."""

    def __init__(
        self,
        client: KubeClient,
        configuration: Configuration,
        providers: Providers,
        leader: Leader | None = None,
        notifications: Notifications | None = None,
    ) -> None:
        self._leader = leader
        self._notifications = notifications
        self._cache = Cache()
        self.meters = Meters()
        self.meters.leads = lambda: leader is None or leader.leads
        self._poller = Poller(providers)
        self._smoke = SmokeRuns(self._requeue)
        self._warm_ups = WarmUps(self._requeue)
        turns = Turns(configuration.caps, self._cache, self._requeue)
        self._reconciler = Reconciler(
            client,
            self._cache,
            self._requeue,
            self._smoke,
            turns=turns,
            warm_ups=self._warm_ups,
            also_tell=self._tell,
            meters=self.meters,
        )
        self._polling = Polling(
            self._poller, providers, self._reconciler.deliver, meters=self.meters
        )
        self._reconciler.polling = self._polling
        self._queue: KeyedQueue[Key] = KeyedQueue(self._pass)

        def watch(receive: Receive) -> Watch:
            return Watch(configuration.namespaces, configuration.kubeconfig, receive)

        self._informer = Informer(
            client, self._cache, configuration.namespaces, watch, self._changed
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._leadership: asyncio.Task[None] | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing has ended that must not end."""
        return not any(task.done() for task in self._parts)

    @property
    def ready(self) -> bool:
        """Whether all objects are known, so that passes are made, or could be at once."""
        return self._informer.listed.is_set()

    @property
    def _parts(self) -> list[asyncio.Task[None]]:
        return [*self._tasks, *([] if self._leadership is None else [self._leadership])]

    async def run(self, stop: asyncio.Event) -> int:
        """Until `stop` is set, or a part ends that must not; the exit code."""
        self._tasks = [
            asyncio.create_task(self._informer.run(), name="informer"),
            asyncio.create_task(self._passes(), name="passes"),
            asyncio.create_task(collect_at_rest(lambda: self._queue.idle), name="garbage"),
        ]
        if self._notifications is not None:
            told = asyncio.create_task(self._notifications.run(), name="notifications")
            self._tasks.append(told)
        if self._leader is not None:
            self._leadership = asyncio.create_task(self._lead(self._leader), name="leadership")
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({stopped, *self._parts}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopped}:
            if isinstance(task.exception(), NotLeader):
                _log.critical("%s; this process ends, to start clean", task.exception())
            else:
                _log.critical("%s ended: %r", task.get_name(), task.exception())
        _log.info("stopping")
        await self._close()
        return 0 if stopped in done else 1

    async def _lead(self, leader: Leader) -> None:
        # One that cannot read what there is must not keep another one from leading.
        await self._informer.listed.wait()
        await leader.run()

    async def _passes(self) -> None:
        # Before all is listed, what exists would look like missing.
        await self._informer.listed.wait()
        if self._leader is not None:
            await self._leader.elected.wait()
            # What the leader before wrote last may not have reached our watches yet.
            await self._informer.list_all()
        await self._queue.run()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        may_write = self._leader is None or self._leader.leads
        await self._queue.drain(DRAIN_SECONDS if may_write else 0.0)
        await self._smoke.close()
        await self._warm_ups.close()
        await self._polling.close()
        self._poller.close()
        await self._leave()
        if self._notifications is not None:
            await self._notifications.close()

    async def _leave(self) -> None:
        """Only now that nothing is written any more, another process may lead."""
        if self._leader is None or self._leadership is None:
            return
        self._leader.leave()
        await asyncio.wait({self._leadership}, timeout=LEAVE_SECONDS if self.ready else 0.0)
        self._leadership.cancel()
        await asyncio.gather(self._leadership, return_exceptions=True)

    async def _pass(self, key: Key) -> float | None:
        began, failed = time.monotonic(), True
        try:
            again = await self._reconciler.reconcile(key)
            failed = False
        finally:
            self.meters.passed(time.monotonic() - began, failed)
        return again

    def _tell(self, snapshot: Snapshot, note: Note) -> None:
        self.meters.told(snapshot, note)
        if self._notifications is not None:
            self._notifications.tell(snapshot, note)

    def _requeue(self, key: Key, seconds: float) -> None:
        self._queue.add(key, seconds)

    def _changed(self, key: Key, itself: bool) -> None:
        self._queue.add(key, SETTLE_SECONDS, changed=itself)

"""One pass: observe, plan, carry out, write the status, tell.

The pass decides nothing about releases; `headgate.core.plan` does. What is decided here is what a
failed or contradicted request means, and how rarely a status may be written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from headgate.api.quantities import parse_duration
from headgate.core.intents import Note, Plan, RunSmoke, SetTraffic, WarmUp
from headgate.core.observation import Observation
from headgate.core.plan import plan
from headgate.core.settings import DEFAULT_SCRAPE_INTERVAL
from headgate.core.turns import Caps
from headgate.core.weights import NoSplitError
from headgate.judge import Sample
from headgate.kube.client import POD, Conflict, KubeClient, Object
from headgate.kube.observe import Broken, Snapshot, build, read, with_pods
from headgate.render.names import OWNED_BY
from headgate.runtime import recording
from headgate.runtime.cache import Cache, Identity, Key, identity_of
from headgate.runtime.carrying import NamespaceGoing, Outcome, carry_out_each
from headgate.runtime.clocks import Clocks
from headgate.runtime.memory import Memory
from headgate.runtime.meters import Meters
from headgate.runtime.polling import Polling
from headgate.runtime.queue import Quarantine
from headgate.runtime.smoke_runs import SmokeRuns
from headgate.runtime.telling import Telling
from headgate.runtime.turns import Turns
from headgate.runtime.warm_ups import WarmUps
from headgate.runtime.watching import WATCHED

ATTEMPTS = 5
"""Passes made at once when the API server contradicts what a pass was planned from."""

GOING_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Reconciler:
    """The passes of all ModelDeployments. `requeue(key, seconds)` asks for another one; `also_tell`
    hears of everything that becomes an Event."""

    def __init__(
        self,
        client: KubeClient,
        cache: Cache,
        requeue: Callable[[Key, float], None],
        smoke: SmokeRuns,
        clocks: Clocks | None = None,
        turns: Turns | None = None,
        warm_ups: WarmUps | None = None,
        also_tell: Callable[[Snapshot, Note], None] | None = None,
        meters: Meters | None = None,
    ) -> None:
        self._client = client
        self._cache = cache
        self._requeue = requeue
        self._smoke = smoke
        self._warm_ups = warm_ups or WarmUps(requeue)
        self._clocks = clocks or Clocks()
        self._turns = turns or Turns(Caps(), cache, requeue)
        self._meters = meters or Meters()
        self._telling = Telling(client, self._clocks, cache.put, lambda: self._under_way, also_tell)
        self._memories: dict[Key, Memory] = {}
        self.polling: Polling | None = None

    def deliver(self, key: Key, sample: Sample) -> None:
        """Take what Prometheus said, and look at it at once."""
        memory = self._memories.get(key)
        if memory is not None:
            memory.sample = sample
            self._requeue(key, 0.0)

    async def reconcile(self, key: Key) -> float | None:
        """One pass; seconds until the next one, None when only a change calls for it.

        A `Conflict` repeats it at once on what is then read live. Raises `KubeError`s when writes
        failed, and `Quarantine` when nothing can be done before the object changes.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._pass(key, live=attempt > 1)
            except NamespaceGoing:
                _log.info("%s/%s goes with its namespace", *key)
                return GOING_SECONDS
            except Conflict as conflict:
                _log.info("%s/%s has changed, looking again: %s", *key, conflict)
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def forget(self, key: Key) -> None:
        """Drop everything about a ModelDeployment that is gone."""
        self._memories.pop(key, None)
        self._meters.forget(key)
        self._turns.forget(key)
        self._smoke.forget(key)
        self._warm_ups.forget(key)
        self._cache.config_maps.forget(key)
        if self.polling is not None:
            self.polling.leave(key)

    async def _pass(self, key: Key, *, live: bool) -> float | None:
        snapshot = self._cache.snapshot(key)
        if snapshot is not None and (live or self._memory(key, snapshot).conflicted):
            snapshot = await self._read(key)
            self._cache.config_maps.doubt(key)
        if snapshot is None or snapshot.metadata.get("deletionTimestamp"):
            self.forget(key)
            return None
        memory = self._memory(key, snapshot)
        if snapshot.config_maps is None:
            snapshot = await self._cache.config_maps.complete(self._client, snapshot)
        planned = await self._plan(snapshot, memory)
        if not live and not memory.confirmed and _writes(snapshot, planned):
            # The first write of this process. What it knows comes from lists and watches, which
            # may be answered from the past: there a version is still released that was reverted.
            snapshot, live = await self._read(key), True
            if snapshot is None:
                self.forget(key)
                return None
            memory = self._memory(key, snapshot)
            memory.status = None
            planned = await self._plan(snapshot, memory)
        memory.confirmed = memory.confirmed or live
        if any(each.live_read for each in planned.intents) and not live:
            known, snapshot = snapshot, await self._with_live_pods(key, snapshot)
            if snapshot is not known:
                planned = await self._plan(snapshot, memory)
        outcome = await carry_out_each(
            self._client, snapshot, planned.intents, self._cache.put, self._cache.drop
        )
        return await self._conclude(key, outcome.snapshot, memory, planned, outcome)

    def _memory(self, key: Key, snapshot: Snapshot) -> Memory:
        memory = self._memories.get(key)
        if memory is None or memory.uid != snapshot.uid:
            self.forget(key)
            memory = self._memories[key] = Memory(snapshot.uid)
        return memory

    async def _plan(self, snapshot: Snapshot, memory: Memory) -> Plan:
        key = (snapshot.namespace, snapshot.name)
        try:
            status = memory.status or snapshot.status
            smoke = self._smoke.result(key, status.release)
            seen = replace(
                self._seen(snapshot, memory),
                status=status,
                sample=memory.sample,
                smoke=smoke,
                warming=self._warm_ups.found(key, snapshot),
                scrape_interval=self._scrape_interval(snapshot),
                turn=self._turns.turn(key, status, self._clocks.now()),
            )
            planned = plan(seen, self._clocks.now())
            self._turns.note(key, planned.status)
        except (Broken, NoSplitError) as error:
            self._warm_ups.forget(key)
            await self._telling.tell_broken(snapshot, memory, str(error))
            raise Quarantine(str(error)) from error
        except Exception as error:
            # A fault of ours: people shall read of it where they look, not only in our log.
            note = Note("PlanFailed", f"No plan can be made: {error!r}"[:1000], warning=True)
            await self._telling.tell_at_once(snapshot, note)
            _log.exception("%s/%s: no plan can be made", *key, exc_info=error)
            raise
        memory.conflicted = seen.conflict is not None
        return planned

    async def _conclude(
        self, key: Key, snapshot: Snapshot, memory: Memory, planned: Plan, outcome: Outcome
    ) -> float | None:
        if isinstance(outcome.failed, SetTraffic) and outcome.failure is not None:
            # The Service carries the decision. While it does not, nothing may believe in it: the
            # next pass decides again from what is then true.
            await self._telling.tell_not_pinned(snapshot, memory, planned, outcome.failure)
            raise outcome.failure
        memory.not_pinned = None
        before = (memory.status or snapshot.status).release
        self._meters.planned(key, memory.status or snapshot.status, planned.status)
        memory.status = planned.status
        memory.notes.extend(planned.notes)
        for note in planned.notes:
            level = logging.WARNING if note.warning else logging.INFO
            fields = {"namespace": key[0], "model_deployment": key[1], "reason": note.reason}
            _log.log(level, "%s/%s: %s", *key, note.message, extra=fields)
        self._follow(snapshot, planned)
        now = self._clocks.now()
        interval = parse_duration(snapshot.spec.analysis.interval)
        judged = recording.collect(memory, planned.status, memory.sample, interval, now)
        if judged is not None:
            said = (*key, judged["verdict"] or "not judged", judged.get("message", ""))
            analysis = planned.status.analysis
            known = {
                "namespace": key[0],
                "model_deployment": key[1],
                "judgement": judged,
                "query": analysis.query if analysis is not None else "",
            }
            _log.info("%s/%s: %s: %s", *said, extra=known)
        recording.collect_notes(memory, planned.status.release or before, planned.notes, now)
        if outcome.failure is not None:
            memory.notes.append(Note("WriteFailed", outcome.sentence, warning=True))
        waits = [planned.requeue_after, await self._telling.tell(snapshot, memory)]
        waits.append(await self._telling.record(snapshot, memory))
        if outcome.failure is not None:
            raise outcome.failure
        if outcome.written or planned.notes:
            # No event tells of our own writes, so another pass has to see them.
            waits.append(0.0)
        again = memory.calm(min((each for each in waits if each is not None), default=None))
        if again is None:
            memory.rest()
            self._cache.rest(key)
        return again

    def _follow(self, snapshot: Snapshot, planned: Plan) -> None:
        key = (snapshot.namespace, snapshot.name)
        release = planned.status.release
        if release is None:
            self._smoke.forget(key)
        elif any(isinstance(each, RunSmoke) for each in planned.intents):
            self._smoke.start(key, snapshot, release)
        asked = [each.pods for each in planned.intents if isinstance(each, WarmUp)]
        self._warm_ups.follow(key, snapshot, [pod for pods in asked for pod in pods])
        if self.polling is None:
            return
        if planned.polled:
            self.polling.follow(snapshot, planned.hold_left)
        else:
            self.polling.leave(key)

    def _seen(self, snapshot: Snapshot, memory: Memory) -> Observation:
        # Most passes of a release only bring a new sample: comparing every child with what it
        # should be, again for the same objects, would be most of their work.
        if memory.seen is None or memory.seen[0] is not snapshot:
            memory.seen = (snapshot, build(snapshot))
        return memory.seen[1]

    def _scrape_interval(self, snapshot: Snapshot) -> float:
        if self.polling is None:
            return DEFAULT_SCRAPE_INTERVAL
        return self.polling.scrape_interval(snapshot.spec.analysis.provider)

    @property
    def _under_way(self) -> int:
        return len(self.polling) if self.polling is not None else 0

    async def _with_live_pods(self, key: Key, known: Snapshot) -> Snapshot:
        """The snapshot with the pods as they are now: whether traffic may move or a pod may go
        hangs on them. Services and Deployments need no reading, as every write that does so names
        the version it was planned from; a contradiction is answered by `_read`. The very same
        snapshot when it shows them as they are: what was planned from it is then still right, and
        when many releases turn bad at once none waits for plans made twice."""
        before = self._cache.mark({POD.name}, key)
        pods = await self._client.list(POD, key[0], f"{OWNED_BY}={key[1]}")
        if _versions(pods) == _versions(known.pods):
            return known
        self._learn(before, pods)
        live, memory = known.with_pods(pods), self._memory(key, known)
        if memory.seen is not None and memory.seen[0] is known:
            memory.seen = (live, with_pods(memory.seen[1], live))
        return live

    async def _read(self, key: Key) -> Snapshot | None:
        """Everything as it is now, objects of others with our names included."""
        before = self._cache.mark({kind.name for kind in WATCHED}, key)
        snapshot = await read(self._client, *key)
        self._learn(before, [] if snapshot is None else list(_objects(snapshot)))
        return snapshot

    def _learn(self, before: dict[Identity, int | None], found: Sequence[Object]) -> None:
        for each in found:
            self._cache.put(each)
        self._cache.prune(before, {identity_of(each) for each in found})


def _writes(snapshot: Snapshot, planned: Plan) -> bool:
    return bool(planned.intents) or planned.status != snapshot.status


def _versions(objects: Iterable[Object]) -> set[tuple[str, str]]:
    return {(each["metadata"]["uid"], each["metadata"]["resourceVersion"]) for each in objects}


def _objects(snapshot: Snapshot) -> Iterable[Object]:
    yield snapshot.model_deployment
    yield from (*snapshot.deployments, *snapshot.services, *snapshot.pods, *snapshot.revisions)
    yield from snapshot.budgets

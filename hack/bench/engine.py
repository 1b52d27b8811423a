"""What is measured of the release engine, and how.

One release alone, a good one and a bad one; then ever more ModelDeployments at rest, each time
with a fresh process; then some of them under way at the same time, and all of those gone bad.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hack.bench.client import MODELS, Client, until
from hack.bench.control_plane import REPOSITORY
from hack.bench.models import (
    FIVE_STEPS,
    HOLDS,
    LONG,
    PER_NAMESPACE,
    Key,
    change,
    key_of,
    model_deployment,
    namespace,
)
from hack.bench.process import OperatorProcess, Weight, weigh
from hack.bench.proxy import Proxy, Request, count
from hack.bench.world import World
from hack.cluster import progress
from hack.cluster.local import LocalCluster

ALONE: Key = ("alone", "model")
_QUIET_SECONDS = 6.0
_PATIENCE = 240.0
_OWNED = "headgate.dev/model-deployment"


@dataclass(frozen=True)
class Options:
    """How much is measured: numbers of ModelDeployments, how many of them are under way (at
    `busy` of them), and for how many seconds each state is watched. `trees` are the working trees
    whose operators are measured in turn, by a name for them; the last one is also the one that
    brings up what is measured."""

    trees: tuple[tuple[str, Path], ...] = (("", REPOSITORY),)
    models: tuple[int, ...] = (100, 500, 1000)
    busy: int = 500
    under_way: tuple[int, ...] = (1, 50)
    window: float = 120.0


@dataclass(frozen=True)
class Release:
    """One release from the change of the spec to rest; times in seconds, None if it never came."""

    tree: str
    good: bool
    requests: Counter[str]
    first_pod: float | None
    beyond_holds: float | None = None
    sample_to_decision: float | None = None
    decision_to_pinned: float | None = None


@dataclass(frozen=True)
class Window:
    """What the process did in a while; `weight` is that of its end."""

    tree: str
    models: int
    under_way: int
    seconds: float
    requests: Counter[str]
    queries: int
    processor: float
    weight: Weight
    load: float

    def per_minute(self, amount: float) -> float:
        """An amount of this window as one of a minute."""
        return 60 * amount / self.seconds


@dataclass
class Latencies:
    """Seconds, one value for each release of many at the same time. Half of them turn bad one after
    the other, so that a poll finds one or two; `together_to_pinned` is of the other half, which one
    poll finds bad."""

    tree: str
    models: int
    under_way: int
    first_pod: list[float] = field(default_factory=list)
    sample_to_decision: list[float] = field(default_factory=list)
    decision_to_pinned: list[float] = field(default_factory=list)
    together_to_pinned: list[float] = field(default_factory=list)


@dataclass
class Results:
    """Everything that was measured. `starts` are seconds until a process was ready, by tree and
    number of ModelDeployments."""

    releases: list[Release] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    latencies: list[Latencies] = field(default_factory=list)
    starts: dict[tuple[str, int], float] = field(default_factory=dict)


class Seen:
    """What the watches of the benchmark told: the newest status, and first moments."""

    def __init__(self, world: World) -> None:
        self.status: dict[Key, dict[str, Any]] = {}
        self.first_pods: dict[Key, dict[str, float]] = {}
        self._world = world

    def model(self, type: str, body: dict[str, Any]) -> None:
        """An event of a ModelDeployment."""
        self.status[_key(body)] = body.get("status") or {}

    def pod(self, type: str, body: dict[str, Any]) -> None:
        """An event of a pod."""
        labels = body["metadata"].get("labels") or {}
        owner = (str(body["metadata"]["namespace"]), str(labels.get(_OWNED)))
        revision = str(labels.get("headgate.dev/revision"))
        self.first_pods.setdefault(owner, {}).setdefault(revision, time.time())
        self._world.see(type, body)

    def service(self, type: str, body: dict[str, Any]) -> None:
        """An event of a live Service."""
        selector = body["spec"].get("selector") or {}
        self._world.selected[_key(body)] = str(selector.get("headgate.dev/revision") or "")

    def phases(self, keys: Iterable[Key]) -> Counter[str]:
        """How many of these are in each phase."""
        return Counter(str(self.status.get(key, {}).get("phase", "")) for key in keys)

    def revision_since(self, key: Key, moment: float) -> str | None:
        """The revision whose first pod came at that moment or later."""
        pods = self.first_pods.get(key, {})
        return next((each for each, since in pods.items() if since >= moment), None)


class Engine:
    """The benchmark of a cluster; `results` fill up while it runs."""

    def __init__(self, cluster: LocalCluster, options: Options) -> None:
        self.results = Results()
        self._cluster = cluster
        self._options = options
        self._made = 0
        self._versions: Counter[Key] = Counter()

    async def run(self) -> Results:
        """Measure everything, in the order of growing numbers."""
        record = self._cluster.record
        async with AsyncExitStack() as stack:
            self._world = await stack.enter_async_context(World())
            self._proxy = await stack.enter_async_context(Proxy(record))
            self._client = await stack.enter_async_context(Client(record))
            self._seen = Seen(self._world)
            await self._client.watch(f"{MODELS}/modeldeployments", self._seen.model)
            await self._client.watch("/api/v1/pods", self._seen.pod, _OWNED)
            live = "headgate.dev/role=live"
            await self._client.watch("/api/v1/services", self._seen.service, live)
            await self._alone()
            for models in self._options.models:
                await self._at(models)
        return self.results

    def _operator(self, tree: Path) -> OperatorProcess:
        return OperatorProcess(self._cluster, self._proxy, self._world, tree)

    async def _alone(self) -> None:
        await self._client.create("/api/v1/namespaces", namespace(ALONE[0]))
        for name, tree in self._options.trees:
            async with self._operator(tree) as operator:
                if ALONE not in self._seen.status:
                    await self._create([ALONE], 5, FIVE_STEPS)
                await self._quiet()
                with progress.step(f"{name} at rest: 1 ModelDeployment"):
                    self.results.windows.append(await self._window(name, operator, 1, 0))
                for good in (True, False):
                    with progress.step(f"{name} a {'good' if good else 'bad'} release"):
                        self.results.releases.append(await self._release(name, good))

    async def _at(self, models: int) -> None:
        with progress.step(f"making {models} ModelDeployments"):
            async with self._operator(self._options.trees[-1][1]):
                await self._grow(models)
                await self._quiet()
        for name, tree in self._options.trees:
            async with self._operator(tree) as operator:
                self.results.starts[name, models] = operator.started
                await self._quiet()
                with progress.step(f"{name} at rest: {models} ModelDeployments"):
                    self.results.windows.append(await self._window(name, operator, models, 0))
                if models != self._options.busy:
                    continue
                for under_way in self._options.under_way:
                    with progress.step(f"{name} {under_way} releases under way of {models}"):
                        await self._busy(name, operator, models, under_way)

    async def _grow(self, models: int) -> None:
        numbers = range(self._made, models)
        places = sorted({key_of(each)[0] for each in numbers if each % PER_NAMESPACE == 0})
        await asyncio.gather(
            *(self._client.create("/api/v1/namespaces", namespace(each)) for each in places)
        )
        await self._create([key_of(each) for each in numbers], 1, LONG)
        self._made = models

    async def _create(self, keys: Sequence[Key], replicas: int, strategy: dict[str, Any]) -> None:
        for key in keys:
            body = model_deployment(key, self._world.port, replicas, strategy)
            await self._client.create(_path(key[0]), body)
        await until(
            lambda: self._seen.phases(keys)["Stable"] == len(keys),
            _PATIENCE + 2 * len(keys),
            f"not all are Stable: {self._seen.phases(keys)}",
        )

    async def _ask_for_another(self, key: Key) -> float:
        self._versions[key] += 1
        changed = time.time()
        await self._client.merge(f"{_path(key[0])}/{key[1]}", change(f"2.0.{self._versions[key]}"))
        return changed

    async def _quiet(self) -> None:
        """Until the operator has asked for nothing but watches for a while."""

        def quiet() -> bool:
            others = (each for each in reversed(self._proxy.requests) if each.verb != "watch")
            last = next(others, None)
            return last is None or time.time() - last.began > _QUIET_SECONDS

        await until(quiet, _PATIENCE, "the operator does not come to rest")

    async def _window(
        self, tree: str, operator: OperatorProcess, models: int, under_way: int
    ) -> Window:
        began, before = time.time(), weigh(operator.pid)
        await asyncio.sleep(self._options.window)
        seconds, after = time.time() - began, weigh(operator.pid)
        return Window(
            tree=tree,
            models=models,
            under_way=under_way,
            seconds=seconds,
            requests=count(self._proxy.since(began)),
            queries=sum(each.at >= began for each in self._world.answers),
            processor=(after.seconds - before.seconds) / seconds,
            weight=after,
            load=os.getloadavg()[0],
        )

    async def _release(self, tree: str, good: bool) -> Release:
        changed = await self._ask_for_another(ALONE)
        revision = await self._candidate(ALONE, changed)
        if not good:
            self._world.fail(ALONE, revision)
        outcome = "Stable" if good else "Reverted"

        def ended() -> bool:
            last = (self._seen.status[ALONE].get("releases") or [{}])[-1]
            over = self._seen.phases([ALONE])[outcome] == 1
            return over and last.get("revision") == revision

        await until(ended, _PATIENCE, f"not {outcome}: {self._seen.status[ALONE].get('message')}")
        await self._quiet()
        made = self._proxy.since(changed)
        pods = self._seen.first_pods[ALONE][revision] - changed
        if good:
            promoted = _pin(made, ALONE, revision)
            beyond = None if promoted is None else promoted.ended - changed - HOLDS
            return Release(tree, good, count(made), pods, beyond_holds=beyond)
        decided, pinned = self._reverted(ALONE, changed)
        return Release(tree, good, count(made), pods, None, decided, pinned)

    async def _busy(
        self, tree: str, operator: OperatorProcess, models: int, under_way: int
    ) -> None:
        found = Latencies(tree, models, under_way)
        self.results.latencies.append(found)
        keys = [key_of(each * models // under_way) for each in range(under_way)]
        changed = {}
        for key in keys:
            changed[key] = await self._ask_for_another(key)
            await asyncio.sleep(0.2)
        await until(
            lambda: self._seen.phases(keys)["Progressing"] == len(keys), _PATIENCE, "no release"
        )
        revisions = {key: await self._candidate(key, changed[key]) for key in keys}
        found.first_pod = [
            self._seen.first_pods[key][revisions[key]] - changed[key] for key in keys
        ]
        # Until the first minute's burst of verdicts and statuses is over.
        await asyncio.sleep(30)
        self.results.windows.append(await self._window(tree, operator, models, under_way))
        apart, together = keys[: (len(keys) + 1) // 2], keys[(len(keys) + 1) // 2 :]
        for key in apart:
            found.decision_to_pinned += await self._turn_bad(found, {key: revisions[key]})
        if together:
            bad = {key: revisions[key] for key in together}
            found.together_to_pinned += await self._turn_bad(found, bad)
        await self._quiet()

    async def _turn_bad(self, found: Latencies, bad: Mapping[Key, str]) -> list[float]:
        """Let candidates fail from now on; what the pins of their Services took, in seconds."""
        turned = time.time()
        for key, revision in bad.items():
            self._world.fail(key, revision)
        await until(
            lambda: self._seen.phases(bad)["Reverted"] == len(bad), _PATIENCE, "not reverted"
        )
        pins = []
        for key in bad:
            decided, pinned = self._reverted(key, turned)
            found.sample_to_decision += [] if decided is None else [decided]
            pins += [] if pinned is None else [pinned]
        return pins

    async def _candidate(self, key: Key, changed: float) -> str:
        await until(
            lambda: self._seen.revision_since(key, changed) is not None, _PATIENCE, "no new pod"
        )
        return str(self._seen.revision_since(key, changed))

    def _reverted(self, key: Key, moment: float) -> tuple[float | None, float | None]:
        """Seconds from the first bad sample to the answer of Prometheus that was decided upon,
        and from there to the write of the live Service being answered."""
        bad = self._world.failing[key]
        made = self._proxy.since(max(moment, self._world.first_bad.get(key, moment)))
        pin = next((each for each in _pins(made, key) if each.pinned not in ("", bad)), None)
        if pin is None or key not in self._world.first_bad:
            return None, None
        told = max(
            each.at for each in self._world.answers if each.counters and each.at <= pin.began
        )
        return told - self._world.first_bad[key], pin.ended - told


def _key(body: dict[str, Any]) -> Key:
    return str(body["metadata"]["namespace"]), str(body["metadata"]["name"])


def _path(place: str) -> str:
    return f"{MODELS}/namespaces/{place}/modeldeployments"


def _pins(made: Iterable[Request], key: Key) -> list[Request]:
    return [
        each
        for each in made
        if each.pinned is not None and (each.namespace, each.name) == key and each.status < 300
    ]


def _pin(made: Iterable[Request], key: Key, revision: str) -> Request | None:
    return next((each for each in _pins(made, key) if each.pinned == revision), None)

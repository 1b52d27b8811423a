"""The warm-ups that run beside the passes: one for each pod that the planner wants warm.

What comes of them is seen by the next pass (`found`); nothing here decides or writes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from headgate.api.smoke import WarmUp
from headgate.core.observation import Warming
from headgate.kube.client import Object
from headgate.kube.pods import read_pod
from headgate.kube.smoke import Target, target_of
from headgate.kube.snapshot import Snapshot, revision_label
from headgate.kube.warming import requests_of, warm_up
from headgate.runtime.cache import Key
from headgate.runtime.smoke_runs import LOOK_AGAIN_SECONDS

AT_A_TIME = 8
"""Pods of one ModelDeployment that are asked side by side; the others wait for their turn."""

TELL_SECONDS = 5.0
"""How often a pass is asked for because of what a pod that is not warm yet has answered."""

Ask = Callable[[Target, WarmUp, Callable[[str], None]], Awaitable[Warming]]

_log = logging.getLogger(__name__)


@dataclass
class _Run:
    """The warm-up of one pod, told from another of its name by its uid."""

    uid: str
    target: Target
    wanted: WarmUp
    warming: Warming = field(default_factory=Warming)
    task: asyncio.Task[None] | None = None


@dataclass
class _Runs:
    """Those of one ModelDeployment, by the names of its pods."""

    by_pod: dict[str, _Run] = field(default_factory=dict)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_A_TIME))


class WarmUps:
    """`requeue(key, seconds)` is called when something is there to be seen."""

    def __init__(self, requeue: Callable[[Key, float], None], ask: Ask = warm_up) -> None:
        self._requeue = requeue
        self._ask = ask
        self._runs: dict[Key, _Runs] = {}

    def found(self, key: Key, snapshot: Snapshot) -> dict[str, Warming]:
        """How the warm-ups of the pods in a snapshot go, by name."""
        runs = self._runs.get(key)
        if runs is None:
            return {}
        uids = {str(each["metadata"]["name"]): each["metadata"]["uid"] for each in snapshot.pods}
        return {name: run.warming for name, run in runs.by_pod.items() if uids.get(name) == run.uid}

    def follow(self, key: Key, snapshot: Snapshot, asked: Collection[str]) -> None:
        """Begin the warm-ups of `asked`, and end those of pods that are gone, elsewhere, warm or
        to be asked something else by now."""
        if not asked and key not in self._runs:
            return
        runs = self._runs.setdefault(key, _Runs())
        pods = {str(each["metadata"]["name"]): each for each in snapshot.pods}
        for name, run in list(runs.by_pod.items()):
            if not _still(run, snapshot, pods.get(name)):
                _end(runs, name)
        for name in asked:
            self._begin(key, runs, snapshot, pods.get(name))
        if not runs.by_pod:
            del self._runs[key]

    def forget(self, key: Key) -> None:
        """End all warm-ups of a ModelDeployment."""
        runs = self._runs.pop(key, None)
        for name in list(runs.by_pod) if runs is not None else []:
            assert runs is not None
            _end(runs, name)

    async def close(self) -> None:
        """End all warm-ups."""
        every = [run for runs in self._runs.values() for run in runs.by_pod.values()]
        for key in list(self._runs):
            self.forget(key)
        await asyncio.gather(
            *(run.task for run in every if run.task is not None), return_exceptions=True
        )

    def _begin(self, key: Key, runs: _Runs, snapshot: Snapshot, pod: Object | None) -> None:
        if pod is None:
            return
        name, uid = str(pod["metadata"]["name"]), str(pod["metadata"]["uid"])
        known = runs.by_pod.get(name)
        target, wanted = target_of(snapshot, pod), requests_of(snapshot, revision_label(pod))
        if target is None or wanted is None or (known and known.warming.warm is None):
            return
        run = runs.by_pod[name] = _Run(uid, target, wanted)
        run.task = asyncio.create_task(
            self._warm_up(key, runs, run), name=f"warm-up of {key[0]}/{name}"
        )

    async def _warm_up(self, key: Key, runs: _Runs, run: _Run) -> None:
        def tell(sentence: str) -> None:
            first, run.warming = not run.warming.sentence, Warming(None, sentence)
            self._requeue(key, 0.0 if first else TELL_SECONDS)

        try:
            async with runs.slots:
                run.warming = await self._ask(run.target, run.wanted, tell)
            self._requeue(key, 0.0)
        except Exception as error:
            # A fault of ours must not pass for a model's: the pod is asked again, and the
            # progress deadline ends it if that never works.
            _log.exception("warm-up of %s/%s broke", key[0], run.target.pod, exc_info=error)
            if runs.by_pod.get(run.target.pod) is run:
                del runs.by_pod[run.target.pod]
            self._requeue(key, LOOK_AGAIN_SECONDS)


def _still(run: _Run, snapshot: Snapshot, pod: Object | None) -> bool:
    """Whether a warm-up is about a pod that is there as it was, and not yet warm."""
    if pod is None or pod["metadata"]["uid"] != run.uid:
        return False
    seen = read_pod(pod)
    if seen.terminating or seen.gate is None or seen.gate.warm:
        return False
    wanted = requests_of(snapshot, revision_label(pod))
    return target_of(snapshot, pod) == run.target and wanted == run.wanted


def _end(runs: _Runs, name: str) -> None:
    run = runs.by_pod.pop(name)
    if run.task is not None:
        run.task.cancel()

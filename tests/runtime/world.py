"""A reconciler over the fake API server, with time in the test's hands."""

import asyncio
from typing import Any

from headgate.api.spec import ModelDeploymentSpec
from headgate.core.observation import SmokeResult
from headgate.core.revision import revision_of
from headgate.core.turns import Caps
from headgate.kube.client import Object
from headgate.kube.snapshot import Snapshot
from headgate.runtime.cache import Cache, Key
from headgate.runtime.clocks import Clocks
from headgate.runtime.meters import Meters
from headgate.runtime.reconcile import Reconciler
from headgate.runtime.smoke_runs import SmokeRuns
from headgate.runtime.turns import Turns
from headgate.runtime.warm_ups import WarmUps
from tests.runtime.fakes import FakeServer, model_deployment, pod

FRAUD: Key = ("risk", "fraud")
NO_CAPS = Caps()
SPEC: dict[str, Any] = {"watch": {"duration": "0s"}}


def revision(body: Object) -> str:
    """The revision that a ModelDeployment asks for."""
    return revision_of(ModelDeploymentSpec.model_validate(body["spec"]))


class World:
    """`now` is both clocks, in seconds. `requeued` are the keys that were asked for again,
    `woken` those whose turn may have come."""

    def __init__(self, caps: Caps = NO_CAPS) -> None:
        self.caps = caps
        self.server = FakeServer()
        self.now = 1_000_000.0
        self.requeued: list[Key] = []
        self.woken: list[Key] = []
        self.meters = Meters()
        self.start()

    def start(self, warm_ups: WarmUps | None = None) -> None:
        """A new process: nothing is remembered, everything is listed."""
        self.cache = Cache()
        self.smoke = SmokeRuns(self._requeue, self._check)
        clocks = Clocks(lambda: self.now, lambda: self.now)
        turns = Turns(self.caps, self.cache, lambda key, _: self.woken.append(key))
        self.reconciler = Reconciler(
            self.server,
            self.cache,
            self._requeue,
            self.smoke,
            clocks,
            turns,
            warm_ups,
            meters=self.meters,
        )
        self.sync()

    def apply(self, version: str = "1", name: str = "fraud", **spec: Any) -> str:
        """What the author does; gives the revision."""
        body = model_deployment(name, version, **{**SPEC, **spec})
        self.server.put(body)
        self.sync()
        return revision(body)

    def break_it(self, name: str = "fraud") -> None:
        """A spec that got past admission and that nobody can read."""
        self.server.put(model_deployment(name, **SPEC, strategy={"type": "Sideways"}))
        self.sync()

    def sync(self) -> None:
        """Everything the watches would tell."""
        for body in self.server.objects.values():
            self.cache.put(body)

    def play_controllers(self) -> None:
        """Every Deployment has its pods, all of them ready, and no others."""
        wanted = {}
        for each in self.server.of_kind("Deployment"):
            labels = each["metadata"].get("labels") or {}
            owner = labels.get("headgate.dev/model-deployment")
            if owner is None:
                continue
            for number in range(each["spec"]["replicas"]):
                body = pod(owner, labels["headgate.dev/revision"], number)
                gates = each["spec"]["template"]["spec"].get("readinessGates")
                if gates:
                    body["spec"]["readinessGates"] = gates
                    body["status"]["conditions"] = [{"type": "ContainersReady", "status": "True"}]
                wanted[body["metadata"]["name"]] = body
        found = {each["metadata"]["name"] for each in self.server.of_kind("Pod")}
        for name in wanted.keys() - found:
            self.server.put(wanted[name])
        for name in found - wanted.keys():
            self.cache.drop(self.server.remove("Pod", name))
        self.sync()

    async def settle(self, key: Key = FRAUD, passes: int = 40) -> float | None:
        """Passes until one wants nothing at once; what the last one returned."""
        again: float | None = 0.0
        for _ in range(passes):
            self.requeued.clear()
            again = await self.reconciler.reconcile(key)
            await asyncio.sleep(0)
            self.sync()
            if again is None or again > 0:
                return again
        raise AssertionError(f"still busy after {passes} passes")

    async def serve(self, version: str = "1", **spec: Any) -> str:
        """A first version that is live and at rest."""
        found = self.apply(version, **spec)
        await self.until("Stable")
        return found

    async def until(self, phase: str, name: str = "fraud", rounds: int = 60) -> None:
        """Passes, pods and time until a status has a phase."""
        for _ in range(rounds):
            await self.settle(("risk", name))
            self.play_controllers()
            if self.server.status(name).get("phase") == phase:
                return
            self.now += 5.0
        raise AssertionError(f"{self.server.status(name)}")

    def _requeue(self, key: Key, seconds: float) -> None:
        self.requeued.append(key)

    async def _check(self, snapshot: Snapshot, revision: str) -> SmokeResult | None:
        return SmokeResult(revision, True, "GET /health answered 200")

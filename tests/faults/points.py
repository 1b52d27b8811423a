"""One release of one story, disturbed at one point, and what it came to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from headgate.core.observation import NO_DEPLOYMENT
from headgate.kube.client import (
    CONTROLLER_REVISION,
    DEPLOYMENT,
    MODEL_DEPLOYMENT,
    POD,
    SERVICE,
    Object,
)
from headgate.render.names import REVISION
from headgate.render.revision import ONCE_STABLE, REJECTED
from headgate.render.service import DECISIONS
from tests.faults.answers import Fault, FaultyApi
from tests.faults.arena import Arena
from tests.faults.history import SharedWatch
from tests.faults.invariants import is_ready, violations
from tests.faults.killing import Kill, Process
from tests.faults.stories import FIRST, NAME, REPLICAS, Act, Story, found, manifest, revision

AT_REST = ("Stable", "Reverted")
LONGEST_SECONDS = 300.0
QUIET_SECONDS = 1.5
TELLING = ("Event", "ConfigMap", "ModelDeployment")
MOST_TELLING = 8
"""What may be written, and how often, after the status that says that all is done."""

RESTART_SECONDS = 0.05
LOOK_SECONDS = 0.25


@dataclass
class Ending:
    """`state` is what is left, with versions in the place of hashes; `wrong` says what was not
    right on the way; `reached` whether the point that was to be disturbed was there at all."""

    state: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    reached: bool = True


class AnyProcess(Protocol):
    """An operator in this process, or one of its own."""

    client: Any

    @property
    def runs(self) -> bool:
        """Whether it has not ended by itself."""
        ...

    async def kill(self) -> None:
        """End it as SIGKILL does."""
        ...


class Unrest(Exception):  # noqa: N818 - what the operator is in
    """The operator is done, and yet it writes."""


class Noticed(Exception):  # noqa: N818 - what the checks have
    """What was sought was not right, and whoever runs the story need not see its end."""


class Point:
    """Runs a story in a namespace of its own; one that is `sought` ends once it is noticed."""

    def __init__(
        self,
        arena: Arena,
        story: Story,
        kill: Kill | Fault | None = None,
        longest: float = LONGEST_SECONDS,
        *,
        sought: str = "",
    ) -> None:
        self.arena = arena
        self.story = story
        self.kill = kill if isinstance(kill, Kill) else None
        self.fault = kill if isinstance(kill, Fault) else None
        self.api: FaultyApi | None = None
        self.longest = longest
        self.sought = sought
        self.looked = 0.0
        self.names: dict[str, str] = {}
        self.namespace = ""
        self.process: AnyProcess | None = None
        self.died = False

    async def run(self, quiet: float = QUIET_SECONDS) -> Ending:
        """The whole story; never raises for what the operator does."""
        self.namespace = await self.arena.namespace()
        ending = Ending()
        try:
            async with asyncio.timeout(self.longest):
                await self._tell(ending, quiet)
        except Noticed:
            pass
        except TimeoutError:
            ending.wrong.append(f"did not come to rest: {self._status().get('message')}")
        except Unrest as unrest:
            ending.wrong.append(str(unrest))
        finally:
            if self.process is not None:
                self.died = not self.process.runs
                await self.process.kill()
            if self.api is not None:
                await self.api.close()
        ending.state = self.state()
        ending.wrong += self._violations()
        await self.arena.clear(self.namespace)
        return ending

    def _violations(self) -> list[str]:
        return violations(
            self.arena.history.of(self.namespace), self.names, self._checked(), self._given_up()
        )

    async def _pause(self) -> None:
        """Between two looks at what a story waits for."""
        await asyncio.sleep(0.02)
        now = asyncio.get_running_loop().time()
        if self.sought and now >= self.looked + LOOK_SECONDS:
            self.looked = now
            if any(self.sought in each for each in self._violations()):
                raise Noticed

    async def _tell(self, ending: Ending, quiet: float) -> None:
        self.api = await FaultyApi.connect(self.arena.kubeconfig, timeout=30.0)
        await self.start()
        if self.story.adopted:
            for body in found(self.namespace):
                await self.arena.client.create(body)
            await self.until(self._all_found)
        else:
            await self._apply(FIRST)
            await self.until(self.rests)
            await self._until_quiet(0.3)
        assert self.process is not None
        armed = self.process.client
        armed.arm(self.kill)
        self.api.arm(self.fault)
        watcher = asyncio.create_task(self._restart_when_killed(armed))
        try:
            for act in self.story.acts:
                await self.act(act)
            await self.until(self.rests)
            await self._until_quiet(quiet)
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        ending.writes = list(armed.log)
        ending.requests = list(self.api.requests)
        ending.reached = self.kill is None or armed.killed.is_set()
        if self.fault is not None:
            ending.reached = self.fault.request <= len(ending.requests)

    async def act(self, act: Act) -> None:
        """What a person does."""
        if not self.story.adopted:
            await self.until(self.rests if act.when == "rest" else self.under_way)
        await self._apply(act.version, act.action)

    async def _restart_when_killed(self, armed: Any) -> None:
        await armed.killed.wait()
        assert self.process is not None
        await self.process.kill()
        await asyncio.sleep(RESTART_SECONDS)
        await self.start()

    async def start(self) -> None:
        """Start a process of the operator, in the place of the one that was killed."""
        assert self.api is not None
        process = self.make(self.api)
        self.process = process
        process.start()

    def make(self, api: FaultyApi, watch: type[SharedWatch] = SharedWatch) -> Process:
        """An operator that speaks to the API server by `api` and hears of changes by `watch`."""
        return Process(api, self.namespace, self.arena.world.providers, watch)

    async def _apply(self, version: str, action: str = "") -> None:
        port = self.arena.world.port
        adopt = self.story.adopted
        body = manifest(self.story.strategy, version, self.namespace, port, action, adopt=adopt)
        self.names[revision(body)] = version
        applied = await self.arena.client.apply(body)
        generation = applied["metadata"]["generation"]
        await self.until(lambda: self._generation() >= generation)

    def _generation(self) -> int:
        stored = self._stored(MODEL_DEPLOYMENT.name, NAME)
        return 0 if stored is None else int(stored["metadata"]["generation"])

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that the history tells."""
        while not holds():
            await self._pause()

    async def _until_quiet(self, seconds: float) -> None:
        """Until it has been at rest without a write for so long. Raises `Unrest` when it writes
        on and on although there is nothing left to do."""
        clock = asyncio.get_running_loop().time
        since, written = clock(), 0
        watched: AnyProcess | None = None
        while clock() < since + seconds:
            process = self.process
            assert process is not None
            if not self.rests() or process is not watched:
                # Killed at one of the last writes, it takes a whole new look.
                since, watched = clock(), process
                written = len(process.client.log)
            late = process.client.log[written:]
            since = max(since, process.client.newest)
            if len(late) > MOST_TELLING or not all(map(self._may_be_late, late)):
                raise Unrest(f"writes at rest: {'; '.join(late)}")
            await self._pause()

    def _may_be_late(self, write: str) -> bool:
        """Taking away what is not needed any more, and was refused, is tried again after a pause;
        the status tells of the release's end meanwhile."""
        verb, kind = write.split()[:2]
        return kind in TELLING or (self.fault is not None and verb == "delete")

    def _stored(self, kind: str, name: str) -> Object | None:
        return self.arena.history.now.get((kind, self.namespace, name))

    def _version(self) -> str:
        stored = self._stored(MODEL_DEPLOYMENT.name, NAME)
        return "" if stored is None else str(stored["spec"]["model"]["version"])

    def _status(self) -> Any:
        stored = self._stored(MODEL_DEPLOYMENT.name, NAME)
        return {} if stored is None else stored.get("status") or {}

    def rests(self) -> bool:
        """Whether the status says that all is done that the spec asks for."""
        stored = self._stored(MODEL_DEPLOYMENT.name, NAME)
        if stored is None:
            return False
        status = self._status()
        return (
            status.get("observedGeneration") == stored["metadata"]["generation"]
            and status.get("phase") in AT_REST
            and status.get("release") is None
            and not self._is_to_go()
        )

    def _is_to_go(self) -> bool:
        """Whether the Service still says that an adopted Deployment is to be deleted."""
        live = self._stored(SERVICE.name, NAME)
        marks: Any = {} if live is None else live["metadata"].get("annotations") or {}
        return bool(marks.get(DECISIONS["adopted"], NO_DEPLOYMENT) != NO_DEPLOYMENT)

    def _all_found(self) -> bool:
        """Whether all that is to be adopted is there and ready."""
        pods = self.arena.history.existing(self.namespace, POD.name)
        return self._stored(SERVICE.name, NAME) is not None and (
            sum(map(is_ready, pods)) == REPLICAS
        )

    def under_way(self) -> bool:
        """Whether the status tells of the candidate, and traffic is shared where the strategy does
        that. A person acts on what the status tells: a release given up before any status told of
        it leaves no record."""
        release = self._status().get("release") or {}
        if release.get("version") != self._version():
            return False
        live = self._stored(SERVICE.name, NAME)
        if self.story.strategy == "BlueGreen" or live is None:
            return True
        return release.get("stage") == "Stepping" and REVISION not in live["spec"]["selector"]

    def _checked(self) -> dict[str, int]:
        return {
            code: number
            for (namespace, version), number in self.arena.world.checked.items()
            for code, name in self.names.items()
            if namespace == self.namespace and name == version
        }

    def _given_up(self) -> dict[str, int]:
        given_up = self.arena.given_up.items()
        return {code: number for (place, code), number in given_up if place == self.namespace}

    def state(self) -> dict[str, Any]:
        """What is left, comparable between runs."""
        name = self._name
        status, existing = self._status(), self.arena.history.existing
        live = self._stored(SERVICE.name, NAME)
        annotations = {} if live is None else live["metadata"].get("annotations") or {}
        rejected = status.get("rejected") or {}
        return {
            "phase": status.get("phase"),
            "stable": (status.get("stable") or {}).get("version"),
            "rejected": [rejected.get("version"), _weight(rejected, "reason")],
            "releases": [
                [each["version"], each["outcome"], _weight(each, "outcome")]
                for each in status.get("releases", ())
            ],
            "conditions": {
                each["type"]: [each["status"], each["reason"]]
                for each in status.get("conditions", ())
            },
            "services": {
                each["metadata"]["name"]: name(each["spec"]["selector"].get(REVISION))
                for each in existing(self.namespace, SERVICE.name)
            },
            "decisions": {
                key: name(annotations.get(DECISIONS[key]))
                for key in ("stable", "previous", "rejected", "adopted")
            },
            "deployments": {
                name(each["metadata"]["labels"].get(REVISION)): each["spec"]["replicas"]
                for each in existing(self.namespace, DEPLOYMENT.name)
            },
            "pods": sorted(
                name(each["metadata"]["labels"].get(REVISION))
                for each in existing(self.namespace, POD.name)
            ),
            "revisions": {
                name(each["metadata"]["labels"][REVISION]): [
                    each["revision"],
                    (each["metadata"].get("annotations") or {}).get(ONCE_STABLE),
                    (each["metadata"].get("annotations") or {}).get(REJECTED),
                ]
                for each in existing(self.namespace, CONTROLLER_REVISION.name)
            },
        }

    def _name(self, code: str | None) -> str:
        return "everything" if code is None else self.names.get(code, code)


def _weight(record: dict[str, Any], why: str) -> object:
    """The weight at which a version was given up. Where that was asked from outside, the step
    before is over or not by then, so only whether it had live traffic is comparable."""
    weight = record.get("weight")
    asked = record.get(why) in ("Superseded", "Aborted")
    return "some" if asked and weight else weight

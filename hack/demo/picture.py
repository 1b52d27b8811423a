"""What is known of the cluster at each moment, and what was said of it so far.

Threads of `watching` put objects in, `releasing` waits for what it needs, the views read. The times
at which the live Services changed are kept here: they are the demonstration's own clock for how
soon traffic was pinned.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from hack.demo.findings import Pinning
from headgate.api.status import Decision, Status

Object = Mapping[str, Any]
T = TypeVar("T")
_REVISION = "headgate.dev/revision"
_OWNER = "headgate.dev/model-deployment"


class NotSeenError(Exception):
    """A wait ran out; the message says for what, and how things stood."""


@dataclass(frozen=True)
class Said:
    """One sentence about a story, or about the demonstration itself (`story` is empty)."""

    at: float
    story: str
    sentence: str


class Picture:
    """Thread-safe; every method takes the lock by itself."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._objects: dict[str, dict[str, Object]] = {}
        self._pinnings: dict[str, list[Pinning]] = {}
        self._said: list[Said] = []
        self._told: set[tuple[str, str, str]] = set()
        self._ended = False

    def put(self, kind: str, content: Object, at: float) -> None:
        """Take over an object of kind `modeldeployments`, `services` or `pods`, seen at a time."""
        name = content["metadata"]["name"]
        with self._changed:
            self._objects.setdefault(kind, {})[name] = content
            if kind == "services":
                self._note_selector(name, content, at)
            if kind == "modeldeployments":
                self._note_decisions(name, content, at)
            self._changed.notify_all()

    def drop(self, kind: str, name: str | None = None) -> None:
        """Forget an object that was deleted, or all of a kind before they are listed anew."""
        with self._changed:
            if name is None:
                self._objects[kind] = {}
            else:
                self._objects.get(kind, {}).pop(name, None)
            self._changed.notify_all()

    def say(self, story: str, sentence: str) -> None:
        """Add a sentence of the demonstration itself."""
        with self._changed:
            self._said.append(Said(time.time(), story, sentence))

    def said(self, since: int = 0) -> list[Said]:
        """All sentences from number `since` on."""
        with self._changed:
            return self._said[since:]

    def status(self, name: str) -> Status:
        """The status of a ModelDeployment; an empty one if there is none yet."""
        return status_of(self.get("modeldeployments", name))

    def get(self, kind: str, name: str) -> Object | None:
        """An object as it was seen last."""
        with self._changed:
            return self._objects.get(kind, {}).get(name)

    def pods(self, name: str) -> list[Object]:
        """The pods of a ModelDeployment, the older ones first."""
        with self._changed:
            pods = [
                pod
                for pod in self._objects.get("pods", {}).values()
                if pod["metadata"].get("labels", {}).get(_OWNER) == name
            ]
        return sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def pinnings(self, name: str) -> list[Pinning]:
        """How the selector of a live Service changed."""
        with self._changed:
            return list(self._pinnings.get(name, ()))

    def wait_for(
        self, what: str, look: Callable[[], T | None], timeout: float, name: str = ""
    ) -> T:
        """Wait until `look` finds something, and give that.

        Raises NotSeenError after `timeout` seconds, with the status of the ModelDeployment `name`.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._changed:
                found = look()
                if found is not None:
                    return found
                left = deadline - time.monotonic()
                if left > 0 and not self._ended:
                    self._changed.wait(min(left, 1.0))
                    continue
            how = f"; it says: {self.status(name).message}" if name else ""
            raise NotSeenError(f"{what} was not seen within {timeout:.0f} s{how}")

    def pause(self, seconds: float) -> None:
        """Let time pass, unless the picture ends."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self._ended and time.monotonic() < deadline:
                self._changed.wait(deadline - time.monotonic())

    def end(self) -> None:
        """Let every wait end: nobody is interested any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _note_selector(self, name: str, service: Object, at: float) -> None:
        revision = service["spec"].get("selector", {}).get(_REVISION)
        history = self._pinnings.setdefault(name, [])
        if not history or history[-1].revision != revision:
            history.append(Pinning(at, revision))

    def _note_decisions(self, name: str, content: Object, at: float) -> None:
        for decision in status_of(content).decisions:
            key = (name, decision.time, decision.message)
            if key not in self._told:
                self._told.add(key)
                self._said.append(Said(at, name, _sentence(decision)))


def status_of(model_deployment: Object | None) -> Status:
    """The status in a ModelDeployment as the API server sent it."""
    return Status.model_validate((model_deployment or {}).get("status") or {})


def _sentence(decision: Decision) -> str:
    return f"{decision.reason}: {decision.message}"

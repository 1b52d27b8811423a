"""Plays one story: applies its versions one after the other, under load, and notes what happens.

Above `picture` and `loads`. What is right is for `findings` to say; only what keeps the story from
going on is an error here.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field, replace

import yaml

from hack.cluster import Cluster, ClusterError
from hack.cluster.commands import run
from hack.demo import samples
from hack.demo.findings import Finding, Played, find, pinned_back
from hack.demo.loads import Loads
from hack.demo.picture import NotSeenError, Picture
from hack.demo.stories import FIRST, NAMESPACE, Release, Story
from hack.load.answers import Answer
from hack.load.report import first_answer_of
from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Release as ReleaseStatus
from headgate.api.status import ReleaseRecord
from headgate.core.steps import steps_of
from headgate.core.timing import to_seconds

_LIVE_SECONDS = 240
_RELEASE_SECONDS = 300
_FIRST_ANSWER_SECONDS = 60
_COMMAND_SECONDS = 60
AT_A_TIME = 2
"""Releases under way at once: starting pods costs whole cores, and the models share them."""
_AFTER_REVERT = 12.0
"""Seconds that the load goes on after a revert, to see that the reverted version serves none."""


def headgate(cluster: Cluster, *arguments: str) -> str:
    """What a `headgate` command prints, run as the cluster's administrator."""
    return run(
        [sys.executable, "-m", "headgate", *arguments, "--kubeconfig", cluster.kubeconfig],
        timeout=_COMMAND_SECONDS,
    )


def awaited_step(story: Story, release: ReleaseStatus | None) -> int | None:
    """The step, counted from 1, at which a release waits for a person; None if it does not."""
    if release is None or release.stage != "Stepping":
        return None
    spec = ModelDeploymentSpec.model_validate(yaml.safe_load(story.at(release.version))["spec"])
    steps = steps_of(resolve(spec))
    step = steps[min(release.step, len(steps) - 1)]
    waits = step.approval is not None and release.step + 1 not in release.approvals
    return release.step + 1 if waits else None


class Turns:
    """Who may release: the first `AT_A_TIME` of those who queue, in their order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: list[str] = []

    def queue(self, name: str) -> None:
        """Stand at the end of the queue."""
        with self._lock:
            self._queue.append(name)

    def has(self, name: str) -> bool:
        """Whether it is one's turn."""
        with self._lock:
            return name in self._queue[:AT_A_TIME]

    def leave(self, name: str) -> None:
        """Let the next one have the turn."""
        with self._lock:
            self._queue.remove(name)


@dataclass
class Player:
    """Plays stories on a cluster; each in a thread of its own."""

    cluster: Cluster
    picture: Picture
    loads: Loads
    turns: Turns = field(default_factory=Turns)

    def play(self, story: Story) -> list[Finding]:
        """Play all of it and give what came of each release; a story that stops early is told by
        the release at which it stopped."""
        played: list[Played] = []
        try:
            self._first_version(story)
            for release in story.releases:
                played.append(self._in_turn(story, release))
                if played[-1].trouble:
                    break
        except (NotSeenError, ClusterError) as error:
            began = time.time()
            release = story.releases[len(played)]
            played.append(Played(story, release, began, began, trouble=str(error)))
        finally:
            answers = self.loads.stop(story.name)
        return [find(self._with_first_bad(each, answers), answers) for each in played]

    def _first_version(self, story: Story) -> None:
        self._apply(story, FIRST, "the first version")
        url = self.picture.wait_for(
            f"{story.name} {FIRST} behind its live Service",
            lambda: self._live_url(story),
            _LIVE_SECONDS,
            story.name,
        )
        self.loads.start(self.cluster, story.name, url)
        self.picture.say(story.name, f"{FIRST} is live; load begins: {url}")
        self.picture.wait_for(
            f"the first answer of {story.name}",
            lambda: self._answers(story) or None,
            _FIRST_ANSWER_SECONDS,
            story.name,
        )
        self._ended(story, FIRST)

    def _in_turn(self, story: Story, release: Release) -> Played:
        self.turns.queue(story.name)
        try:
            if not self.turns.has(story.name):
                self.picture.say(
                    story.name, f"{release.version} waits: {AT_A_TIME} releases at a time"
                )
            self.picture.wait_for(
                f"a turn for {story.name} {release.version}",
                lambda: self.turns.has(story.name) or None,
                2 * _RELEASE_SECONDS,
                story.name,
            )
            played = self._release(story, release)
        finally:
            self.turns.leave(story.name)
        if played.pinned is not None:
            seconds = f"{_AFTER_REVERT:.0f} s"
            self.picture.say(
                story.name, f"load goes on for {seconds}: {release.version} must not serve"
            )
            self.picture.pause(_AFTER_REVERT)
        return replace(played, until=time.time())

    def _release(self, story: Story, release: Release) -> Played:
        applied = time.time()
        self._apply(story, release.version, release.what)
        try:
            record = self._ended(story, release.version)
        except NotSeenError as error:
            return Played(story, release, applied, time.time(), trouble=str(error))
        stable = self.picture.status(story.name).stable
        pinned = None
        if stable is not None and record.outcome == "Reverted":
            history = self.picture.pinnings(story.name)
            pinned = pinned_back(history, stable.revision, applied)
        return Played(
            story=story,
            release=release,
            applied=applied,
            until=time.time(),
            outcome=record.outcome,
            reason=record.reason,
            weight=record.weight,
            revision=record.revision,
            finished=to_seconds(record.finished),
            pinned=pinned,
            trouble="" if self.loads.alive(story.name) else "its load ended early",
        )

    def _apply(self, story: Story, version: str, what: str) -> None:
        self.picture.say(story.name, f"applying {version}, {what}: {story.command(version)}")
        self.cluster.kubectl("apply", "-f", "-", input=story.at(version))

    def _live_url(self, story: Story) -> str | None:
        status = self.picture.status(story.name)
        service = self.picture.get("services", story.name)
        if service is None or status.phase not in ("Watching", "Stable") or status.stable is None:
            return None
        pinnings = self.picture.pinnings(story.name)
        if not pinnings or pinnings[-1].revision != status.stable.revision:
            return None
        spec = service["spec"]
        return f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}/predict"

    def _answers(self, story: Story) -> int:
        self.loads.read()
        return self.loads.tallies[story.name].answered.total()

    def _ended(self, story: Story, version: str) -> ReleaseRecord:
        """Wait until a version's release is over and nothing is under way."""

        def over() -> ReleaseRecord | None:
            status = self.picture.status(story.name)
            of_version = [each for each in status.releases if each.version == version]
            return of_version[-1] if of_version and status.release is None else None

        approved: set[int] = set()

        def over_or_approved() -> ReleaseRecord | None:
            release = self.picture.status(story.name).release
            step = awaited_step(story, release)
            if release is not None and step is not None and step not in approved:
                approved.add(step)
                self._approve(story, release.revision, step)
            return over()

        return self.picture.wait_for(
            f"the end of {story.name} {version}", over_or_approved, _RELEASE_SECONDS, story.name
        )

    def _approve(self, story: Story, revision: str, step: int) -> None:
        command = ["approve", story.name, "--namespace", NAMESPACE]
        self.picture.say(story.name, f"a person approves: headgate {' '.join(command)}")
        bound = ["--revision", revision, "--step", str(step), "--no-wait"]
        said = headgate(self.cluster, *command, *bound)
        self.picture.say(story.name, said.strip())

    def _with_first_bad(self, played: Played, answers: list[Answer]) -> Played:
        began = first_answer_of(answers, played.release.version)
        if played.pinned is None or began is None:
            return played
        seconds = int(time.time() - played.applied) + 1
        try:
            stored = samples.ask(
                self.cluster,
                played.story.name,
                played.revision,
                seconds,
                crashes=played.release.crashes,
            )
        except (ClusterError, ValueError) as error:
            return replace(played, trouble=f"Prometheus could not be asked: {error}")
        return replace(played, first_bad=samples.first_bad(stored, played.applied, played.pinned))

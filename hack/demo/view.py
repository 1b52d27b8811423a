"""What a person sees while releases are under way: a live screen, or plain lines into a pipe.

Above `picture` and `loads`, which it only reads. On every surface the order is: what is happening,
why, what it waits for. `hack.cluster.progress` shows the parts before, in the same two ways.
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from hack.cluster.progress import duration
from hack.demo.loads import Loads, Tally
from hack.demo.picture import Object, Picture, Said
from hack.demo.stories import Story
from headgate.api.analysis import Metric
from headgate.api.status import CheckStatus, Status, VersionStatus

_PLAIN_SECONDS = 10.0
_LAST_SAID = 9
_RULES = frozenset(Metric)
_COLOURS = {
    "Good": "green",
    "Bad": "bold red",
    "Unknown": "yellow",
    "Stable": "green",
    "Reverted": "bold red",
    "Reverting": "bold red",
    "Failing": "bold red",
}


def clock(at: float) -> str:
    """The local time of day of epoch seconds."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def standing(name: str, status: Status) -> str:
    """Where a ModelDeployment stands, in a line: phase, step, weights, sides, verdict."""
    parts = [f"{name:<10} {status.phase or 'Pending'}"]
    if status.step:
        parts.append(f"step {status.step}")
    if status.desired_weight is not None:
        parts.append(f"weight {_weights(status)}")
    for side, what in sides(status):
        parts.append(f"{what} {side.version} {side.ready}/{side.replicas} ready")
    if status.verdict:
        parts.append(status.verdict)
    return ", ".join(parts)


def sides(status: Status) -> list[tuple[VersionStatus, str]]:
    """The versions that have pods, each with what it is."""
    known = ((status.stable, "stable"), (status.candidate, "candidate"), (status.previous, "kept"))
    return [(side, what) for side, what in known if side is not None]


def pods_in_words(pods: Sequence[Object], revision: str) -> str:
    """The pods of a revision that are not simply ready: starting, crashing, ending."""
    unready = [_condition(pod) for pod in pods if _revision(pod) == revision]
    told = [words for words in unready if words != "ready"]
    return ", ".join(f"{told.count(words)} {words}" for words in dict.fromkeys(told))


def _revision(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get("headgate.dev/revision", ""))


def _condition(pod: Object) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "ending"
    status = pod.get("status", {})
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") not in (None, "ContainerCreating"):
            return str(waiting["reason"])
    conditions = {each["type"]: each["status"] for each in status.get("conditions", ())}
    return "ready" if conditions.get("Ready") == "True" else "starting"


def telling(checks: Sequence[CheckStatus]) -> list[CheckStatus]:
    """The checks to show: rules that apply, and conditions that begin to hold."""
    return [
        check
        for check in checks
        if check.verdict != "NotApplicable" and (check.name in _RULES or check.verdict != "Good")
    ]


def _check(check: CheckStatus) -> Text:
    line = Text(f"{check.name:<16} ", no_wrap=True, overflow="ellipsis")
    line.append(check.verdict, _COLOURS.get(check.verdict, ""))
    return line.append(f": {check.message}" if check.message else "")


def _weights(status: Status) -> str:
    words = [f"{status.desired_weight:.0f} % wanted"]
    if status.effective_weight is not None:
        words.append(f"{status.effective_weight:.0f} % of pods")
    if status.observed_weight is not None:
        words.append(f"{status.observed_weight:.0f} % of requests")
    return ", ".join(words)


class View(ABC):
    """Shows the picture until it is closed; `refresh` is called about twice a second."""

    def __init__(self, stories: Sequence[Story], picture: Picture, loads: Loads) -> None:
        self.stories = stories
        self.picture = picture
        self.loads = loads
        self.began = time.time()

    @abstractmethod
    def refresh(self) -> None:
        """Show how things stand now."""

    @abstractmethod
    def close(self) -> None:
        """Show no more."""

    def tally(self, story: Story) -> Tally | None:
        """What the load of a story has recorded, if it has begun."""
        return self.loads.tallies.get(story.name)


class PlainView(View):
    """A line for whatever changes, and now and then one for what is waited for."""

    def __init__(self, stories: Sequence[Story], picture: Picture, loads: Loads) -> None:
        super().__init__(stories, picture, loads)
        self._shown = 0
        self._standing: dict[str, str] = {}
        self._told_at: dict[str, float] = {}

    def refresh(self) -> None:
        """Print what is new."""
        new = self.picture.said(self._shown)
        self._shown += len(new)
        for said in new:
            self._print(said.at, f"{said.story:<10} {said.sentence}")
        now = time.time()
        for story in self.stories:
            status = self.picture.status(story.name)
            line = standing(story.name, status)
            changed = self._standing.get(story.name) != line
            # What is at rest needs no reminder.
            waits = status.release is not None
            due = waits and now - self._told_at.get(story.name, 0) >= _PLAIN_SECONDS
            if not (changed or due):
                continue
            self._standing[story.name] = line
            self._told_at[story.name] = now
            if status.phase:
                self._print(now, f"{line}; {status.message} {self._requests(story)}")

    def _requests(self, story: Story) -> str:
        tally = self.tally(story)
        if tally is None:
            return ""
        return f"[{tally.answered.total():,} requests, {tally.failed.total():,} failed]"

    def _print(self, at: float, line: str) -> None:
        print(f"{clock(at)} +{duration(max(0.0, at - self.began)):<11} {line}", flush=True)

    def close(self) -> None:
        """Print the last changes."""
        self.refresh()


class LiveView(View):
    """A panel for each ModelDeployment, and below them the last decisions."""

    def __init__(
        self, stories: Sequence[Story], picture: Picture, loads: Loads, console: Console
    ) -> None:
        super().__init__(stories, picture, loads)
        self._live = Live(self._screen(), console=console, auto_refresh=False, transient=False)
        self._live.start()

    def refresh(self) -> None:
        """Draw anew."""
        self._live.update(self._screen(), refresh=True)

    def close(self) -> None:
        """Leave the last screen standing."""
        self.refresh()
        self._live.stop()

    def _screen(self) -> RenderableType:
        elapsed = duration(time.time() - self.began)
        head = Text.assemble(("releases", "bold"), f"  {elapsed}")
        return Group(head, *(self._panel(story) for story in self.stories), self._log())

    def _panel(self, story: Story) -> RenderableType:
        status = self.picture.status(story.name)
        title = Text.assemble((story.name, "bold"), f" · {story.strategy} · ")
        title.append(status.phase or "Pending", _COLOURS.get(status.phase, "cyan"))
        if status.step:
            title.append(f" · step {status.step.replace('/', ' of ')}")
        lines = [Text(status.message or "waiting for the operator", overflow="fold")]
        if status.desired_weight is not None:
            lines.append(Text(f"weight   {_weights(status)}"))
        if status.analysis is not None:
            lines += [_check(check) for check in telling(status.analysis.checks)]
        lines += [self._side(story, side, what) for side, what in sides(status)]
        return Panel(Group(*lines), title=title, title_align="left", padding=(0, 1))

    def _side(self, story: Story, side: VersionStatus, what: str) -> Text:
        line = Text(f"{what:<9}  {side.version}  {side.ready}/{side.replicas} ready  ")
        tally = self.tally(story)
        if tally is not None:
            share = tally.share(side.version, time.time())
            shown = "" if share is None else f" ({share:.0%} of the last 5 s)"
            line.append(f"{tally.answered[side.version]:,} answers{shown}, ")
            failed = tally.failed[side.version]
            line.append(f"{failed:,} failed", "red" if failed else "green")
        condition = pods_in_words(self.picture.pods(story.name), side.revision)
        return line.append(f"  pods: {condition}" if condition else "", "yellow")

    def _log(self) -> RenderableType:
        last: list[Said] = self.picture.said()[-_LAST_SAID:]
        return Group(
            *(
                Text(
                    f"{clock(said.at)}  {said.story:<10}  {said.sentence}",
                    "dim",
                    no_wrap=True,
                    overflow="ellipsis",
                )
                for said in last
            )
        )


def make_view(stories: Sequence[Story], picture: Picture, loads: Loads, console: Console) -> View:
    """The view that fits where the output goes."""
    if console.is_terminal and sys.stdout.isatty():
        return LiveView(stories, picture, loads, console)
    return PlainView(stories, picture, loads)


def look_around(kubeconfig: Path, programs: Path) -> list[str]:
    """Commands for the cluster that stays; `programs` is the directory of its kubectl."""
    return [
        f"export KUBECONFIG={kubeconfig} PATH={programs}:{Path(sys.executable).parent}:$PATH",
        "kubectl headgate get canary --namespace headgate-demo",
        "kubectl headgate history canary --namespace headgate-demo",
        "kubectl headgate explain canary --namespace headgate-demo",
        "kubectl describe modeldeployment canary --namespace headgate-demo",
        "kubectl get pods,services --namespace headgate-demo --show-labels",
        "kubectl logs --namespace headgate-system deployment/headgate",
        "make demo-down        # removes all of it",
    ]

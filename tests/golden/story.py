"""Steps the pure planner through a whole release in the simulated world and writes it down.

A transcript has one line per decision and write, with the time since the story began:

    0:06  ReleaseStarted  Releasing 2.0.0 over 1.0.0 (Canary).
          write  SetTraffic pinned to 1.0.0
          state  Progressing 1/3 20% · stable 1.0.0 4/4 · candidate 2.0.0 1/1 · Unknown

While it runs, what must never happen is checked after every write (`_assert_safe`), and that a
plan carried out leaves nothing to write.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headgate.api.status import Rejection, Status
from headgate.api.strategy import Capacity
from headgate.core.intents import (
    DropDisruptionBudget,
    Intent,
    KeepRevision,
    MarkRevision,
    Plan,
    RemoveAdopted,
    RemoveWorkload,
    RestartWorkload,
    RunSmoke,
    SetDisruptionBudget,
    SetReplicas,
    SetRole,
    SetTraffic,
    SetWarm,
    SetWorkload,
    ShrinkWorkload,
    WarmUp,
)
from headgate.core.observation import INHERITED, NOWHERE, LiveService
from headgate.core.plan import plan
from headgate.core.settings import (
    judge_settings,
    ready_floor_of,
    replicas_of,
    revert_floor_of,
    unavailable_of,
)
from tests.golden.world import EPOCH, Behaviour, Event, World


@dataclass(frozen=True)
class Story:
    """A release from its manifest to its end. `events` happen at seconds since the beginning."""

    title: str
    events: Mapping[float, Event]
    behaviours: Mapping[str, Behaviour] = field(default_factory=dict)
    seconds: int = 240
    rate: float = 50.0
    slots: int | None = None
    quota: int | None = None
    capacity_checked: bool = True
    tells_budgets: bool = False


class Teller:
    """Runs one story. With `interruptions` the operator is killed at random between writes."""

    def __init__(self, story: Story, interruptions: random.Random | None = None) -> None:
        self.story = story
        self.world = World(
            dict(story.behaviours), rate=story.rate, slots=story.slots, quota=story.quota
        )
        self.interruptions = interruptions
        self.lines: list[str] = []
        self.state_line = ""
        self.capacity_reached = False
        self.reverting = False
        self.rejected: Rejection | None = None

    def run(self) -> str:
        """Step to the end, second by second; the transcript."""
        events = dict(sorted(self.story.events.items()))
        for second in range(self.story.seconds + 1):
            for time in [time for time in events if time <= second]:
                events.pop(time)(self.world)
            if self.world.spec is None:
                continue
            if self.world.status.release is not None:
                self.world.scrape(judge_settings(self.world.spec).latency_limits)
            self._pass()
            self.world.tick()
            self._assert_capacity()
            self._assert_room()
        return self._transcript()

    def _pass(self) -> None:
        for _ in range(30):
            answer = plan(self.world.observe(), self.world.now)
            if not self._carry_out(answer):
                self.world.restart()
                continue
            self.world.status = self._stored(answer.status)
            self._tell(answer)
            if not answer.intents:
                return
        raise AssertionError(f"no fixed point: {answer.intents}")

    def _carry_out(self, answer: Plan) -> bool:
        killed_after = len(answer.intents) + 1
        if self.interruptions is not None and self.interruptions.random() < 0.4:
            killed_after = self.interruptions.randint(0, len(answer.intents))
        for index, intent in enumerate(answer.intents):
            if index >= killed_after:
                break
            before = self.world.live
            self.world.apply(intent)
            self._assert_safe(intent, before)
            self._assert_room()
        return killed_after > len(answer.intents)

    @staticmethod
    def _stored(status: Status) -> Status:
        """Through JSON, as the API server keeps it."""
        return Status.model_validate_json(status.model_dump_json(by_alias=True, exclude_none=True))

    def _tell(self, answer: Plan) -> None:
        moment = self.world.now - EPOCH
        stamp = f"{int(moment // 60)}:{int(moment % 60):02d}"
        for note in answer.notes:
            self.lines.append(f"{stamp:>5}  {note.reason}  {note.message}")
            stamp = ""
        for intent in answer.intents:
            text = self._words(intent)
            if text:
                self.lines.append(f"{stamp:>5}  write  {text}")
                stamp = ""
        state = self._state()
        if state != self.state_line:
            self.state_line = state
            self.lines.append(f"{stamp:>5}  state  {state}")

    def _words(self, intent: Intent) -> str:
        name = self.world.called
        match intent:
            case SetTraffic(revision, adopted=adopted) if revision == INHERITED:
                return f"live Service taken over with its pods ({adopted})"
            case RemoveAdopted():
                return "adopted Deployment removed"
            case SetTraffic(None):
                return "live Service widened to both versions"
            case SetTraffic(revision, _, _, rejected):
                where = "nothing yet" if revision == NOWHERE else name(revision)
                return f"live Service pinned to {where}" + (
                    f", {name(rejected)} marked as rejected" if rejected else ""
                )
            case KeepRevision(_, version, number):
                return f"template of {version} kept as revision {number}"
            case MarkRevision(revision, _, False):
                return f"{name(revision)} marked as no longer rejected"
            case MarkRevision(revision, once_stable, _):
                return f"{name(revision)} marked as " + (
                    "once stable" if once_stable else "rejected"
                )
            case SetWorkload(revision, replicas):
                return f"Deployment of {name(revision)} with {replicas} pods"
            case ShrinkWorkload(revision, replicas):
                return f"Deployment of {name(revision)} down to {replicas} pods"
            case RemoveWorkload(revision, at_once):
                return f"Deployment of {name(revision)} removed" + (" at once" if at_once else "")
            case RunSmoke(revision):
                return f"checks of {name(revision)} sent"
            case WarmUp(pods):
                return f"warm-up requests sent to {', '.join(pods)}"
            case SetWarm(pod, warm, reason):
                return f"pod {pod} {'let in' if warm else 'kept out'} ({reason})"
            case SetReplicas(replicas):
                return f"replicas {replicas} written through /scale"
            case SetDisruptionBudget(revision) if self.story.tells_budgets:
                return f"disruption budget of {name(revision)}"
            case DropDisruptionBudget(revision) if self.story.tells_budgets:
                return f"disruption budget of {name(revision)} deleted"
            case RestartWorkload(revision, at, pace):
                how = f"{pace.surge} more, {pace.unavailable} fewer at a time"
                return f"Deployment of {name(revision)} replaces its pods, {how} ({at})"
            case SetRole() | SetDisruptionBudget() | DropDisruptionBudget():
                return ""
            case _:
                return str(intent)

    def _state(self) -> str:
        status = self.world.status
        parts = [" ".join(each for each in (status.phase, status.step, status.weight) if each)]
        for role in ("stable", "candidate", "previous"):
            side = getattr(status, role)
            if side is not None:
                parts.append(f"{role} {side.version} {side.ready}/{side.replicas}")
        if status.verdict:
            parts.append(status.verdict)
        return " · ".join(parts)

    def _assert_safe(self, intent: Intent, before: LiveService | None) -> None:
        """What must hold after every single write, wherever the operator is killed."""
        world = self.world
        live = world.live
        if isinstance(intent, RemoveAdopted):
            assert world.endpoints(), "the adopted Deployment goes before anything of ours serves"
        if world.old_service and world.old_deployment is not None and not world.endpoints():
            assert world.served_by_old, f"nothing serves after {intent}"
        if live is None or world.status.stable is None:
            return
        revisions = {pod.revision for pod in world.pods}
        if live.revision is None:
            sides = {live.stable, world.status.stable.revision}
            if world.status.release is not None:
                sides.add(world.status.release.revision)
            assert len(revisions - sides) == 0, f"widened to a third revision after {intent}"
        stays = before is not None and before.revision == live.revision
        if isinstance(intent, SetTraffic) and intent.revision not in (None, NOWHERE) and not stays:
            assert world.endpoints() or not any(map(world.is_ready, world.pods)), (
                f"pinned to a side with no ready pod although another has one: {intent}"
            )

    def _assert_room(self) -> None:
        """Swapping never makes more pods than replicas, terminating ones included."""
        spec = self.world.spec
        if spec is None or not self.story.capacity_checked:
            return
        if spec.strategy.capacity is Capacity.SWAP:
            assert len(self.world.pods) <= replicas_of(spec), "more pods than there is room for"

    def _assert_capacity(self) -> None:
        """Never fewer ready pods than replicas − maxUnavailable (or the ready floor) once they had
        been reached; while a rejected version is taken back, never fewer than the revert floor."""
        spec, world = self.world.spec, self.world
        if spec is None or not self.story.capacity_checked:
            return
        serving, needed = len(world.endpoints()), replicas_of(spec) - unavailable_of(spec)
        if spec.strategy.capacity is not Capacity.SURGE:
            needed = ready_floor_of(spec)
        if serving >= replicas_of(spec):
            self.capacity_reached, self.reverting = True, False
        if world.status.rejected != self.rejected:
            self.rejected, self.reverting = world.status.rejected, True
        if self.reverting:
            needed = min(needed, revert_floor_of(spec))
        if self.capacity_reached:
            assert serving >= needed, f"only {serving} pods serve at {world.now - EPOCH:.0f}s"

    def _transcript(self) -> str:
        world, status = self.world, self.world.status
        lines = [f"# {self.story.title}", "", *self.lines, ""]
        lines.append(f"end    {status.phase}: {status.message}")
        for record in status.releases:
            lines.append(
                f"       {record.version} {record.outcome} ({record.reason}) at {record.weight} %"
            )
        revision = INHERITED if world.live is None else world.live.revision
        traffic = "both" if revision is None else world.version_of(revision)
        stable = status.stable.version if status.stable else "none"
        lines.append(f"       traffic at {traffic}, stable {stable}")
        lines.append(f"       {world.sent} requests, {world.failed} failed")
        return "\n".join(line.rstrip() for line in lines) + "\n"


def outcome(transcript: str) -> list[str]:
    """What a story came to, however it got there: its phase, what became of each release, where
    traffic goes and what is stable."""
    phase, *more = transcript.partition("\nend    ")[2].splitlines()
    kept = [line for line in more if not line.endswith(" failed")]
    return [phase.partition(":")[0], *(re.sub(r" \(.*", "", line).strip() for line in kept)]


def manifest(version: str, **changes: Any) -> dict[str, Any]:
    """A small manifest with short holds; `changes` replace whole parts of the spec."""
    spec: dict[str, Any] = {
        "model": {"name": "fraud", "version": version},
        "replicas": 4,
        "template": {"spec": {"containers": [{"name": "server", "image": f"fraud:{version}"}]}},
        "strategy": {
            "type": "Canary",
            "canary": {"steps": [{"weight": 20, "hold": "20s"}, {"weight": 50, "hold": "20s"}]},
        },
        "analysis": {
            "interval": "5s",
            "unknownTimeout": "30s",
            "comparison": {"minSamples": 20},
        },
        "watch": {"duration": "30s"},
        "progressDeadline": "60s",
    }
    spec.update(changes)
    return spec


def apply(version: str, **changes: Any) -> Event:
    """kubectl apply of a version."""
    return lambda world: world.give(manifest(version, **changes))

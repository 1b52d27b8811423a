"""Writes the way to a world down as a story, in the manner of the golden transcripts."""

from __future__ import annotations

from itertools import pairwise

from headgate.core.intents import Intent, RunSmoke, SetTraffic
from headgate.core.plan import plan
from tests.exploration.scope import NOW, Scope
from tests.exploration.seeing import observation
from tests.exploration.world import REVISIONS, VERSIONS, World


def tell(steps: list[tuple[str, World]], scope: Scope) -> str:
    """One line per event, with what the operator said and wrote in each pass."""
    lines = [f"{scope.name}: {steps[0][1].replicas} replicas, {VERSIONS['a']} is applied"]
    for (_, before), (words, after) in pairwise(steps):
        lines.append(f"- {words}")
        if words == "a pass" or "operator" in words or "refused" in words:
            lines.extend(_of_pass(before, scope))
        lines.append(f"    {_state(after)}")
    lines.append("- and then, in a pass:")
    lines.extend(_of_pass(steps[-1][1], scope))
    return "\n".join(lines)


def _of_pass(world: World, scope: Scope) -> list[str]:
    try:
        planned = plan(observation(world, scope), NOW)
    except Exception as error:
        return [f"    fails  {error!r}"]
    lines = [f"    says   {note.reason}: {note.message}" for note in planned.notes]
    lines += [f"    write  {_words(intent)}" for intent in planned.intents]
    return [*lines, f"    status {planned.status.phase}: {planned.status.message}"]


def _words(intent: Intent) -> str:
    if isinstance(intent, SetTraffic):
        where = "widened" if intent.revision is None else f"pinned to {intent.revision}"
        return f"live Service {where}, stable {intent.stable}, rejected {intent.rejected}"
    if isinstance(intent, RunSmoke):
        return f"checks of {intent.revision} are sent"
    return str(intent)


def _state(world: World) -> str:
    sides = [
        f"{name} {side.ready + side.old}/{side.pods} of {side.replicas}"
        + (" edited" if not side.intact else "")
        + (f" {side.crashed} crashed" if side.crashed else "")
        + (f" {side.stuck} without a place" if side.stuck else "")
        + (f" {side.old} from before the restart" if side.old else "")
        + (" ending" if side.ending else "")
        for name, side in zip(REVISIONS, world.sides, strict=False)
        if side.replicas >= 0 or side.pods or side.ending
    ]
    live = world.live
    if live is None:
        traffic = "no live Service"
    else:
        traffic = "widened" if live.revision is None else f"pinned to {live.revision}"
        traffic += "" if live.intact else " edited"
        traffic += "" if live.adopted is None else f", adopted {live.adopted}"
    found = world.found
    if found.uid or found.ready or found.starting:
        pods = found.ready + found.starting
        sides.append(f"{found.uid or 'what was there'} {found.ready}/{pods}")
    memory = world.memory
    release = memory.release
    stage = "at rest" if release is None else f"{release.revision} {release.stage} {release.step}"
    return " · ".join([*sides, traffic, f"stable {memory.stable}", stage])

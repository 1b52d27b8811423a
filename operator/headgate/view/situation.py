"""What is happening, what comes next and what a person can do about it, in sentences.

Why is said by the status itself: the planner wrote it when it decided.
"""

from __future__ import annotations

from collections.abc import Callable

from headgate.api.quantities import parse_duration
from headgate.api.strategy import OnTimeout
from headgate.core.steps import Step
from headgate.core.timing import for_people, to_seconds
from headgate.view.ages import since
from headgate.view.shown import Shown, hold_of

Choice = tuple[str, str]
"""A command as it is typed, and what it does."""

NOT_SEEN = "the operator has not looked at this spec yet; is it running?"


def happening(shown: Shown) -> str:
    """What is happening: the status' own sentence, without what is shown elsewhere."""
    status, release = shown.status, shown.status.release
    message = status.message or NOT_SEEN
    if release is not None:
        message = message.removeprefix(
            f"{release.version}, step {release.step + 1} of {release.steps}: "
        )
    if status.analysis is not None and status.analysis.message:
        message = message.replace(f" {status.analysis.verdict}: {status.analysis.message}.", "")
    return message.removesuffix(".")


def asked(shown: Shown, now: float) -> str:
    """What a person has asked for and is not handled yet; empty when there is nothing."""
    action = shown.asked
    if action is None:
        return ""
    ago = since(now - to_seconds(action.at))
    step = f" step {action.step} of" if action.step is not None else ""
    who = action.by or "the manifest"
    return f"{action.type}{step} {action.revision}, by {who} {ago} ago; not handled yet"


def coming(shown: Shown, now: float) -> str:
    """What comes next and when, as far as it is known; empty when nothing does."""
    status, release = shown.status, shown.status.release
    if not shown.is_seen and status.message:
        return NOT_SEEN
    if release is None:
        return ""
    if release.stage == "Reverting":
        return "the release ends when the pods that serve are ready and the others are gone"
    if release.promoting:
        return f"all traffic once its pods are ready, as a person asked{_given_up(shown, now)}"
    if shown.spec is not None and shown.spec.suspend:
        return "nothing before it is resumed; a release that turns bad is still taken back"
    if release.stage == "Watching":
        return _after_watch(shown, now)
    if status.stable is None:
        return f"live once its pods are ready and its checks pass{_given_up(shown, now)}"
    if release.stage == "Stepping":
        return _after_step(shown, now)
    first = shown.steps[0] if shown.steps else None
    if release.stage == "Starting" and first is not None:
        return f"{_name(first)} once its pods are ready and its checks pass{_given_up(shown, now)}"
    return f"live with all traffic once its pods are ready{_given_up(shown, now)}"


def _given_up(shown: Shown, now: float) -> str:
    left = shown.deadline(now)
    return "" if left is None else f"; given up after {for_people(left)} without progress"


def _name(step: Step) -> str:
    """A step, as what comes next."""
    if step.weight == 100:
        return "100 %"
    if step.approval is not None:
        return "an approval"
    return f"{step.weight} %" if step.weight else "a preview without live traffic"


def _after_step(shown: Shown, now: float) -> str:
    release, step = shown.status.release, shown.step
    if release is None or step is None:
        return ""
    following = _name(shown.steps[min(step.index + 1, len(shown.steps) - 1)])
    if step.approval is not None:
        if step.index + 1 in release.approvals:
            return f"{following} now: it is approved"
        if step.approval.timeout is None:
            return f"{following} once a person approves it"
        end = "going on" if step.approval.on_timeout is OnTimeout.PROMOTE else "taken back"
        waited = now - to_seconds(release.step_started)
        left = for_people(parse_duration(step.approval.timeout) - waited)
        return f"{following} once a person approves it; {end} without an answer in {left}"
    hold = hold_of(shown, now)
    if hold is None:
        return f"{step.weight} % is held once its pods are ready{_given_up(shown, now)}"
    if not step.shared:
        return f"{following} in {for_people(hold.left)}" if hold.left > 0 else f"{following} now"
    if hold.left <= 0:
        return f"{following} as soon as the verdict is Good"
    if hold.still:
        left = for_people(hold.left)
        return f"{following} after {left} more with measurements, if the verdict is Good then"
    return f"{following} in {for_people(hold.left)}, if the verdict is Good then"


def _after_watch(shown: Shown, now: float) -> str:
    hold, previous = hold_of(shown, now), shown.status.previous
    if hold is None:
        return ""
    end = f"released in {for_people(hold.left)}" if hold.left > 0 else "released now"
    if previous is None:
        return f"{end}; there is no version before to go back to"
    kept = f"{previous.replicas} pods are kept" if previous.replicas else "pods have to start"
    return f"{end}; until then a bad turn goes back to {previous.version}, whose {kept}"


def choices(shown: Shown, command: Callable[[str], str]) -> list[Choice]:
    """What a person can do now. `command` spells a command for this ModelDeployment."""
    status, release = shown.status, shown.status.release
    suspended = shown.spec is not None and shown.spec.suspend
    found: list[Choice] = []
    if suspended:
        found.append((command("resume"), "let it go on"))
    if release is None:
        if shown.is_refused and status.rejected is not None:
            found.append((command("retry"), f"try {status.rejected.version} again"))
            found.append((command("explain"), "see why, step by step"))
        return found
    if release.stage == "Reverting":
        return found
    if shown.waits_for_approval() and release.step + 1 not in release.approvals:
        found.append((command("approve"), "go on to the next step"))
    if release.stage == "Watching":
        if status.previous is not None:
            found.append((command("undo"), f"go back to {status.previous.version}"))
        return found
    if status.stable is None:
        return found
    if release.stage != "Promoting" and not release.promoting:
        found.append((command("promote"), f"give {release.version} all traffic now"))
    found.append((command("abort"), f"take it back to {status.stable.version}"))
    if not suspended and release.stage == "Stepping":
        found.append((command("pause"), "take no further step"))
    return found

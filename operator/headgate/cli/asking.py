"""Which action a person's command means now: pure, from what was read to what is written.

The command binds an action to the revision that the person sees. What makes no sense now is refused
here with a sentence; what is done already is told and asked no second time. The operator decides
again when it handles the action (`headgate.core.actions`).
"""

from __future__ import annotations

from dataclasses import dataclass

from headgate.api.action import Action, ActionType
from headgate.api.status import ActionStatus, Release
from headgate.cli.cluster import Trouble
from headgate.view.shown import Shown


@dataclass(frozen=True)
class Wish:
    """What a person typed: the kind of action and, if they named them, revision, step and
    target."""

    type: ActionType
    revision: str | None = None
    step: int | None = None
    to: str | None = None


@dataclass(frozen=True)
class Already:
    """Nothing is left to ask; the sentence says why."""

    sentence: str


@dataclass(frozen=True)
class Pending:
    """The same was asked before and waits for the operator."""

    action: Action


def ask(wish: Wish, shown: Shown, by: str | None, at: str) -> Action | Already | Pending:
    """The action to write. Raises `Trouble` when the wish makes no sense now."""
    found = _BOUND[wish.type](wish, shown)
    if isinstance(found, Already):
        return found
    pending = shown.asked
    if pending is not None:
        if _same(pending, found):
            return Pending(pending)
        if wish.type not in (ActionType.ABORT, ActionType.UNDO):
            who = pending.by or "the manifest"
            raise Trouble(
                f"{who} asked to {pending.type.lower()} revision {pending.revision} at"
                f" {pending.at}, and the operator has not answered yet: is it running?"
            )
    return Action(
        type=found.type, revision=found.revision or "", step=found.step, to=found.to, by=by, at=at
    )


def _same(action: Action, wish: Wish) -> bool:
    return (action.type, action.revision, action.step, action.to) == (
        wish.type,
        wish.revision,
        wish.step,
        wish.to,
    )


def _bound(wish: Wish, revision: str, step: int | None = None) -> Wish:
    return Wish(wish.type, revision, step, wish.to)


def _moving(shown: Shown) -> Release | None:
    """The release that is on its way to 100 %."""
    release = shown.status.release
    if release is None or release.stage in ("Watching", "Reverting"):
        return None
    return release


def _standing(shown: Shown) -> str:
    """Where it stands, at the end of a refusal."""
    status = shown.status
    stable = f" with {status.stable.version}" if status.stable is not None else ""
    return f"{shown.name} is {status.phase or 'Pending'}{stable}"


def _done_before(wish: Wish, shown: Shown, step: int | None = None) -> ActionStatus | None:
    """The same action for what the spec still asks for, if it was the last one and was done."""
    last = shown.status.action
    if last is None or last.type != wish.type.value or last.outcome != "Done":
        return None
    if last.revision != (wish.revision or shown.wanted) or step not in (None, last.step):
        return None
    return last


def _approve(wish: Wish, shown: Shown) -> Wish | Already:
    release = _moving(shown)
    if release is None or wish.revision not in (None, release.revision):
        raise Trouble(f"nothing waits for approval: {_standing(shown)}")
    steps = [each.index + 1 for each in shown.steps if each.approval is not None]
    step = wish.step or (release.step + 1 if shown.waits_for_approval() else None)
    if step is not None:
        if steps and step not in steps:
            raise Trouble(
                f"step {step} of {release.version} waits for no approval; {_which(steps)}"
            )
        passed = release.stage == "Promoting" or step <= release.step
        if step in release.approvals or passed:
            return Already(f"Step {step} of {release.version} is approved already.")
        return _bound(wish, release.revision, step)
    if release.approvals:
        latest = release.approvals[-1]
        return Already(f"Step {latest} of {release.version} is approved already.")
    where = f"{release.version} is at step {release.step + 1} of {release.steps}"
    raise Trouble(f"nothing waits for approval: {where}; {_which(steps)}")


def _which(steps: list[int]) -> str:
    if not steps:
        return "none of its steps asks for one"
    named = " and ".join(str(each) for each in steps)
    return f"step{'s' * (len(steps) > 1)} {named} will; approve beforehand with --step {steps[0]}"


def _promote(wish: Wish, shown: Shown) -> Wish | Already:
    release, stable = _moving(shown), shown.status.stable
    if release is not None and wish.revision in (None, release.revision):
        if release.promoting or release.stage == "Promoting":
            return Already(f"{release.version} is on its way to 100 % already.")
        return _bound(wish, release.revision)
    if stable is not None and stable.revision == (wish.revision or shown.wanted):
        return Already(f"{stable.version} gets all live traffic already.")
    raise Trouble(f"there is no release to promote: {_standing(shown)}")


def _abort(wish: Wish, shown: Shown) -> Wish | Already:
    release = shown.status.release
    if release is not None and wish.revision in (None, release.revision):
        if release.stage == "Reverting":
            return Already(f"{release.version} is being taken back already.")
        if release.stage == "Watching" and shown.status.previous is None:
            raise Trouble(f"{release.version} is live, and there is nothing to go back to")
        return _bound(wish, release.revision)
    done = _done_before(wish, shown)
    if done is not None:
        return Already(f"That was done before: {done.message}")
    raise Trouble(f"there is no release to abort: {_standing(shown)}")


def _retry(wish: Wish, shown: Shown) -> Wish | Already:
    rejected, release = shown.status.rejected, shown.status.release
    if release is not None and release.stage == "Reverting":
        raise Trouble(f"{release.version} is still being taken back: retry it when that is over")
    if wish.revision is not None and wish.revision != (rejected.revision if rejected else None):
        # It may be marked as rejected in the history, which only the operator sees whole.
        return _bound(wish, wish.revision)
    if shown.is_refused and rejected is not None:
        return _bound(wish, rejected.revision)
    if release is not None:
        return Already(f"{release.version} is being released already.")
    if rejected is None:
        raise Trouble(f"nothing was taken back: {_standing(shown)}")
    raise Trouble(
        f"the spec does not ask for {rejected.version}, which was taken back: {_standing(shown)}"
    )


def _undo(wish: Wish, shown: Shown) -> Wish | Already:
    release, stable = shown.status.release, shown.status.stable
    moving = _moving(shown)
    if moving is not None and moving.revision == wish.to:
        return Already(f"{moving.version} is on its way to 100 % already.")
    if moving is None and stable is not None and stable.revision == wish.to:
        return Already(f"{stable.version} gets all live traffic already.")
    # Where somebody says where to, it is another wish than to go back once.
    done = None if wish.to is not None else _done_before(wish, shown)
    if done is not None:
        further = " To go back further, say where --to." if stable else ""
        return Already(f"That was done before: {done.message}{further}")
    if release is not None and release.stage == "Reverting":
        return Already(f"{release.version} is being taken back already.")
    if wish.revision is not None:
        return _bound(wish, wish.revision)
    if moving is not None:
        return _bound(wish, moving.revision)
    if stable is None:
        raise Trouble(f"there is nothing to undo: {_standing(shown)}")
    return _bound(wish, stable.revision)


_BOUND = {
    ActionType.APPROVE: _approve,
    ActionType.PROMOTE: _promote,
    ActionType.ABORT: _abort,
    ActionType.RETRY: _retry,
    ActionType.UNDO: _undo,
}

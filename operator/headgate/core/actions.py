"""A link of the chain: what a person asks for in `spec.action`.

An action names the revision it is meant for and is carried out at most once: `status.action` holds
the last one that was handled. A pass that is killed before the status is stored finds it unhandled
and comes to the same end again.
"""

from __future__ import annotations

from headgate.api.action import Action, ActionType
from headgate.api.status import ActionStatus
from headgate.core.intents import MarkRevision
from headgate.core.lifecycle import begin
from headgate.core.reverting import ABORTED, UNDONE, reject, revert, withdraw
from headgate.core.state import MESSAGE_LENGTH, State


def act(state: State) -> State:
    """Carry out the action in the spec, unless it was handled before."""
    action = state.seen.spec.action
    if action is None or (state.action is not None and _answers(state.action, action)):
        return state
    match action.type:
        case ActionType.APPROVE:
            return _approve(state, action)
        case ActionType.PROMOTE:
            return _promote(state, action)
        case ActionType.ABORT:
            return _abort(state, action)
        case ActionType.RETRY:
            return _retry(state, action)
        case ActionType.UNDO:
            return _undo(state, action)


def _answers(handled: ActionStatus, action: Action) -> bool:
    """Whether `handled` says what became of `action`."""
    asked = action.model_dump(mode="json")
    return asked == handled.model_dump(include=set(asked))


def _approve(state: State, action: Action) -> State:
    release, step = state.release, action.step
    assert step is not None
    if release is None or not _moves(state, action):
        return _ignore(state, action, _not_under_way(state, action))
    if not any(each.index + 1 == step and each.approval is not None for each in state.steps):
        return _ignore(state, action, f"step {step} of {release.version} waits for no approval")
    approvals = sorted({*release.approvals, step})
    message = f"{_who(action)} approved step {step} of {release.version}."
    return _done(state.proceed(approvals=approvals), action, "Approved", message)


def _promote(state: State, action: Action) -> State:
    release = state.release
    if release is None or not _moves(state, action):
        return _ignore(state, action, _not_under_way(state, action))
    message = f"{_who(action)} asked for {release.version} to go to 100 % without further steps."
    return _done(state.proceed(promoting=True), action, "PromotionAsked", message)


def _abort(state: State, action: Action) -> State:
    release = state.release
    watched = release is not None and release.stage == "Watching"
    if release is None or release.revision != action.revision or release.stage == "Reverting":
        return _ignore(state, action, _not_under_way(state, action))
    if watched and state.previous is None:
        return _ignore(state, action, f"there is nothing to go back to from {release.version}")
    return _give_up(state, action, ABORTED)


def _retry(state: State, action: Action) -> State:
    known = state.seen.known(action.revision)
    by_status = state.rejected is not None and state.rejected.revision == action.revision
    version = state.version_of(action.revision)
    if state.release is not None and state.release.stage == "Reverting":
        # What is just being rejected is tried again once it is gone.
        return state
    if by_status or (known is not None and known.rejected):
        # Handled only when no mark is left, so that a kill in between leaves no half of it.
        forgotten = None if by_status else state.rejected
        mark = MarkRevision(action.revision, rejected=False)
        return state.change(rejected=forgotten, marks=(*state.marks, mark))
    if action.revision != state.seen.revision:
        return _ignore(state, action, f"the spec does not ask for {version}")
    if action.revision == state.stable or state.release is not None:
        return _ignore(state, action, f"{version} is not rejected")
    return _done(state, action, "RetryAsked", f"{_who(action)} asked to try {version} again.")


def _undo(state: State, action: Action) -> State:
    release = state.release
    if release is not None and release.stage == "Reverting":
        return state
    if release is not None and release.revision == action.revision != state.stable:
        if action.to not in (None, state.stable):
            return _ignore(state, action, f"{release.version} is being released: abort it first")
        return _give_up(state, action, UNDONE)
    if action.revision != state.stable:
        return _ignore(state, action, f"{state.version_of(action.revision)} does not serve")
    if release is not None and release.stage != "Watching":
        return _ignore(state, action, f"{release.version} is being released: abort it first")
    to = action.to or _before(state)
    if to is None or state.seen.known(to) is None:
        return _ignore(state, action, _nothing_kept(state, action))
    if to == state.stable:
        return _ignore(state, action, f"{state.version_of(to)} serves already")
    if release is not None and to == state.previous:
        return _give_up(state, action, UNDONE)
    return _go_back(state, action, to)


def _give_up(state: State, action: Action, reason: str) -> State:
    release = state.release
    assert release is not None
    message = f"{_who(action)} asked to give up {release.version}"
    if state.stable is None:
        state = reject(state, release.revision, release.weight, reason, message)
        state = withdraw(state, reason, message)
    else:
        state = revert(state, reason, message)
    return _handled(state, action, "Done", f"{message}.")


def _go_back(state: State, action: Action, to: str) -> State:
    """Release another kept revision than the spec's, which is given up once the other serves."""
    seen = state.seen
    known = seen.known(to)
    assert known is not None
    direct = known.once_stable and not known.rejected
    if seen.spec.suspend and not direct:
        why = f"spec.suspend is true, and {known.version} takes a release: it was never stable"
        return _ignore(state, action, f"{why}, or was taken back" if known.rejected else why)
    message = f"{_who(action)} asked to go back from {state.version_of(state.stable)}"
    message += f" to {known.version}"
    if state.release is not None:
        state = state.finish("Promoted", "WatchEnded", message)
    if known.rejected:
        state = state.change(marks=(*state.marks, MarkRevision(to, rejected=False)))
    if state.rejected is not None and state.rejected.revision == to:
        state = state.change(rejected=None)
    state = begin(state, to, known.version, direct=direct)
    state = state.proceed(instead_of=seen.revision, reason=UNDONE, message=message)
    return _done(state, action, "UndoAsked", f"{message}.")


def _before(state: State) -> str | None:
    """The revision that was stable before the one that is."""
    if state.previous is not None:
        return state.previous
    kept = {each.revision: each for each in state.seen.revisions if each.revision != state.stable}
    for record in reversed(state.releases):
        known = kept.get(record.revision)
        if record.outcome in ("Promoted", "Failed") and known is not None and not known.rejected:
            return record.revision
    served = [each for each in kept.values() if each.once_stable and not each.rejected]
    return max(served, key=lambda each: each.number).revision if served else None


def _moves(state: State, action: Action) -> bool:
    """Whether the action's revision is on its way to 100 %."""
    release = state.release
    assert release is not None
    return release.revision == action.revision and release.stage not in ("Watching", "Reverting")


def _who(action: Action) -> str:
    return action.by or "The manifest"


def _not_under_way(state: State, action: Action) -> str:
    return f"no release of {state.version_of(action.revision)} is under way"


def _nothing_kept(state: State, action: Action) -> str:
    kept = ", ".join(
        f"{each.revision} ({each.version})"
        for each in sorted(state.seen.revisions, key=lambda each: -each.number)
        if each.revision != state.stable
    )
    if action.to is not None:
        return f"revision {action.to} is not kept; kept are: {kept or 'none'}"
    return "no version that was stable before is kept"


def _ignore(state: State, action: Action, why: str) -> State:
    asked = f"{action.type.lower()} {state.version_of(action.revision)}"
    message = f"{_who(action)} asked to {asked}, but {why}."
    return _handled(state.say("ActionIgnored", message, warning=True), action, "Ignored", message)


def _done(state: State, action: Action, reason: str, message: str) -> State:
    return _handled(state.say(reason, message), action, "Done", message)


def _handled(state: State, action: Action, outcome: str, message: str) -> State:
    written = action.model_dump(mode="json", exclude_none=True)
    answer = {**written, "outcome": outcome, "message": message[:MESSAGE_LENGTH]}
    return state.change(action=ActionStatus.model_validate(answer))

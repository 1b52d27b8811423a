"""One ModelDeployment as a tree: what happens, why, what comes next, what a person can do; then
the steps, the checks, the versions with their pods, and the last decisions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headgate.api.status import CheckStatus, Status, VersionStatus
from headgate.core.observation import Pod
from headgate.core.steps import Step
from headgate.core.timing import for_people, to_seconds
from headgate.judge import CheckKind
from headgate.view.ages import since
from headgate.view.shown import Hold, Shown, hold_of
from headgate.view.situation import asked, choices, coming, happening
from headgate.view.text import Line, Piece, Style, columns, line

MOST_PODS = 8
"""Pods of a version that are listed one by one; only those that are not ready are."""
DECISIONS = 4
MESSAGE = 400
BAR = 12

PHASES = {
    "Stable": Style.GOOD,
    "Watching": Style.GOOD,
    "Suspended": Style.WAITING,
    "Pending": Style.WAITING,
    "Reverted": Style.BAD,
    "Reverting": Style.BAD,
    "Failing": Style.BAD,
    "Conflict": Style.BAD,
}
"""Styles of the phases; every other one is on its way."""
VERDICTS = {"Good": Style.GOOD, "Bad": Style.BAD, "Unknown": Style.WAITING}


def phase(status: Status) -> Piece:
    """The phase in its colour."""
    return Piece(status.phase or "Pending", PHASES.get(status.phase, Style.MOVING))


def verdict(word: str) -> Piece:
    """A verdict in its colour."""
    return Piece(word, VERDICTS.get(word, Style.FAINT))


def tree(shown: Shown, now: float, command: Callable[[str], str]) -> list[Line]:
    """The whole picture. `command` spells a command for this ModelDeployment."""
    lines = [_head(shown), *_situation(shown, now, command)]
    for title, branches in (
        (_release_title(shown, now), _steps(shown, now)),
        (_checks_title(shown), _checks(shown)),
        *_sides(shown, now),
        (_faint("lately"), _decisions(shown, now)),
    ):
        if title is not None and branches is not None:
            lines += [title, *_branched(branches)]
    return lines


def _faint(word: str) -> Line:
    return line(Piece(f"  {word}", Style.FAINT))


def _field(label: str, *pieces: str | Piece) -> Line:
    return line(Piece(f"  {label:<9}", Style.FAINT), *pieces, hanging=" " * 11)


def _branched(branches: Sequence[Line]) -> list[Line]:
    """Lines as the branches of a tree; what goes on in a further line keeps to its branch."""
    made = []
    for index, each in enumerate(branches):
        last = index == len(branches) - 1
        mark, below = ("  └─ ", "     ") if last else ("  ├─ ", "  │  ")
        made.append(line(Piece(mark, Style.FAINT), *each.pieces, hanging=below + each.hanging))
    return made


def _head(shown: Shown) -> Line:
    status, release = shown.status, shown.status.release
    parts: list[str | Piece] = [Piece(shown.name, Style.STRONG), f" · {shown.namespace}"]
    if shown.spec is not None:
        parts.append(f" · {shown.spec.strategy.type}")
    parts += [" · ", phase(status)]
    if release is not None:
        before = status.stable.version if status.stable is not None else ""
        over = f" over {before}" if before and before != release.version else ""
        parts.append(f" · {release.version}{over}")
        if release.steps > 1:
            parts.append(f" · step {release.step + 1} of {release.steps}")
    elif status.stable is not None:
        parts.append(f" · {status.stable.version}")
    return line(*parts, hanging="  ")


def _situation(shown: Shown, now: float, command: Callable[[str], str]) -> list[Line]:
    status = shown.status
    lines = [_field("now", happening(shown))]
    if status.analysis is not None:
        said = f": {status.analysis.message}" if status.analysis.message else ""
        lines.append(_field("verdict", verdict(status.analysis.verdict), said))
    if status.desired_weight is not None:
        lines.append(_field("weight", _weights(status)))
    waiting = asked(shown, now)
    if waiting:
        lines.append(_field("asked", Piece(waiting, Style.WAITING)))
    following = coming(shown, now)
    if following:
        lines.append(_field("next", Piece(following, Style.STRONG)))
    possible = choices(shown, command)
    if possible:
        for index, each in enumerate(columns([[typed, effect] for typed, effect in possible])):
            lines.append(_field("" if index else "you can", *each.pieces))
    return lines


def _weights(status: Status) -> str:
    words = [f"wanted {status.desired_weight:g} %"]
    if status.effective_weight is not None:
        words.append(f"pods {status.effective_weight:g} %")
    if status.observed_weight is not None:
        words.append(f"requests {status.observed_weight:g} %")
    return "   ".join(words)


def _release_title(shown: Shown, now: float) -> Line | None:
    release = shown.status.release
    if release is None:
        return None
    took = since(now - to_seconds(release.started)) if release.started else ""
    return line(Piece("  release", Style.FAINT), f" {release.version}, begun {took} ago")


def _steps(shown: Shown, now: float) -> list[Line] | None:
    release, hold = shown.status.release, hold_of(shown, now)
    if release is None or not shown.steps or release.stage == "Reverting":
        return None
    rows: list[list[str | Piece]] = []
    for step in shown.steps:
        at = release.step
        begun = release.stage != "Starting"
        over = begun and (step.index < at or (step.index == at and release.stage == "Watching"))
        current = begun and step.index == at and not over
        mark = Piece("✓", Style.GOOD) if over else Piece("▸" if current else " ", Style.MOVING)
        word = f"{step.weight:>3} %" if step.approval is None else "approval"
        style = Style.STRONG if current else Style.PLAIN if over else Style.FAINT
        rows.append(
            [
                Piece(str(step.index + 1), style),
                mark,
                Piece(word, style),
                Piece(_step_in_words(shown, step, current, over, hold), style),
            ]
        )
    if release.stage == "Watching" and hold is not None:
        rows.append(["", Piece("▸", Style.MOVING), "watch", _bar(hold)])
    return columns(rows)


def _step_in_words(shown: Shown, step: Step, current: bool, over: bool, hold: Hold | None) -> str:
    if current and hold is not None:
        return _bar(hold)
    if over:
        return ""
    if step.weight == 100:
        watch = shown.spec.watch.duration if shown.spec is not None else ""
        return f"then watched for {watch}"
    if step.approval is not None:
        release = shown.status.release
        if release is not None and step.index + 1 in release.approvals:
            return "approved"
        within = f", within {step.approval.timeout}" if step.approval.timeout else ""
        return f"by a person, at {step.weight} %{within}"
    pods = f"{step.split.stable} + {step.split.candidate} pods"
    return f"{for_people(step.hold)}, {pods}"


def _bar(hold: Hold) -> str:
    share = 1.0 if hold.whole <= 0 else max(0.0, min(1.0, hold.done / hold.whole))
    full = int(share * BAR)
    bar = "━" * full + "╌" * (BAR - full)
    still = ", standing still" if hold.still else ""
    return f"{bar} {for_people(hold.done)} of {for_people(hold.whole)}{still}"


def _checks_title(shown: Shown) -> Line | None:
    return _faint("checks") if shown.status.analysis is not None else None


def _checks(shown: Shown) -> list[Line] | None:
    analysis = shown.status.analysis
    if analysis is None:
        return None
    told = [check for check in analysis.checks if tells(check)]
    if not told:
        return None
    return columns([[check.name, verdict(check.verdict), check.message] for check in told])


def tells(check: CheckStatus) -> bool:
    """Rules and comparisons that apply, and conditions that begin to hold; the others would only be
    noise."""
    if check.verdict == "NotApplicable":
        return False
    return check.kind != CheckKind.CONDITION or check.verdict != "Good"


def _sides(shown: Shown, now: float) -> list[tuple[Line, list[Line]]]:
    status = shown.status
    known = [
        (role, side)
        for role, side in (
            ("stable", status.stable),
            ("candidate", status.candidate),
            ("previous", status.previous),
        )
        if side is not None
    ]
    titles = columns([_side(role, side) for role, side in known]) if known else []
    return [
        (line("  ", *title.pieces), _pods(shown.pods, side.revision, now))
        for title, (_, side) in zip(titles, known, strict=True)
    ]


def _side(role: str, side: VersionStatus) -> list[str | Piece]:
    ready = Style.PLAIN if side.ready >= side.replicas else Style.WAITING
    return [
        Piece(role, Style.FAINT),
        Piece(side.version, Style.STRONG),
        side.revision,
        Piece(f"{side.ready}/{side.replicas} pods ready", ready),
    ]


def _pods(pods: Sequence[Pod], revision: str, now: float) -> list[Line]:
    odd = [pod for pod in pods if pod.revision == revision and (pod.terminating or not pod.ready)]
    rows: list[tuple[str, str | Piece, str]] = [
        (pod.name, _pod_in_words(pod), since(now - pod.created) if pod.created else "")
        for pod in odd[:MOST_PODS]
    ]
    if len(odd) > MOST_PODS:
        rows.append((f"and {len(odd) - MOST_PODS} more", "", ""))
    return [
        line(name, "  ", words, Piece(f"  {age}" if age else "", Style.FAINT), hanging="  ")
        for name, words, age in rows
    ]


def _pod_in_words(pod: Pod) -> Piece:
    if pod.terminating:
        return Piece("ending", Style.FAINT)
    gate = pod.gate
    runs = gate is not None and gate.running_since is not None
    words = pod.waiting or ("warming up" if runs else "starting")
    if not pod.waiting and not pod.crashes:
        return Piece(words, Style.WAITING)
    if pod.crashes:
        words += f", crashed {'once' if pod.crashes == 1 else f'{pod.crashes} times'}"
    return Piece(f"{words}: {pod.message}" if pod.message else words, Style.BAD)


def _decisions(shown: Shown, now: float) -> list[Line] | None:
    last = shown.status.decisions[-DECISIONS:]
    if not last:
        return None
    return columns(
        [
            [
                Piece(f"{since(now - to_seconds(each.time))} ago", Style.FAINT),
                each.message[:MESSAGE],
            ]
            for each in reversed(last)
        ]
    )

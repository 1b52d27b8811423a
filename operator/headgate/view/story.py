"""The story of one release: what was decided, when, and the numbers that each decision rested on.

From the record of the release (`headgate.kube.records`), for `headgate explain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headgate.api.status import CheckStatus, RequestCounts, Status
from headgate.core.timing import for_people, to_seconds
from headgate.judge import CheckKind, Metric
from headgate.judge.intervals import wilson
from headgate.judge.sentences import count, percent, percent_limit
from headgate.judge.tally import Requests
from headgate.view.history import OUTCOMES
from headgate.view.text import Line, Piece, Style, columns, line
from headgate.view.tree import tells, verdict

Entry = Mapping[str, Any]

JUDGED = ("StepPassed", "Inconclusive", "Reverting", "Promoted", "RuleFailed", "ReleaseEnded")
"""Decisions that rest on what was measured before them."""
HEADINGS = ("CHECK", "VERDICT", "CANDIDATE", "95 %", "STABLE", "LIMIT", "E / BAD FROM")
INDENT = "    "
BAD = ("Reverting", "Reverted", "RuleFailed", "WriteFailed")


def heading(name: str, namespace: str, status: Status, release: str) -> list[Line]:
    """Which release it is, and what became of it."""
    revision = release.rpartition("-")[2]
    under_way = status.release
    title = f"{name} · {namespace} · "
    if under_way is not None and under_way.revision == revision:
        said = f"{under_way.version} · {status.phase} · {status.message}"
        return [line(Piece(title, Style.STRONG), said, hanging="  ")]
    record = next((each for each in reversed(status.releases) if each.revision == revision), None)
    if record is None:
        return [line(Piece(f"{title}revision {revision}", Style.STRONG))]
    why = "" if record.reason == record.outcome else f" ({record.reason})"
    return [
        line(
            Piece(f"{title}{record.version} · ", Style.STRONG),
            Piece(record.outcome, OUTCOMES.get(record.outcome, Style.PLAIN)),
            f"{why} at {record.weight} %",
            hanging="  ",
        )
    ]


def told_since(status: Status, release: str, entries: Sequence[Entry]) -> list[Entry]:
    """A release's entries, and after them what only its status knows yet: the record is written
    once in a while."""
    under_way = status.release
    if under_way is None or not release.endswith(f"-{under_way.revision}"):
        return list(entries)
    last = str(entries[-1]["time"]) if entries else under_way.started
    newer: list[Entry] = [
        {"time": each.time, "reason": each.reason, "message": each.message}
        for each in status.decisions
        if each.time > last or (not entries and each.time >= last)
    ]
    if status.analysis is not None and status.analysis.checks:
        newer.append(
            {
                "time": max([last, *(str(each["time"]) for each in newer)]),
                "verdict": status.analysis.verdict,
                "checks": [each.model_dump(by_alias=True) for each in status.analysis.checks],
            }
        )
    return [*entries, *newer]


def story(entries: Sequence[Entry]) -> list[Line]:
    """Every decision with its time since the first one, and below it what was measured until then;
    at the end what has been measured since the last one."""
    if not entries:
        return []
    start = to_seconds(str(entries[0].get("time", "")))
    lines: list[Line] = []
    measured: list[Entry] = []
    for entry in entries:
        if _is_measured(entry):
            measured.append(entry)
            continue
        lines.append(_decision(entry, start))
        if measured and entry.get("reason") in JUDGED:
            lines += _measurements(measured)
            measured = []
    return [*lines, *_measurements(measured)]


def _is_measured(entry: Entry) -> bool:
    return "verdict" in entry


def _decision(entry: Entry, start: float) -> Line:
    reason = str(entry.get("reason", ""))
    after = for_people(to_seconds(str(entry.get("time", ""))) - start)
    style = Style.BAD if reason in BAD else Style.STRONG
    return line(
        Piece(f"  {after:>8}  ", Style.FAINT),
        Piece(reason, style),
        f"  {entry.get('message', '')}",
        hanging=" " * 12,
    )


def _measurements(entries: Sequence[Entry]) -> list[Line]:
    """How often it was judged and how, and the numbers of the last time."""
    verdicts = dict.fromkeys(str(each["verdict"]) for each in entries if each["verdict"])
    counted = [f"{_times(entries, each)} {each}" for each in verdicts]
    outages = sum(1 for each in entries if each.get("outage"))
    counted += [f"{outages} without an answer of the provider"] if outages else []
    if not counted:
        return []
    samples = "sample" if len(entries) == 1 else "samples"
    said = f"{len(entries)} {samples}: {', '.join(counted)}"
    checks = [CheckStatus.model_validate(each) for each in entries[-1].get("checks", [])]
    told = [_check(each) for each in checks if tells(each)]
    if not told:
        return [_faint(f"{said}.")]
    rows = columns([[Piece(each, Style.FAINT) for each in HEADINGS], *told])
    table = [Line((Piece(INDENT), *row.pieces), whole=True) for row in rows]
    return [_faint(f"{said}; the last:"), *table]


def _faint(said: str) -> Line:
    return line(Piece(f"{INDENT}{said}", Style.FAINT), hanging=INDENT)


def _times(entries: Iterable[Entry], word: str) -> int:
    return sum(1 for each in entries if each["verdict"] == word)


def _check(check: CheckStatus) -> list[str | Piece]:
    """A row of the table."""
    row: list[str | Piece] = [check.name, verdict(check.verdict)]
    if check.metric == Metric.THROUGHPUT:
        shown = "–" if check.value is None else f"{check.value:,.1f}/s"
        return [*row, shown, "", "", f"{check.limit or 0:g}/s", ""]
    if check.kind == CheckKind.GAUGE:
        shown = "–" if check.value is None else f"{check.value:.4g}"
        return [*row, shown, "", "", f"× {check.limit or 0:g}", ""]
    if check.kind == CheckKind.DRIFT:
        shown = "–" if check.value is None else f"{check.value:.3g}"
        return [*row, shown, "", "", f"{check.limit or 0:g}", ""]
    limit = percent_limit(check.limit or 0)
    if check.kind == CheckKind.COMPARISON:
        limit = f"× {check.limit or 0:g}"
    e = "" if check.e is None or check.bad_from is None else f"{check.e:.3g} / {check.bad_from:g}"
    return [*row, *_side(check.candidate, interval=True), *_side(check.stable), limit, e]


def _side(counts: RequestCounts | None, interval: bool = False) -> list[str]:
    """The share of bad requests, and its interval where that is wanted."""
    if counts is None or not counts.total:
        return ["–", ""] if interval else ["–"]
    requests = Requests(counts.bad, counts.total)
    said = f"{percent(requests.share)} of {count(requests.total)}"
    if not interval:
        return [said]
    low, high = (f"{limit * 100:.1f}" for limit in wilson(requests))
    return [said, f"{low}–{high}"]

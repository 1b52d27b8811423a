"""The releases that have ended: a table of all, and one with its record of measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headgate.api.status import ReleaseRecord
from headgate.core.observation import KnownRevision
from headgate.core.timing import for_people, to_seconds
from headgate.view.ages import since
from headgate.view.text import Line, Piece, Style, columns, line

OUTCOMES = {"Promoted": Style.GOOD, "Failed": Style.BAD, "Reverted": Style.BAD}
HEADINGS = ("#", "REVISION", "VERSION", "OUTCOME", "REASON", "WEIGHT", "TOOK", "AGO")


def table(records: Sequence[ReleaseRecord], numbers: Mapping[str, int], now: float) -> list[Line]:
    """The releases, newest first, each with its sentence. `numbers` are those of the kept
    revisions; one that is no longer kept has none."""
    newest = list(reversed(records))
    rows: list[list[str | Piece]] = [[Piece(each, Style.STRONG) for each in HEADINGS]]
    rows += [_row(each, numbers, now) for each in newest]
    lines = columns(rows)
    made = [lines[0]]
    for record, row in zip(newest, lines[1:], strict=True):
        made.append(row)
        made.append(
            line(Piece("└─ ", Style.FAINT), Piece(record.message, Style.FAINT), hanging="   ")
        )
    return made


def _row(record: ReleaseRecord, numbers: Mapping[str, int], now: float) -> list[str | Piece]:
    return [
        str(numbers.get(record.revision, "–")),
        record.revision,
        record.version,
        Piece(record.outcome, OUTCOMES.get(record.outcome, Style.PLAIN)),
        "" if record.reason == record.outcome else record.reason,
        f"{record.weight}%",
        _took(record),
        since(now - to_seconds(record.finished)) if record.finished else "",
    ]


def _took(record: ReleaseRecord) -> str:
    if not record.started or not record.finished:
        return ""
    return for_people(to_seconds(record.finished) - to_seconds(record.started))


def details(
    known: KnownRevision,
    records: Sequence[ReleaseRecord],
    entries: Sequence[Mapping[str, Any]],
    images: Sequence[str],
) -> list[Line]:
    """One revision: whether it may come back, its releases, and what was measured last."""
    marks = ["once stable"] if known.once_stable else ["never stable"]
    marks += ["reverted before"] if known.rejected else []
    lines = [
        line(
            Piece(known.version, Style.STRONG),
            f" · revision {known.revision} · number {known.number} · {', '.join(marks)}",
            hanging="  ",
        )
    ]
    lines += [line(Piece("  image    ", Style.FAINT), image) for image in images]
    for record in records:
        outcome = Piece(record.outcome, OUTCOMES.get(record.outcome, Style.PLAIN))
        began = f"  {record.started}, {_took(record)}: "
        at = f" at {record.weight} %: {record.message}"
        lines.append(line(began, outcome, at, hanging=" " * 11))
    if entries:
        lines.append(line(Piece(f"  measured {len(entries)} entries; the last:", Style.FAINT)))
        lines += [line("    ", _entry(each), hanging=" " * 6) for each in entries[-5:]]
    return lines


def _entry(entry: Mapping[str, Any]) -> str:
    """A sample and what was judged of it, or a decision."""
    time, said = entry.get("time", ""), entry.get("message", "")
    if "verdict" not in entry:
        return f"{time}  {entry.get('reason', '')}: {said}"
    weight = entry.get("weight")
    at = f"{weight:g} %  " if isinstance(weight, int | float) else ""
    return f"{time}  {at}{entry['verdict']}: {said}"

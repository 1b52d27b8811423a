"""Many ModelDeployments as a table, one row each, and a sentence for those not at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headgate.core.timing import to_seconds
from headgate.view.ages import age
from headgate.view.shown import Shown
from headgate.view.situation import NOT_SEEN, happening
from headgate.view.text import Line, Piece, Style, columns, line
from headgate.view.tree import phase, verdict

HEADINGS = ("NAME", "PHASE", "STEP", "WEIGHT", "STABLE", "CANDIDATE", "VERDICT", "AGE")


def table(all_shown: Sequence[Shown], now: float, namespaces: bool = False) -> list[Line]:
    """The table; with `namespaces` the first column is the namespace."""
    before = ("NAMESPACE",) if namespaces else ()
    head: list[str | Piece] = [Piece(each, Style.STRONG) for each in (*before, *HEADINGS)]
    ordered = sorted(all_shown, key=lambda each: (each.namespace, each.name))
    rows = [head, *(_row(each, now, namespaces) for each in ordered)]
    lines = [replace(each, whole=True) for each in columns(rows)]
    made = [lines[0]]
    for shown, row in zip(ordered, lines[1:], strict=True):
        made.append(row)
        if shown.status.phase != "Stable" or not shown.is_seen:
            sentence = Piece(happening(shown) if shown.is_seen else NOT_SEEN, Style.FAINT)
            made.append(line(Piece("└─ ", Style.FAINT), sentence, hanging="   "))
    return made


def _row(shown: Shown, now: float, namespaces: bool) -> list[str | Piece]:
    status = shown.status
    return [
        *([shown.namespace] if namespaces else []),
        Piece(shown.name, Style.STRONG),
        phase(status),
        status.step,
        status.weight,
        status.stable.version if status.stable is not None else "",
        status.candidate.version if status.candidate is not None else "",
        verdict(status.verdict),
        age(now - to_seconds(shown.created)) if shown.created else "",
    ]

"""The closing table and the times of the parts: for a terminal, as plain lines, as Markdown.

Above `findings`; pure but for the printing.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hack.cluster.progress import duration
from hack.demo.findings import Finding

HEADINGS = (
    "release",
    "to be",
    "outcome",
    "took",
    "first bad sample to pinned",
    "pinned to last bad answer",
    "requests sent",
    "requests failed",
)
Part = tuple[str, float]
"""A part of the demonstration and the seconds that it took."""


def cells(finding: Finding) -> tuple[str, ...]:
    """One row, in the order of `HEADINGS`."""
    played = finding.played
    outcome = played.outcome or "no end"
    if played.outcome == "Reverted":
        outcome += f" at {played.weight} % ({played.reason})"
    took = "–" if played.finished is None else duration(played.finished - played.applied)
    return (
        f"{played.story.name} {played.release.version}",
        played.release.right,
        outcome,
        took,
        _to_pinned(finding),
        _to_last_bad(finding),
        f"{finding.sent:,}",
        f"{finding.failed:,}",
    )


def _to_pinned(finding: Finding) -> str:
    played = finding.played
    if not played.release.good and played.pinned is not None and played.first_bad is None:
        return "pinned before there was one"
    return _seconds(finding.to_pinned)


def _to_last_bad(finding: Finding) -> str:
    if finding.to_last_bad is not None and finding.to_last_bad <= 0:
        return "none after it"
    return _seconds(finding.to_last_bad)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"


def faults(findings: Sequence[Finding]) -> list[str]:
    """Everything that was not right, a sentence each."""
    return [
        f"{finding.played.story.name} {finding.played.release.version}: {fault}"
        for finding in findings
        for fault in finding.faults
    ]


def show(console: Console, findings: Sequence[Finding], parts: Sequence[Part]) -> None:
    """Print the table, what was wrong, and how long each part took."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if number < 3 else "right", no_wrap=number < 4)
    for finding in findings:
        release, *rest = cells(finding)
        mark = Text("ok  " if finding.right else "NO  ", "green" if finding.right else "bold red")
        table.add_row(mark.append(release, "default"), *rest)
    with console.capture() as captured:
        console.print(table)
    # Into a file, what pads a terminal's line is only noise.
    lines = captured.get().splitlines()
    console.file.write("\n".join(["", *(line.rstrip() for line in lines if line.strip()), ""]))
    for fault in faults(findings):
        console.print(Text(f"NO  {fault}", "bold red"), soft_wrap=True)
    console.print(Text(times(parts)), soft_wrap=True)


def times(parts: Sequence[Part]) -> str:
    """How long each part took, in one line."""
    whole = sum(seconds for _, seconds in parts)
    listed = ", ".join(f"{name} {duration(seconds)}" for name, seconds in parts)
    return f"Took {duration(whole)}: {listed}."


def markdown(findings: Sequence[Finding], parts: Sequence[Part]) -> str:
    """The same as Markdown, with the machine that it was measured on."""
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *(cells(each) for each in findings)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    wrong = "".join(f"\n- {fault}" for fault in faults(findings))
    machine = f"Measured on {os.cpu_count()} cores ({platform.machine()}, {platform.system()})."
    return f"{table}\n{wrong}\n{times(parts)} {machine}\n"

"""`headgate replay`: judge recorded polls again, under these limits or others; needs no cluster."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headgate.cli.recorded import Recorded
    from headgate.judge.comparison import Comparison
    from headgate.judge.values import Verdict

LARGEST = 16 * 1024 * 1024
"""Bytes of a file."""

_EPILOG = """\
examples:
  %(prog)s -f samples.json
  %(prog)s -f samples.json -o json
  jq '.tolerance = 2' samples.json | %(prog)s -f -    the same under another tolerance

The file holds the counts of each poll, not running totals:
  {"tolerance": 1.25, "alpha": 0.01, "minSamples": 300, "polls": [
    {"stable": {"bad": 0, "total": 900}, "candidate": {"bad": 1, "total": 100}}]}

exit codes: 0 judged, whatever the verdict; 2 not readable
"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    added = commands.add_parser(
        "replay",
        help="judge recorded polls again, without a cluster",
        description="Judge recorded polls of a candidate and the concurrent stable version again.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.add_argument("-f", "--filename", required=True, metavar="FILE", help="JSON file, or -")
    added.add_argument("-o", "--output", choices=["table", "json"], default="table")
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print what each poll came to; 2 when the file cannot be judged."""
    from headgate.cli.recorded import BadRecord, read
    from headgate.judge.comparison import judge_polls

    try:
        recorded = read(_text(arguments.filename), arguments.filename)
    except (BadRecord, OSError, UnicodeDecodeError) as error:
        print(f"headgate replay: {error}", file=sys.stderr)
        return 2
    judged = judge_polls(recorded.requests(), recorded.settings())
    print(_json(judged) if arguments.output == "json" else _table(recorded, judged))
    return 0


def _text(file: str) -> str:
    if file == "-":
        return sys.stdin.read(LARGEST + 1)
    with Path(file).open(encoding="utf-8") as stream:
        return stream.read(LARGEST + 1)


def _e(known: Comparison) -> float:
    """E, or the largest number there is: JSON knows no infinity."""
    import math

    largest = sys.float_info.max
    return math.exp(known.log_e) if known.log_e < math.log(largest) else largest


def _json(judged: list[tuple[Comparison, Verdict, str]]) -> str:
    polls = [{"e": _e(known), "verdict": verdict.value} for known, verdict, _ in judged]
    last = polls[-1]["verdict"] if polls else "Unknown"
    return json.dumps({"polls": polls, "verdict": last})


def _table(recorded: Recorded, judged: list[tuple[Comparison, Verdict, str]]) -> str:
    rows: list[tuple[str, ...]] = [("POLL", "STABLE", "CANDIDATE", "E", "VERDICT", "REASON")]
    for number, (poll, (known, verdict, reason)) in enumerate(
        zip(recorded.requests(), judged, strict=True), start=1
    ):
        sides = [f"{side.bad:g}/{side.total:g}" for side in poll]
        rows.append((str(number), *sides, f"{_e(known):.4g}", verdict.value, reason))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", _sentence(recorded, judged)])


def _sentence(recorded: Recorded, judged: list[tuple[Comparison, Verdict, str]]) -> str:
    from headgate.judge.sentences import count, percent
    from headgate.judge.values import Verdict

    if not judged:
        return "Unknown: there are no polls."
    polls, settings = recorded.requests(), recorded.settings()
    known, verdict, reason = judged[-1]
    if verdict is Verdict.BAD:
        first = next(number for number, each in enumerate(judged, 1) if each[1] is Verdict.BAD)
        polls, where = polls[:first], f" at poll {first}"
    else:
        where = ""
    stable = sum((each for each, _ in polls[1:]), polls[0][0])
    candidate = sum((each for _, each in polls[1:]), polls[0][1])
    said = (
        f"{verdict.value}{where}: candidate {percent(candidate.share)} bad against "
        f"{percent(stable.share)} ({count(candidate.total)} and {count(stable.total)} requests)"
    )
    if reason == "TooFewSamples":
        return f"{said}; Good needs {count(settings.min_samples)} requests of each side."
    if reason == "Suspicion":
        return f"{said}; E is {_e(known):.3g}, under 3 would be Good, {1 / settings.alpha:g} Bad."
    worse = "more than" if verdict is Verdict.BAD else "no sign of more than"
    return f"{said}: {worse} {settings.tolerance:g} times as bad."

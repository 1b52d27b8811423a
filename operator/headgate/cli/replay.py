"""`headgate replay`: judge recorded polls again, under these limits or others; needs no cluster."""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headgate.judge.comparison import Comparison, Judged, Requests, Settings

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
    from headgate.cli.screen import Screen
    from headgate.judge.comparison import judge_polls
    from headgate.view.text import columns, line

    try:
        recorded = read(arguments.filename)
    except BadRecord as error:
        print(f"headgate replay: {error}", file=sys.stderr)
        return 2
    polls, settings = recorded.requests(), recorded.settings()
    judged = judge_polls(polls, settings)
    if arguments.output == "json":
        print(_json(judged))
    else:
        said = line(_sentence(polls, settings, judged))
        Screen().show([*columns(_rows(polls, judged)), line(), said])
    return 0


def _e(known: Comparison) -> float:
    """E, or the largest number there is: JSON knows no infinity."""
    largest = sys.float_info.max
    return math.exp(known.log_e) if known.log_e < math.log(largest) else largest


def _json(judged: list[Judged]) -> str:
    polls = [{"e": _e(each.known), "verdict": each.verdict.value} for each in judged]
    last = polls[-1]["verdict"] if polls else "Unknown"
    return json.dumps({"polls": polls, "verdict": last})


def _rows(polls: list[tuple[Requests, Requests]], judged: list[Judged]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("POLL", "STABLE", "CANDIDATE", "E", "VERDICT", "REASON")]
    for number, (poll, each) in enumerate(zip(polls, judged, strict=True), start=1):
        sides = [f"{side.bad:g}/{side.total:g}" for side in poll]
        rows.append((str(number), *sides, f"{_e(each.known):.4g}", each.verdict.value, each.reason))
    return rows


def _sentence(
    polls: list[tuple[Requests, Requests]], settings: Settings, judged: list[Judged]
) -> str:
    """The last verdict with the numbers behind it; of a Bad one, those that it was found on."""
    from headgate.judge.comparison import NONE, SUSPICION
    from headgate.judge.sentences import count, percent
    from headgate.judge.values import Verdict

    if not judged:
        return "Unknown: there are no polls."
    last, where = judged[-1], ""
    if last.verdict is Verdict.BAD:
        first = next(number for number, each in enumerate(judged, 1) if each.verdict is Verdict.BAD)
        polls, where = polls[:first], f" at poll {first}"
    stable = sum((each for each, _ in polls), NONE)
    candidate = sum((each for _, each in polls), NONE)
    said = (
        f"{last.verdict.value}{where}: candidate {percent(candidate.share)} bad against "
        f"{percent(stable.share)} ({count(candidate.total)} and {count(stable.total)} requests)"
    )
    match last.reason:
        case "TooFewSamples":
            return f"{said}; Good needs {count(settings.min_samples)} requests of each side."
        case "Suspicion":
            least = percent(settings.min_difference)
            return (
                f"{said}; Good is E under {SUSPICION:g}, Bad from {settings.threshold:g} on with "
                f"shares at least {least} apart."
            )
        case "WorseThanStable":
            return f"{said}: more than {settings.tolerance:g} times as bad."
    return f"{said}: nothing says that it is more than {settings.tolerance:g} times as bad."

"""`headgate replay`: judge a release of the cluster again, or polls recorded in a file, under the
limits of then or others."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.cli.cluster import Trouble, add_flags, add_name
from headgate.cli.status import duration

if TYPE_CHECKING:
    from headgate.judge.comparison import Judged
    from headgate.judge.tally import Requests
    from headgate.judge.values import Comparison

_EPILOG = """\
examples:
  %(prog)s fraud --prometheus http://localhost:9090
  %(prog)s fraud --prometheus http://localhost:9090 --error-rate 0.02 --plot fraud.png
  %(prog)s -f samples.json
  %(prog)s -f samples.json -o json
  jq '.tolerance = 2' samples.json | %(prog)s -f -    the same under another tolerance

A release is looked up in its record; its metrics are read again from a Prometheus that you can
reach, such as by `kubectl port-forward`, and judged under the limits of the spec or yours.

A file holds the counts of each poll, not running totals:
  {"tolerance": 1.25, "alpha": 0.01, "minSamples": 300, "polls": [
    {"stable": {"bad": 0, "total": 900}, "candidate": {"bad": 1, "total": 100}}]}

exit codes: 0 judged, whatever the verdict; 1 no such release, or no metrics; 2 not readable
"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    added = commands.add_parser(
        "replay",
        help="judge a past release again, or recorded polls without a cluster",
        description="Judge a past release again from Prometheus, or polls recorded in a file.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_name(added, optional=True)
    added.add_argument("-f", "--filename", metavar="FILE", help="JSON file, or - (no cluster)")
    added.add_argument("--prometheus", metavar="URL", help="where the release's metrics are")
    added.add_argument(
        "--scrape-interval", type=duration, default="15s", metavar="TIME", help="default: 15s"
    )
    added.add_argument(
        "--revision", metavar="REVISION", help="a revision, its beginning, number or version"
    )
    for flag, kind, metavar, what in (
        ("--error-rate", float, "SHARE", "judge by this limit instead, such as 0.02"),
        ("--latency", duration, "TIME", "judge by this limit of p99 instead, such as 800ms"),
        ("--tolerance", float, "TIMES", "the candidate may be so many times as bad"),
        ("--alpha", float, "SHARE", "accepted probability of a wrong Bad"),
        ("--min-samples", float, "N", "requests of each side that Good needs"),
    ):
        added.add_argument(flag, type=kind, metavar=metavar, help=what)
    added.add_argument("--plot", type=Path, metavar="FILE", help="draw it into a PNG or SVG file")
    added.add_argument("-o", "--output", choices=["table", "json"], default="table")
    add_flags(added)
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print what each poll came to; not 0 when it cannot be judged."""
    if (arguments.filename is None) == (arguments.name is None):
        print("headgate replay: name a ModelDeployment, or a file with -f", file=sys.stderr)
        return 2
    if arguments.name is None:
        return _file(arguments)
    if arguments.prometheus is None:
        print(
            "headgate replay: --prometheus says where the metrics are, as in"
            " --prometheus http://localhost:9090",
            file=sys.stderr,
        )
        return 2
    from headgate.cli.replayed import execute as replay_release

    return replay_release(arguments)


def _file(arguments: argparse.Namespace) -> int:
    from headgate.cli.plotted import of_file
    from headgate.cli.recorded import BadRecord, read
    from headgate.cli.screen import Screen
    from headgate.judge.comparison import judge_polls
    from headgate.view.text import columns, line

    try:
        recorded = read(arguments.filename)
        polls, settings = recorded.requests(), changed(recorded.settings(), arguments)
        judged = judge_polls(polls, settings)
        said = _sentence(polls, settings, judged)
        if arguments.plot is not None:
            of_file(said, polls, judged, settings, arguments.plot)
    except (BadRecord, Trouble) as error:
        print(f"headgate replay: {error}", file=sys.stderr)
        return 2
    if arguments.output == "json":
        print(_json(judged))
    else:
        Screen().show([*columns(_rows(polls, judged)), line(), line(said)])
    return 0


def changed(settings: Comparison, arguments: argparse.Namespace) -> Comparison:
    """The settings of then, with what flags say otherwise. Raises `Trouble`."""
    given = {
        "tolerance": arguments.tolerance,
        "alpha": arguments.alpha,
        "min_samples": arguments.min_samples,
    }
    try:
        return replace(settings, **{k: value for k, value in given.items() if value is not None})
    except ValueError as error:
        raise Trouble(str(error)) from error


def _json(judged: list[Judged]) -> str:
    from headgate.judge.bets import to_e

    polls = [{"e": to_e(each.known.log_e), "verdict": each.verdict.value} for each in judged]
    last = polls[-1]["verdict"] if polls else "Unknown"
    return json.dumps({"polls": polls, "verdict": last})


def _rows(polls: list[tuple[Requests, Requests]], judged: list[Judged]) -> list[tuple[str, ...]]:
    from headgate.judge.bets import to_e

    rows: list[tuple[str, ...]] = [("POLL", "STABLE", "CANDIDATE", "E", "VERDICT", "REASON")]
    for number, (poll, each) in enumerate(zip(polls, judged, strict=True), start=1):
        sides = [f"{side.bad:g}/{side.total:g}" for side in poll]
        said = [str(number), *sides, f"{to_e(each.known.log_e):.4g}"]
        rows.append((*said, each.verdict.value, each.reason))
    return rows


def _sentence(
    polls: list[tuple[Requests, Requests]], settings: Comparison, judged: list[Judged]
) -> str:
    """The last verdict with the numbers behind it; of a Bad one, those that it was found on."""
    from headgate.judge.bets import SUSPICIOUS
    from headgate.judge.sentences import count, percent
    from headgate.judge.tally import NONE
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
                f"{said}; Good is E under {SUSPICIOUS:g}, Bad from {1 / settings.alpha:g} on with "
                f"shares at least {least} apart."
            )
        case "WorseThanStable":
            return f"{said}: more than {settings.tolerance:g} times as bad."
    return f"{said}: nothing says that it is more than {settings.tolerance:g} times as bad."

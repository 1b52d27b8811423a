"""`headgate explain`: the story of the last release, or of the one under way: why at each step."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headgate.cli.cluster import Session, Trouble, add_flags, add_name, plain_name, run

if TYPE_CHECKING:
    from headgate.view.shown import Shown

_EPILOG = """\
examples:
  %(prog)s fraud                      the release under way, or the last one
  %(prog)s fraud --revision 2.3.0     the last release of that revision
  %(prog)s fraud -o json              its record: every decision and every judged sample
  %(prog)s fraud --query              what Prometheus is asked, to ask it yourself

The column "95 %%" holds confidence intervals, for reading; verdicts rest on E, which may be looked
at on every poll: see `headgate replay --help`.
"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    added = commands.add_parser(
        "explain",
        help="tell the story of a release: why at each step",
        description="Tell every decision of a release, with the numbers that it rested on.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_name(added)
    added.add_argument(
        "--revision", metavar="REVISION", help="a revision, its beginning, number or version"
    )
    added.add_argument(
        "--query", action="store_true", help="print the PromQL that its metrics are read with"
    )
    added.add_argument("-o", "--output", choices=["text", "json"], default="text")
    add_flags(added)
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print the story; 1 when there is none."""
    return run(arguments, lambda session: _explain(session, arguments))


async def _explain(session: Session, arguments: argparse.Namespace) -> int:
    import json

    from headgate.cli.records import recorded_release
    from headgate.cli.screen import Screen
    from headgate.view.shown import read
    from headgate.view.story import heading, story, told_since

    name = plain_name(arguments.name)
    shown = read(await session.find(name))
    status = shown.status
    release, entries = await recorded_release(session, name, status, arguments.revision)
    if arguments.query:
        print(_query(shown, release, entries))
        return 0
    entries = told_since(status, release, entries)
    if arguments.output == "json":
        print(json.dumps({"release": release, "entries": entries}))
    else:
        Screen().show([*heading(name, session.namespace, status, release), *story(entries)])
    return 0


def _query(shown: Shown, release: str, entries: list[Mapping[str, Any]]) -> str:
    """The question about the pods of this release alone, in the form in which the operator asks
    about all releases at once."""
    from headgate.core.settings import DEFAULT_SCRAPE_INTERVAL
    from headgate.metrics import target_of
    from headgate.metrics.presets import PRESETS, unknown
    from headgate.metrics.promql import counters
    from headgate.metrics.questions import STALE_SCRAPES
    from headgate.view.past import past_of

    if shown.spec is None:
        raise Trouble("the spec is not one that this version of Headgate can read")
    preset = PRESETS.get(shown.spec.analysis.runtime)
    if preset is None:
        raise Trouble(unknown(shown.spec.analysis.runtime))
    try:
        past = past_of(entries, shown.name, release.rpartition("-")[2])
    except ValueError as error:
        raise Trouble(str(error)) from error
    target = target_of(shown.namespace, shown.name, shown.spec, past.pods)
    oldest = STALE_SCRAPES * DEFAULT_SCRAPE_INTERVAL
    return counters(preset, target.counted, target.limits, oldest)

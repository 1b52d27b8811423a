"""`headgate status`: how the release of the current spec stands, in one line and an exit code; with
--wait, once it has come to its end. For pipelines."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

from headgate.api.quantities import parse_duration
from headgate.cli.cluster import TIMED_OUT, Session, add_flags, add_name, plain_name, run

if TYPE_CHECKING:
    from headgate.view.shown import Shown

_EPILOG = """\
examples:
  %(prog)s fraud
  kubectl apply -f fraud.yaml && %(prog)s fraud --wait --timeout 2h
  %(prog)s fraud --wait --for stable    also waits until the watch is over

exit codes: 0 released, 1 reverted, aborted or failed, 3 not yet (with --wait: timed out)
"""
READ_SECONDS = 1
REMINDER_SECONDS = 60


def duration(text: str) -> float:
    """A duration of a flag, in seconds."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add(commands: Any) -> None:
    """Add the command to the parser."""
    added = commands.add_parser(
        "status",
        help="say how the release of the current spec stands; wait for its end",
        description="Say how the release of the current spec stands, in a line and an exit code.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_name(added)
    added.add_argument("--wait", action="store_true", help="until it is released or has failed")
    added.add_argument(
        "--timeout", type=duration, default=None, metavar="TIME", help="such as 2h (default: none)"
    )
    added.add_argument(
        "--for",
        dest="goal",
        choices=["promoted", "stable"],
        default="promoted",
        help="promoted: all traffic (default); stable: its watch is over too",
    )
    add_flags(added)
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print where it stands; the exit code says it too."""
    return run(arguments, lambda session: _status(session, arguments))


async def _status(session: Session, arguments: argparse.Namespace) -> int:
    from headgate.kube.client import Unavailable
    from headgate.view.outcome import Goal, outcome_of
    from headgate.view.shown import read

    name, goal = plain_name(arguments.name), Goal(arguments.goal)
    deadline = None if arguments.timeout is None else time.monotonic() + arguments.timeout
    progress = _Progress()
    trouble = ""
    while True:
        try:
            shown = read(await session.find(name))
            trouble = ""
        except Unavailable as error:
            # An API server that restarts says nothing about the release.
            if not arguments.wait or progress.is_new:
                raise
            trouble = str(error)
        outcome = outcome_of(shown, goal)
        if outcome.reached is not None and not trouble:
            print(outcome.sentence)
            return 0 if outcome.reached else 1
        if not arguments.wait:
            print(outcome.sentence)
            return TIMED_OUT
        progress.tell(shown, trouble)
        if deadline is not None and time.monotonic() >= deadline:
            print(f"Timed out: {trouble or outcome.sentence}", file=sys.stderr)
            return TIMED_OUT
        await asyncio.sleep(READ_SECONDS)


class _Progress:
    """Says what is new: each decision once, and now and then what is waited for."""

    def __init__(self) -> None:
        self.is_new = True
        self._told: set[tuple[str, str]] = set()
        self._reminded = 0.0

    def tell(self, shown: Shown, trouble: str) -> None:
        """Print what has not been said yet."""
        from headgate.view.situation import coming, happening

        decisions = [(each.time, each.message) for each in shown.status.decisions]
        if self.is_new:
            # What was decided before anybody waited is history.
            release = shown.status.release
            began = release.started if release is not None else "~"
            self._told = {each for each in decisions if each[0] < began}
            self.is_new = False
        new = [each for each in decisions if each not in self._told]
        for moment, message in new:
            _say(f"{moment[11:19]}Z", message)
        self._told.update(new)
        now = time.time()
        if new:
            self._reminded = now
        if now - self._reminded >= REMINDER_SECONDS:
            self._reminded = now
            said = trouble or happening(shown)
            following = "" if trouble else coming(shown, now)
            _say(
                time.strftime("%H:%M:%SZ", time.gmtime(now)),
                f"{said}; next: {following}" if following else said,
            )


def _say(moment: str, sentence: str) -> None:
    print(f"{moment}  {sentence}", flush=True)

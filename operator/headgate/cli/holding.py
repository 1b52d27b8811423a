"""`headgate pause, resume, restart`: change one field of the spec that the operator acts upon."""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import TYPE_CHECKING, Any

from headgate.cli.cluster import Session, add_flags, add_name, plain_name, run

if TYPE_CHECKING:
    from headgate.kube.client import Object

SEEN_SECONDS = 10.0
READ_SECONDS = 0.3

_COMMANDS = {
    "pause": (
        "stop where things are: no step forward, though a bad version is still taken back",
        """\
examples:
  %(prog)s fraud
  %(prog)s fraud --dry-run    print what to commit to git instead
""",
    ),
    "resume": (
        "let a paused release go on",
        """\
examples:
  %(prog)s fraud
""",
    ),
    "restart": (
        "start the pods anew, as `kubectl rollout restart` does, without failing a request",
        """\
examples:
  %(prog)s fraud
  %(prog)s fraud && headgate status fraud --wait
""",
    ),
}


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    from headgate.cli.act import add_answer_flags

    for name, (what, examples) in _COMMANDS.items():
        added = commands.add_parser(
            name,
            help=what,
            description=f"{what[0].upper()}{what[1:]}.",
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_name(added)
        add_answer_flags(added)
        add_flags(added)
        added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Change the field, and say how things stand then."""
    return run(arguments, lambda session: _hold(session, arguments))


async def _hold(session: Session, arguments: argparse.Namespace) -> int:
    from headgate.cli.act import print_manifest, write
    from headgate.core.timing import to_text

    name, verb = plain_name(arguments.name), str(arguments.command)
    fields: dict[str, Any] = (
        {"restartAt": to_text(time.time())} if verb == "restart" else {"suspend": verb == "pause"}
    )
    if arguments.dry_run:
        await session.find(name)
        print_manifest(session, name, fields)
        return 0

    def change(stored: Object) -> bool:
        """Whether anything is to be changed."""
        suspended = bool((stored.get("spec") or {}).get("suspend"))
        return verb == "restart" or suspended != (verb == "pause")

    if not await write(session, name, change, lambda needed: fields if needed else None):
        print(f"{name} is {'paused already' if verb == 'pause' else 'not paused'}.")
        return 0
    print(f"{name} is {'to be restarted' if verb == 'restart' else f'{verb}d'}.")
    if not arguments.no_wait:
        await _say_standing(session, name)
    return 0


async def _say_standing(session: Session, name: str) -> None:
    """What the operator says once it has seen the change."""
    from headgate.view.shown import read

    deadline = time.monotonic() + SEEN_SECONDS
    while time.monotonic() < deadline:
        shown = read(await session.find(name))
        if shown.is_seen and shown.status.message:
            print(shown.status.message)
            return
        await asyncio.sleep(READ_SECONDS)
    print("The operator has not looked at it yet: is it running?")

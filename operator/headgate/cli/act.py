"""`headgate approve, promote, abort, retry, undo`: ask something of a release, and hear the answer.

Each writes `spec.action`, bound to one revision and to what was read; the operator carries it out.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from headgate.cli.cluster import TIMED_OUT, Session, Trouble, add_flags, add_name, plain_name, run

if TYPE_CHECKING:
    from headgate.api.action import Action
    from headgate.kube.client import Object

Found = TypeVar("Found")

ANSWER_SECONDS = 10.0
READ_SECONDS = 0.3
ATTEMPTS = 5

_COMMANDS = {
    "approve": (
        "let a release go on past an approval",
        """\
examples:
  %(prog)s fraud              the step that waits now
  %(prog)s fraud --step 3     also beforehand: it counts when step 3 is reached
""",
    ),
    "promote": (
        "give the new version all traffic now, without further steps",
        """\
examples:
  %(prog)s fraud
  %(prog)s fraud --revision b81d0abcde    only if that is the one being released

Its pods must be ready and its checks passed; a version that turns bad is still taken back.
""",
    ),
    "abort": (
        "take the release back to the version before",
        """\
examples:
  %(prog)s fraud
  %(prog)s fraud --revision b81d0abcde    only if that is the one being released

The version is not tried again until a retry, or until the spec changes.
""",
    ),
    "retry": (
        "try a version again that was taken back",
        """\
examples:
  %(prog)s fraud
  %(prog)s fraud --dry-run    print what to commit to git instead
""",
    ),
    "undo": (
        "go back to a version from history",
        """\
examples:
  %(prog)s fraud                 to the version that was stable before
  %(prog)s fraud --to 2.1.0      to another one that is kept: see `history`

A version that once was stable comes back at once, without steps. The spec still names the one
that was undone; it is not tried again until a retry, or until the spec changes.
""",
    ),
}
_REPEAT = """
It is safe to repeat: what is done already is told, and asked no second time.
exit codes: 0 done, 1 refused or ignored, 3 the operator has not answered within 10 s
"""


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    for name, (what, examples) in _COMMANDS.items():
        added = commands.add_parser(
            name,
            help=what,
            description=f"{what[0].upper()}{what[1:]}.",
            epilog=examples + _REPEAT,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_name(added)
        added.add_argument(
            "--revision",
            metavar="REVISION",
            help="the revision meant, or its version: another one is not touched",
        )
        if name == "approve":
            added.add_argument("--step", type=int, metavar="N", help="counted from 1")
        if name == "undo":
            added.add_argument("--to", metavar="REVISION", help="where to: a revision or version")
        add_answer_flags(added)
        add_flags(added)
        added.set_defaults(execute=execute)


def add_answer_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that changes the spec."""
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the operator")
    parser.add_argument(
        "--dry-run", action="store_true", help="print what to commit to git, and change nothing"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Ask, and print the operator's answer."""
    return run(arguments, lambda session: _act(session, arguments))


async def _act(session: Session, arguments: argparse.Namespace) -> int:
    from headgate.api.action import ActionType
    from headgate.cli.asking import Already, Pending, Wish, ask
    from headgate.core.timing import to_text
    from headgate.view.shown import read

    name, kind = plain_name(arguments.name), ActionType(arguments.command.capitalize())
    wish = Wish(
        kind,
        await _meant(session, name, arguments.revision),
        getattr(arguments, "step", None),
        await _meant(session, name, getattr(arguments, "to", None)),
    )
    by, at = await _user(session), to_text(time.time())

    def change(stored: Object) -> Any:
        shown = read(stored)
        if shown.spec is None:
            raise Trouble(f"this version of Headgate cannot read the spec of {name}: upgrade it")
        return ask(wish, shown, by, at)

    if arguments.dry_run:
        asked = change(await session.find(name))
        if isinstance(asked, Already):
            print(asked.sentence)
        else:
            action = asked.action if isinstance(asked, Pending) else asked
            print_manifest(session, name, {"action": _written(action)})
        return 0
    asked = await write(
        session,
        name,
        change,
        lambda found: None if isinstance(found, Already | Pending) else {"action": _written(found)},
    )
    if isinstance(asked, Already):
        print(asked.sentence)
        return 0
    action = asked.action if isinstance(asked, Pending) else asked
    if arguments.no_wait:
        before = f" already, at {action.at}" if isinstance(asked, Pending) else ""
        print(f"Asked to {kind.lower()} revision {action.revision} of {name}{before}.")
        return 0
    return await _answer(session, name, action)


def _written(action: Action) -> dict[str, Any]:
    # Every field: a merge patch keeps what it does not mention, such as the last action's step.
    written: dict[str, Any] = action.model_dump(mode="json", by_alias=True)
    return written


async def _meant(session: Session, name: str, text: str | None) -> str | None:
    """The revision that a person named by its hash or by its version."""
    from headgate.cli.history import kept_revisions, known_revisions, pick

    if text is None:
        return None
    return pick(known_revisions(await kept_revisions(session, name)), text).revision


async def _user(session: Session) -> str | None:
    """Who asks, as the API server knows them; an admission policy compares it."""
    from headgate.kube.client import Forbidden, NotFound

    try:
        return await session.client.user() or None
    except (Forbidden, NotFound):
        # A cluster older than 1.28 does not say.
        return None


async def write(
    session: Session,
    name: str,
    change: Callable[[Object], Found],
    fields: Callable[[Found], dict[str, Any] | None],
) -> Found:
    """Read, decide, and change the spec only if it is still what was read; else all anew.

    Gives what was decided; nothing is written when `fields` gives None.
    """
    from headgate.kube.client import MODEL_DEPLOYMENT, Conflict

    for _ in range(ATTEMPTS):
        stored = await session.find(name)
        found = change(stored)
        changes = fields(found)
        if changes is None:
            return found
        try:
            written = await session.client.patch(
                MODEL_DEPLOYMENT,
                session.namespace,
                name,
                {"spec": changes},
                resource_version=stored["metadata"]["resourceVersion"],
            )
        except Conflict:
            continue
        missing = [field for field in changes if field not in written["spec"]]
        if missing:
            raise Trouble(f"this cluster's CRD has no spec.{missing[0]}: upgrade Headgate there")
        return found
    raise Trouble(f"{name} is being changed by somebody else again and again: try it once more")


def print_manifest(session: Session, name: str, fields: dict[str, Any]) -> None:
    """Print the fields as a manifest that can be applied or merged into the one in git."""
    import yaml

    from headgate.api.base import API_VERSION, KIND

    fields = {
        key: {each: text for each, text in value.items() if text is not None}
        if isinstance(value, dict)
        else value
        for key, value in fields.items()
    }
    manifest = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": session.namespace},
        "spec": fields,
    }
    print(yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True), end="")


async def _answer(session: Session, name: str, action: Action) -> int:
    from headgate.view.shown import handles, read

    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        shown = read(await session.find(name))
        status = shown.status.action
        if status is not None and handles(status, action):
            print(status.message)
            return 0 if status.outcome == "Done" else 1
        if shown.spec is not None and shown.spec.action != action:
            raise Trouble("somebody asked for something else meanwhile, which took its place")
        await asyncio.sleep(READ_SECONDS)
    print(
        f"Asked, but the operator has not answered within {ANSWER_SECONDS:.0f} s: is it running?"
        " The action stays in the spec and is carried out when it does.",
        file=sys.stderr,
    )
    return TIMED_OUT

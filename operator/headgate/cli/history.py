"""`headgate history`: the releases that have ended, and what is kept of one revision."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headgate.cli.cluster import Session, Trouble, add_flags, add_name, plain_name, run

if TYPE_CHECKING:
    from headgate.core.observation import KnownRevision
    from headgate.kube.client import Object

_EPILOG = """\
examples:
  %(prog)s fraud                                  the last ten releases and how they ended
  %(prog)s fraud --revision 2.3.0                 one of them, with what was measured
  %(prog)s fraud --revision 7f9c2abcde -o yaml    its pod template, as it was released
"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    added = commands.add_parser(
        "history",
        help="show past releases, and what is kept of a revision",
        description="Show the last ten releases, or what is kept of one revision.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_name(added)
    added.add_argument(
        "--revision", metavar="REVISION", help="a revision, its beginning, number or version"
    )
    added.add_argument("-o", "--output", choices=["table", "yaml"], default="table")
    add_flags(added)
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print the table, or one revision."""
    return run(arguments, lambda session: _history(session, arguments))


async def _history(session: Session, arguments: argparse.Namespace) -> int:
    from headgate.cli.screen import Screen
    from headgate.view import history
    from headgate.view.shown import read

    if arguments.output == "yaml" and not arguments.revision:
        raise Trouble("-o yaml shows one revision: name it with --revision")
    name = plain_name(arguments.name)
    shown = read(await session.find(name))
    stored = await kept_revisions(session, name)
    known = known_revisions(stored)
    if arguments.revision:
        found = pick(known, arguments.revision)
        kept = next(each for each in stored if _revision(each) == found.revision)
        if arguments.output == "yaml":
            import yaml

            print(yaml.safe_dump(kept["data"], sort_keys=False, allow_unicode=True).rstrip())
            return 0
        records = [each for each in shown.status.releases if each.revision == found.revision]
        entries = await _entries(session, name, found.revision)
        Screen().show(history.details(found, records, entries, _images(kept)))
        return 0
    if not shown.status.releases:
        print(f"No release of {name} has ended yet.")
        return 0
    numbers = {each.revision: each.number for each in known}
    Screen().show(history.table(shown.status.releases, numbers, time.time()))
    return 0


async def kept_revisions(session: Session, name: str) -> list[Object]:
    """The ControllerRevisions of a ModelDeployment."""
    from headgate.kube.client import CONTROLLER_REVISION
    from headgate.render.names import OWNED_BY

    return await session.client.list(CONTROLLER_REVISION, session.namespace, f"{OWNED_BY}={name}")


def known_revisions(stored: Sequence[Object]) -> list[KnownRevision]:
    """The revisions that are kept, oldest first."""
    from headgate.core.observation import KnownRevision
    from headgate.render.revision import ONCE_STABLE, REJECTED

    found = []
    for each in stored:
        annotations = each["metadata"].get("annotations") or {}
        found.append(
            KnownRevision(
                revision=_revision(each),
                version=str((each.get("data") or {}).get("version", "")),
                number=int(each.get("revision") or 0),
                once_stable=annotations.get(ONCE_STABLE) == "true",
                rejected=annotations.get(REJECTED) == "true",
            )
        )
    return sorted(found, key=lambda each: each.number)


def _revision(stored: Object) -> str:
    from headgate.render.names import REVISION

    return str((stored["metadata"].get("labels") or {}).get(REVISION, ""))


def pick(known: Sequence[KnownRevision], text: str) -> KnownRevision:
    """The revision that a person means: by its hash, its beginning, its number, or a version.

    Raises `Trouble` when there is none, or more than one.
    """
    exact = [each for each in known if text in (each.revision, each.version, str(each.number))]
    found = exact or [each for each in known if each.revision.startswith(text)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{each.revision} ({each.version})" for each in found or known)
    if found:
        raise Trouble(f"{text!r} may be any of {listed}: name the revision")
    raise Trouble(f"no revision {text!r} is kept; there are {listed or 'none'}")


async def _entries(session: Session, name: str, revision: str) -> list[dict[str, Any]]:
    """What was measured in the latest release of a revision."""
    from headgate.cli.records import recorded
    from headgate.kube.records import read_entries, releases

    contents = await recorded(session, name)
    of_revision = [each for each in releases(contents) if each.endswith(f"-{revision}")]
    return read_entries(contents, of_revision[-1]) if of_revision else []


def _images(kept: Object) -> list[str]:
    template = (kept.get("data") or {}).get("template") or {}
    containers = (template.get("spec") or {}).get("containers") or []
    return [str(each.get("image", "")) for each in containers]

"""`headgate get`: one ModelDeployment as a tree, or many as a table; once, or watched."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from headgate.cli.cluster import Session, Trouble, add_flags, add_name, plain_name, run

if TYPE_CHECKING:
    from headgate.kube.client import Object
    from headgate.view.shown import Shown
    from headgate.view.text import Line

_EPILOG = """\
examples:
  %(prog)s                    all in the namespace, one row each
  %(prog)s -A                 all in the cluster
  %(prog)s fraud              what happens, why, what comes next, what you can do
  %(prog)s fraud -w           the same, live, until Ctrl-C
  %(prog)s fraud -o json      the stored object, for a script
"""
READ_SECONDS = 2


def add(commands: Any) -> None:
    """Add the command to the parser."""
    added = commands.add_parser(
        "get",
        help="show releases: steps, pods, verdict, and what comes next",
        description="Show one ModelDeployment as a tree, or all of a namespace as a table.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_name(added, optional=True)
    added.add_argument("-w", "--watch", action="store_true", help="draw anew as things change")
    added.add_argument("-o", "--output", choices=["tree", "json", "yaml"], default="tree")
    added.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    add_flags(added)
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Show it once, or until interrupted."""
    code = run(arguments, lambda session: _get(session, arguments))
    # Ctrl-C is how a watch ends.
    return 0 if code == 130 and arguments.watch else code


async def _get(session: Session, arguments: argparse.Namespace) -> int:
    if arguments.name and arguments.all_namespaces:
        raise Trouble("a name is looked for in one namespace: leave out -A, or the name")
    if arguments.watch and arguments.output != "tree":
        raise Trouble("-w draws a tree: leave out -o, or use kubectl get --watch")
    picture = _Picture(session, arguments)
    if arguments.watch:
        await _watch(picture)
        return 0
    await picture.read()
    if arguments.output == "tree":
        from headgate.cli.screen import Screen

        Screen().show(picture.lines(time.time()))
        return 0
    print(_text(picture.body(), arguments.output))
    return 0


class _Picture:
    """What was read last, and how it looks at a moment."""

    def __init__(self, session: Session, arguments: argparse.Namespace) -> None:
        self._session = session
        self._name = plain_name(arguments.name) if arguments.name else ""
        self._namespace = None if arguments.all_namespaces else session.namespace
        self._stored: list[Object] = []
        self._shown: list[Shown] = []

    async def read(self) -> None:
        """Read anew."""
        from headgate.view.shown import read

        if self._name:
            stored, shown = await self._session.shown(self._name)
            self._stored, self._shown = [stored], [shown]
        else:
            self._stored = await self._session.all(self._namespace)
            self._shown = [read(each) for each in self._stored]

    @property
    def key(self) -> Any:
        """Differs when anything has changed."""
        return (
            [each["metadata"]["resourceVersion"] for each in self._stored],
            [each.pods for each in self._shown],
        )

    def body(self) -> Any:
        """The stored object, or a list of them, without what only the API server needs."""
        for each in self._stored:
            each["metadata"].pop("managedFields", None)
        if self._name:
            return self._stored[0]
        return {"apiVersion": "v1", "kind": "List", "items": self._stored}

    def lines(self, now: float) -> list[Line]:
        """As it looks."""
        from headgate.view.listing import table
        from headgate.view.text import line
        from headgate.view.tree import tree

        if self._name:
            return tree(self._shown[0], now, lambda verb: self._session.command(verb, self._name))
        if not self._shown:
            where = self._namespace or "any namespace"
            return [line(f"There is no ModelDeployment in {where}.")]
        return table(self._shown, now, namespaces=self._namespace is None)


async def _watch(picture: _Picture) -> None:
    from headgate.cli.screen import Screen
    from headgate.kube.client import Unavailable
    from headgate.view.text import Piece, Style, line

    screen, known, trouble = Screen(), None, ""
    await picture.read()
    while True:
        if screen.is_terminal:
            for _ in range(READ_SECONDS):
                warning = [line(Piece(trouble, Style.BAD))] if trouble else []
                screen.redraw([*picture.lines(time.time()), *warning])
                await asyncio.sleep(1)
        else:
            if picture.key != known:
                screen.show([*picture.lines(time.time()), line("")])
                known = picture.key
            await asyncio.sleep(READ_SECONDS)
        try:
            await picture.read()
            trouble = ""
        except Unavailable as error:
            # What was read last is still worth seeing, and the next look may succeed.
            trouble = trouble or f"as of {time.strftime('%H:%M:%S')}: {error}"


def _text(body: Any, output: str) -> str:
    if output == "json":
        return json.dumps(body, indent=2, ensure_ascii=False)
    import yaml

    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True).rstrip()

"""The page of commands, docs/commands.md, made from the parser itself; hack/generate.py writes it.

argparse's own help differs between versions of Python and with the width of a terminal; this does
not.
"""

from __future__ import annotations

import argparse

from headgate.cli import parser

HEAD = """\
<!-- Written by hack/generate.py from operator/headgate/cli; edit the commands instead. -->
# Commands

`headgate` is also installed as `kubectl-headgate`, so `kubectl headgate …` is the same. Every
command says the same as this page with `--help`. Flags that say which cluster is meant are
kubectl's own: `-n`, `--context`, `--kubeconfig`.

What a command asks of a release is written into `spec`, bound to one revision and recorded with its
author; `--dry-run` prints it instead, to be committed to git.
"""
SHARED = frozenset({"--help", "--namespace", "--context", "--kubeconfig"})
"""Flags that are not listed with each command."""


def page() -> str:
    """The whole page as Markdown."""
    top = parser()
    commands = next(each for each in top._actions if isinstance(each, argparse._SubParsersAction))
    parts = [HEAD]
    for name, command in commands.choices.items():
        parts.append(f"## {name}\n\n{command.description}\n")
        rows = [_row(each) for each in command._actions if not _is_shared(each)]
        if rows:
            parts.append("| | |\n|---|---|\n" + "".join(f"{row}\n" for row in rows))
        epilog = (command.epilog or "") % {"prog": f"{top.prog} {name}"}
        parts.append(f"```text\n{epilog.strip()}\n```\n")
    return "\n".join(parts)


def _is_shared(action: argparse.Action) -> bool:
    return bool(SHARED & set(action.option_strings))


def _row(action: argparse.Action) -> str:
    if not action.option_strings:
        spelled = str(action.metavar or action.dest.upper())
    else:
        value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
        spelled = f"{', '.join(action.option_strings)}{value}"
    said = [action.help] if action.help else []
    if action.choices:
        said.append(f"one of {', '.join(str(each) for each in action.choices)}")
    return f"| `{spelled}` | {'; '.join(said)} |"

"""`headgate completion`: scripts with which a shell completes commands, flags and names.

The scripts only ask `headgate __complete WORDS…`, so they fit every version of it: what follows is
read from the parser, and names from the cluster, if it answers at once.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from typing import Any

HIDDEN = "__complete"
"""What the scripts call; the last word after it is the one being typed."""
NAMES_SECONDS = 2.0

_EPILOG = """\
examples:
  source <(%(prog)s bash)                                   in ~/.bashrc
  source <(%(prog)s zsh)                                    in ~/.zshrc, after compinit
  %(prog)s fish > ~/.config/fish/completions/headgate.fish

for `kubectl headgate` kubectl asks a program beside the plugin, on your PATH:
  %(prog)s kubectl > ~/.local/bin/kubectl_complete-headgate
  chmod +x ~/.local/bin/kubectl_complete-headgate
"""

_SCRIPTS = {
    "bash": """\
# Completes headgate; written by `headgate completion bash`.
_headgate() {
    local IFS=$'\\n'
    COMPREPLY=($(headgate __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _headgate headgate
""",
    "zsh": """\
# Completes headgate; written by `headgate completion zsh`.
_headgate() {
    local -a found
    found=("${(@f)$(headgate __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    [[ -n ${found[1]} ]] && compadd -- "${found[@]}" || _files
}
compdef _headgate headgate
""",
    "fish": """\
# Completes headgate; written by `headgate completion fish`.
function __headgate_complete
    headgate __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end
complete -c headgate -a '(__headgate_complete)'
""",
    "kubectl": """\
#!/bin/sh
# Completes kubectl headgate; written by `headgate completion kubectl`.
# The last line tells kubectl what else to offer: 0 is files, when nothing else fits.
kubectl-headgate __complete "$@" 2>/dev/null
echo :0
""",
}


def add(commands: Any) -> None:
    """Add the command to the parser."""
    what = "print a script that completes commands, flags and names"
    added = commands.add_parser(
        "completion",
        help=what,
        description=f"{what.capitalize()}.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.add_argument("shell", choices=list(_SCRIPTS))
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print the script."""
    print(_SCRIPTS[arguments.shell], end="")
    return 0


def complete(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """What the last of the words may become."""
    *before, typed = words or [""]
    return sorted({each for each in _candidates(parser, before, typed) if each.startswith(typed)})


def _candidates(
    parser: argparse.ArgumentParser, before: Sequence[str], typed: str
) -> Iterator[str]:
    commands = _commands(parser)
    chosen = commands.get(before[0]) if before else None
    if chosen is None:
        yield from commands if not before else ()
        return
    flag = next((each for each in _flags(chosen) if before[-1] in each.option_strings), None)
    if flag is not None and flag.nargs != 0:
        yield from (str(each) for each in flag.choices or ())
        return
    if typed.startswith("-"):
        for each in _flags(chosen):
            yield from each.option_strings
        return
    if _has_positional(chosen, before[1:]):
        return
    for positional in chosen._get_positional_actions():
        yield from (str(each) for each in positional.choices or ())
        if positional.dest == "name":
            yield from _names(parser, before)


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return next(
        dict(each.choices)
        for each in parser._actions
        if isinstance(each, argparse._SubParsersAction)
    )


def _flags(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [each for each in parser._actions if each.option_strings]


def _has_positional(parser: argparse.ArgumentParser, words: Sequence[str]) -> bool:
    """Whether a word is neither a flag nor a flag's value; no command takes a second such word."""
    takes_value = {
        name for each in _flags(parser) if each.nargs != 0 for name in each.option_strings
    }
    return any(
        not word.startswith("-") and (index == 0 or words[index - 1] not in takes_value)
        for index, word in enumerate(words)
    )


def _names(parser: argparse.ArgumentParser, before: Sequence[str]) -> list[str]:
    """The ModelDeployments of the namespace that the words before name; none without an answer."""
    import asyncio

    from headgate.cli.cluster import Session, run

    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):  # noqa: PTH123
        try:
            arguments = parser.parse_args([*before, "x"])
        except SystemExit:
            return []
        names: list[str] = []

        async def read(session: Session) -> int:
            async with asyncio.timeout(NAMES_SECONDS):
                found = await session.all(session.namespace)
            names.extend(each["metadata"]["name"] for each in found)
            return 0

        try:
            run(arguments, read)
        except TimeoutError:
            return []
    return names

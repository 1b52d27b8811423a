"""The command line: `headgate`, also installed as `kubectl-headgate`.

Each command is a module with `add(subparsers)` and `run(arguments) -> exit code`; it imports what
it needs only when it runs, so that `headgate plan` need not load the operator. Exit codes: 0 done,
1 failed, 2 wrong usage or input, 3 waited in vain.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import headgate
from headgate.cli import (
    act,
    completion,
    crd,
    explain,
    get,
    history,
    holding,
    lint,
    plan,
    replay,
    run,
    status,
)

_EXAMPLES = """\
examples:
  %(prog)s get                                    all releases of the namespace
  %(prog)s get fraud -w                           one release, live
  %(prog)s approve fraud                          let it go on past an approval
  %(prog)s lint -f modeldeployment.yaml           what is wrong or unwise in a manifest
  %(prog)s plan -f modeldeployment.yaml           what a release of this manifest would do
  %(prog)s plan -f modeldeployment.yaml -o json   the same for a script
  %(prog)s replay -f samples.json                 judge recorded polls again
  %(prog)s crd | kubectl apply -f -               install the CRD without Helm
  %(prog)s run --providers providers.yaml         run the operator with your own kubeconfig
"""


def program() -> str:
    """What a person typed to get here: kubectl calls its plugin kubectl-headgate."""
    called = Path(sys.argv[0]).stem if sys.argv else ""
    return "kubectl headgate" if called == "kubectl-headgate" else "headgate"


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog=program(),
        description="Releases machine-learning models safely on Kubernetes.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"headgate {headgate.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (
        get,
        status,
        explain,
        history,
        act,
        holding,
        plan,
        lint,
        replay,
        completion,
        crd,
        run,
    ):
        command.add(commands)
    top.set_defaults(program=top.prog)
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == [completion.HIDDEN]:
        print(*completion.complete(parser(), words[1:]), sep="\n")
        return
    parsed = parser().parse_args(words)
    try:
        code: int = parsed.execute(parsed)
    except BrokenPipeError:
        # The reader (`head`, a pager) has seen enough.
        sys.stderr.close()
        code = 0
    sys.exit(code)

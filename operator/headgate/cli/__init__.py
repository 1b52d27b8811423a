"""The command line: `headgate`, also installed as `kubectl-headgate`.

Each command is a module with `add(subparsers)` and `run(arguments) -> exit code`; it imports what
it needs only when it runs, so that `headgate plan` need not load the operator. Exit codes: 0 done,
1 failed, 2 wrong usage or input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import headgate
from headgate.cli import crd, plan, run

_EXAMPLES = """\
examples:
  headgate plan -f modeldeployment.yaml           what a release of this manifest would do
  headgate plan -f modeldeployment.yaml -o json   the same for a script
  headgate crd | kubectl apply -f -               install the CRD without Helm
  headgate run --providers providers.yaml         run the operator with your own kubeconfig
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="headgate",
        description="Releases machine-learning models safely on Kubernetes.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"headgate {headgate.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (run, plan, crd):
        command.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    parsed = parser().parse_args(arguments)
    try:
        code: int = parsed.execute(parsed)
    except BrokenPipeError:
        # The reader (`head`, a pager) has seen enough.
        sys.stderr.close()
        code = 0
    sys.exit(code)

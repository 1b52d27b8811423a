"""`headgate crd`: print the CustomResourceDefinition, for installs without Helm."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the parser."""
    what = "print the CustomResourceDefinition"
    added = commands.add_parser(
        "crd",
        help=what,
        description=f"{what}.",
        epilog="example:\n  headgate crd | kubectl apply -f -\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print the definition as YAML."""
    from headgate.api.crd import manifest

    print(manifest(), end="")
    return 0

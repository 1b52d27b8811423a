"""`headgate plan`: what a release of a manifest would do, step by step, without a cluster."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from headgate.core.offline import PlannedStep

_EPILOG = """\
examples:
  headgate plan -f modeldeployment.yaml
  headgate plan -f modeldeployment.yaml -o json
  kustomize build . | headgate plan -f -

A weight that whole pods cannot express is marked "~"; more replicas or maxSurge bring it nearer.
"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    what = "show the steps of a release without a cluster"
    added = commands.add_parser(
        "plan",
        help=what,
        description=f"{what.capitalize()}: weight, pods of each side, and how long it holds.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.add_argument("-f", "--filename", required=True, metavar="FILE", help="manifest, or -")
    added.add_argument("-o", "--output", choices=["table", "json"], default="table")
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print the plan; 2 when the manifest cannot work."""
    from headgate.cli.manifest import BadManifest, read
    from headgate.cli.screen import Screen
    from headgate.core.offline import plan_steps, remarks
    from headgate.core.weights import NoSplitError
    from headgate.view.text import columns

    try:
        manifests = read(arguments.filename)
        planned = [(each, plan_steps(each.spec)) for each in manifests]
    except (BadManifest, NoSplitError) as error:
        print(f"headgate plan: {error}", file=sys.stderr)
        return 2
    if arguments.output == "json":
        documents = [{"steps": [_as_json(step) for step in steps]} for _, steps in planned]
        for document in documents:
            print(json.dumps(document, ensure_ascii=False))
        return 0
    for index, (manifest, steps) in enumerate(planned):
        strategy = manifest.spec.strategy.type
        print("\n" * bool(index), end="")
        print(f"{manifest.name} {manifest.spec.model.version} · {strategy}")
        Screen().show(columns(_rows(steps)))
        for remark in remarks(manifest.spec):
            print(remark)
    return 0


def _as_json(step: PlannedStep) -> dict[str, Any]:
    whole = step.effective_weight == int(step.effective_weight)
    return {
        "index": step.index,
        "kind": step.kind,
        "weight": step.weight,
        "stable": step.stable,
        "candidate": step.candidate,
        "effectiveWeight": int(step.effective_weight) if whole else step.effective_weight,
        "approximated": step.approximated,
        "hold": step.hold,
    }


def _hold(step: PlannedStep) -> str:
    match step.kind:
        case "approval":
            return f"approval within {step.timeout}" if step.timeout else "approval"
        case "analysis":
            return f"Good for {step.hold}"
        case "scale":
            return "until ready"
        case "promotion":
            return "watch"
        case _:
            return step.hold


def _rows(steps: list[PlannedStep]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("STEP", "WEIGHT", "STABLE", "CANDIDATE", "EFFECTIVE", "HOLD")]
    for step in steps:
        mark = "~" if step.approximated else ""
        rows.append(
            (
                str(step.index + 1),
                f"{step.weight}%",
                str(step.stable),
                str(step.candidate),
                f"{mark}{step.effective_weight:g}%",
                _hold(step),
            )
        )
    return rows

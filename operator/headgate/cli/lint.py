"""`headgate lint`: what is wrong or unwise in manifests, before they reach a cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_EPILOG = """\
examples:
  %(prog)s -f fraud.yaml
  %(prog)s -f fraud.yaml -f risk.yaml --strict    warnings fail too, for a pipeline
  kustomize build . | %(prog)s -f -

exit codes: 0 nothing is wrong, 1 something is (with --strict: or is unwise), 2 not readable
"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    added = commands.add_parser(
        "lint",
        help="find what is wrong or unwise in a manifest, without a cluster",
        description="Find what the API server would refuse in a manifest, and what is unwise in it,"
        " without a cluster.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.add_argument(
        "-f", "--filename", action="append", required=True, metavar="FILE", help="manifest, or -"
    )
    added.add_argument("--strict", action="store_true", help="fail for warnings too")
    added.set_defaults(execute=execute)


@dataclass(frozen=True)
class Finding:
    """One thing that was found."""

    sentence: str
    is_error: bool = True


def execute(arguments: argparse.Namespace) -> int:
    """Print the findings of each ModelDeployment."""
    from headgate.api.base import KIND
    from headgate.cli.manifest import BadManifest, model_deployments

    errors, warnings = 0, 0
    for file in arguments.filename:
        try:
            documents = model_deployments(file)
        except BadManifest as error:
            print(f"headgate lint: {error}", file=sys.stderr)
            return 2
        for document in documents:
            findings = list(check(document))
            errors += sum(each.is_error for each in findings)
            warnings += sum(not each.is_error for each in findings)
            name = (document.get("metadata") or {}).get("name") or "without a name"
            print(f"{file}: {KIND} {name}{'' if findings else ': nothing found'}")
            for each in findings:
                print(f"  {'error  ' if each.is_error else 'warning'}  {each.sentence}")
    if errors or warnings:
        print(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}")
    return 1 if errors or (warnings and arguments.strict) else 0


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def check(document: dict[str, Any]) -> Iterator[Finding]:
    """What is wrong with a ModelDeployment; what is unwise, if nothing is wrong."""
    from headgate.api.environments import resolve
    from headgate.api.spec import ModelDeploymentSpec
    from headgate.core.advice import advise
    from headgate.core.weights import NoSplitError

    errors = list(_errors(document))
    yield from (Finding(each) for each in errors)
    if errors:
        return
    spec = resolve(ModelDeploymentSpec.model_validate(document["spec"]))
    try:
        advice = advise(spec)
    except NoSplitError as error:
        yield Finding(f"spec.strategy: {error}")
        return
    yield from (Finding(f"{each.field}: {each.sentence}", is_error=False) for each in advice)


def _errors(document: dict[str, Any]) -> Iterator[str]:
    from pydantic import ValidationError

    from headgate.api import pod_template
    from headgate.api.base import API_VERSION, NAME_MESSAGE, is_name, refusals
    from headgate.api.spec import ModelDeploymentSpec

    if document.get("apiVersion") != API_VERSION:
        yield f"apiVersion: is {document.get('apiVersion')!r}: write {API_VERSION}"
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not is_name(name):
        yield f"metadata.name: {NAME_MESSAGE}" if name else "metadata.name: is missing"
    for field in document:
        if field not in ("apiVersion", "kind", "metadata", "spec", "status"):
            yield f"{field}: there is no such field"
    spec = document.get("spec")
    if not isinstance(spec, dict):
        yield "spec: is missing"
        return
    try:
        ModelDeploymentSpec.model_validate(spec)
    except ValidationError as error:
        yield from refusals(error)
    if isinstance(spec.get("template"), dict):
        yield from pod_template.refusals(spec["template"])

"""Reads ModelDeployments from a file, and says in the field's own name what is wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from headgate.api.base import KIND, refusals
from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec

LARGEST = 4 * 1024 * 1024
"""Bytes of a manifest; the API server takes no more than 3 MiB either."""


class BadManifest(Exception):  # noqa: N818 - what the person is told, not a fault of ours
    """What is wrong with a file, in sentences that name the field and the cure."""


@dataclass(frozen=True)
class Manifest:
    """One ModelDeployment of a file, with its spec resolved."""

    name: str
    namespace: str
    spec: ModelDeploymentSpec


def read(file: str) -> list[Manifest]:
    """The ModelDeployments of a file, "-" for standard input; other objects are passed over.

    Raises `BadManifest`.
    """
    return [_manifest(each, file) for each in model_deployments(file)]


def model_deployments(file: str) -> list[dict[str, Any]]:
    """The same as they are written, unchecked. Raises `BadManifest` when there is none."""
    documents = list(_documents(_text(file), file))
    found = [each for each in documents if each.get("kind") == KIND]
    if not found:
        raise BadManifest(f"{file}: no {KIND} in it (kind: {KIND} is what is looked for)")
    return found


def _text(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read(LARGEST)
        with Path(file).open(encoding="utf-8") as stream:
            return stream.read(LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise BadManifest(f"{file}: cannot be read: {error}") from error


def _documents(text: str, file: str) -> Iterator[dict[str, Any]]:
    try:
        for document in yaml.safe_load_all(text):
            if isinstance(document, dict):
                items = document.get("items") if document.get("kind") == "List" else None
                yield from (each for each in items or [document] if isinstance(each, dict))
            elif document is not None:
                raise BadManifest(f"{file}: a manifest is a mapping that begins with apiVersion")
    except yaml.YAMLError as error:
        raise BadManifest(f"{file}: not YAML: {error}") from error


def _manifest(document: dict[str, Any], file: str) -> Manifest:
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = str(metadata.get("name") or "")
    if not name:
        raise BadManifest(f"{file}: metadata.name is missing: give the {KIND} a name")
    try:
        spec = ModelDeploymentSpec.model_validate(document.get("spec") or {})
    except ValidationError as error:
        lines = "\n".join(f"  {each}" for each in refusals(error))
        raise BadManifest(f"{file}: {KIND} {name} cannot work:\n{lines}") from error
    return Manifest(name, str(metadata.get("namespace") or ""), resolve(spec))

"""The schemas by which an API server reads objects, as files for kubeconform.

They are the server's own OpenAPI documents. What it refuses by default is refused here, too: a
field that nobody knows.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hack.cluster import Cluster

LOCATION = "{{.ResourceKind}}{{.KindSuffix}}.json"
"""The name of a file, as kubeconform's -schema-location has it."""

_REFERENCE = "#/components/schemas/"
_REFERENCES = re.compile(rf'"\$ref": "{_REFERENCE}([^"]+)"')


def write(cluster: Cluster, kinds: Iterable[tuple[str, str]], directory: Path) -> None:
    """Write a schema for each pair of apiVersion and kind that the server knows."""
    for api_version, kind in kinds:
        group, _, version = api_version.rpartition("/")
        path = f"/openapi/v3/{'apis' if group else 'api'}/{api_version}"
        known = _schemas(cluster, path)
        described = {"group": group, "version": version, "kind": kind}
        for name, schema in known.items():
            if described in schema.get("x-kubernetes-group-version-kind", ()):
                needed = {each: known[each] for each in _reached(name, known, set())}
                document = {"$ref": _REFERENCE + name, "components": {"schemas": needed}}
                parts = [kind.lower(), *group.split(".")[:1], version]
                file = directory / f"{'-'.join(filter(None, parts))}.json"
                file.write_text(json.dumps(document), "utf-8")


@functools.cache
def _schemas(cluster: Cluster, path: str) -> dict[str, Any]:
    read = json.loads(cluster.kubectl("get", "--raw", path))
    found: dict[str, Any] = _closed(read["components"]["schemas"])
    return found


def _reached(name: str, known: dict[str, Any], seen: set[str]) -> set[str]:
    """What the schema of that name refers to, itself included."""
    if name not in seen:
        seen.add(name)
        for each in _REFERENCES.findall(json.dumps(known[name])):
            _reached(each, known, seen)
    return seen


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {key: _closed(each) for key, each in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found

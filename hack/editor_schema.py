"""The schema of ModelDeployment as editors and kubeconform read it: JSON Schema, made of the CRD's.

What only the API server understands is left out, its admission rules among them; what it refuses
by default, a field that nobody knows, is refused here as well. `hack.generate` writes the file.
"""

from __future__ import annotations

import json
from typing import Any

from headgate.api.crd import definition

_HEAD = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "$comment": "Written by hack/generate.py from operator/headgate/api.",
    "title": "ModelDeployment headgate.dev/v1alpha1",
}


def document() -> str:
    """The JSON Schema."""
    spec = definition()["spec"]
    (version,) = spec["versions"]
    schema = _translated(version["schema"]["openAPIV3Schema"])
    own = {
        "apiVersion": {"const": f"{spec['group']}/{version['name']}"},
        "kind": {"const": spec["names"]["kind"]},
        "metadata": {"type": "object"},
    }
    schema["properties"] = {**schema["properties"], **own}
    schema["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return json.dumps({**_HEAD, **schema}, indent=1, ensure_ascii=False) + "\n"


def _translated(node: dict[str, Any]) -> dict[str, Any]:
    """A structural schema as JSON Schema."""
    found = {key: value for key, value in node.items() if not key.startswith("x-kubernetes-")}
    # Left out means the default, which the server writes.
    if node.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
        found.pop("anyOf", None)
        found["type"] = ["integer", "string"]
    if found.pop("nullable", False) and "type" in found:
        types = found["type"]
        found["type"] = [*(types if isinstance(types, list) else [types]), "null"]
    if "properties" in found:
        found["properties"] = {
            name: _translated(each) for name, each in found["properties"].items()
        }
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            found["additionalProperties"] = False
    elif isinstance(found.get("additionalProperties"), dict):
        found["additionalProperties"] = _translated(found["additionalProperties"])
    if isinstance(found.get("items"), dict):
        found["items"] = _translated(found["items"])
    return found

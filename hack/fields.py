"""The page of fields, docs/fields.md, from the CRD: what `kubectl explain` knows, on one page.

`hack.generate` writes it. The pod template is Kubernetes' own and only named here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headgate.api.crd import definition

_HEAD = """\
<!-- Written by hack/generate.py from operator/headgate/api; edit the models instead. -->
# Fields of a ModelDeployment

The same as `kubectl explain modeldeployment.spec --recursive`. Required fields are marked with *;
what is left out has the default of the environment, or the one that is said.
"""
_FOREIGN = frozenset({"spec.template"})


def page() -> str:
    """The page as Markdown: a section for each group of fields, spec first."""
    (version,) = definition()["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]
    sections = [*_sections("spec", schema["spec"]), *_sections("status", schema["status"])]
    return _HEAD + "".join(sections)


def _sections(path: str, node: dict[str, Any]) -> Iterator[str]:
    properties = node.get("properties", {})
    required = node.get("required", ())
    rows = [
        f"| `{name}`{'*' if name in required else ''} | {_type(each)} | {_words(each)} |\n"
        for name, each in properties.items()
    ]
    yield f"\n## `{path}`\n\n| field | type | |\n|---|---|---|\n{''.join(rows)}"
    for name, each in properties.items():
        below = f"{path}.{name}"
        inner, suffix = (each["items"], "[]") if "items" in each else (each, "")
        if inner.get("properties") and below not in _FOREIGN:
            yield from _sections(below + suffix, inner)


def _type(node: dict[str, Any]) -> str:
    if "enum" in node:
        return "one of " + ", ".join(f"`{each}`" for each in node["enum"])
    if node.get("x-kubernetes-int-or-string"):
        return "number or text"
    if "items" in node:
        return f"list of {_type(node['items'])}"
    if isinstance(node.get("additionalProperties"), dict):
        return f"map of {_type(node['additionalProperties'])}"
    names = {"string": "text", "object": "group", "boolean": "true or false"}
    kind = str(node.get("type", "anything"))
    return names.get(kind, kind)


def _words(node: dict[str, Any]) -> str:
    return " ".join(str(node.get("description", "")).split()).replace("|", "\\|")

"""What the API server's schema refuses in a pod template, found without a server.

The template is checked against the same schema that the CRD carries (`pod_template.yaml`). This is
the small part of OpenAPI that a structural schema of Kubernetes uses; the spec's own models check
everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

Schema = Mapping[str, Any]

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


@cache
def schema() -> dict[str, Any]:
    """The schema of a pod template, as the CRD has it."""
    text = resources.files(__package__).joinpath("pod_template.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def refusals(template: Any, path: str = "spec.template") -> Iterator[str]:
    """One sentence per refusal, `spec.template.spec.containers[0].imgae: …`, in their order."""
    yield from _refusals(template, schema(), path)


def _refusals(value: Any, expected: Schema, path: str) -> Iterator[str]:
    if value is None:
        if not expected.get("nullable"):
            yield f"{path}: is empty: write a value, or remove the field"
        return
    if expected.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield f"{path}: {value!r} is neither a whole number nor text"
        elif isinstance(value, str):
            yield from _text(value, expected, path)
        return
    kind = expected.get("type")
    if kind is not None and not _is(value, kind):
        yield f"{path}: {_short(value)} is not of type {kind}{_quotes(value, kind)}"
    elif isinstance(value, dict):
        yield from _object(value, expected, path)
    elif isinstance(value, list):
        yield from _list(value, expected, path)
    elif isinstance(value, str):
        yield from _text(value, expected, path)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _quotes(value: Any, kind: str) -> str:
    scalar = kind == "string" and isinstance(value, int | float | bool)
    return f': write it in quotes, "{str(value).lower()}"' if scalar else ""


def _object(value: Mapping[Any, Any], expected: Schema, path: str) -> Iterator[str]:
    properties: Mapping[str, Schema] = expected.get("properties") or {}
    others = expected.get("additionalProperties")
    for name in expected.get("required") or ():
        if name not in value:
            yield f"{path}.{name}: is missing"
    for name, each in value.items():
        if name in properties:
            yield from _refusals(each, properties[name], f"{path}.{name}")
        elif isinstance(others, Mapping):
            yield from _refusals(each, others, f"{path}.{name}")
        elif properties and not expected.get("x-kubernetes-preserve-unknown-fields"):
            yield f"{path}.{name}: there is no such field{_similar(str(name), properties)}"
    yield from _size(len(value), expected, "maxProperties", path)


def _similar(name: str, properties: Mapping[str, Schema]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, properties, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _list(value: list[Any], expected: Schema, path: str) -> Iterator[str]:
    yield from _size(len(value), expected, "maxItems", path)
    for index, each in enumerate(value):
        yield from _refusals(each, expected.get("items") or {}, f"{path}[{index}]")
    keys = expected.get("x-kubernetes-list-map-keys")
    if not keys or not all(isinstance(each, dict) for each in value):
        return
    defaults = {key: expected["items"]["properties"][key].get("default") for key in keys}
    seen: set[str] = set()
    for index, each in enumerate(value):
        identity = repr([each.get(key, defaults[key]) for key in keys])
        if identity in seen:
            yield f"{path}[{index}]: has the same {' and '.join(keys)} as one before it"
        seen.add(identity)


def _size(count: int, expected: Schema, limit: str, path: str) -> Iterator[str]:
    if count > expected.get(limit, count):
        yield f"{path}: has {count} entries; {expected[limit]} are allowed"


def _text(value: str, expected: Schema, path: str) -> Iterator[str]:
    pattern = expected.get("pattern")
    if pattern is not None and not re.search(pattern, value):
        yield f"{path}: {_short(value)} is not spelled as Kubernetes asks: {pattern}"

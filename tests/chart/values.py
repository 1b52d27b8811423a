"""Values for the chart as its schema allows them, and the same with one fault.

Hypothesis draws them from `values.schema.json` itself: what is added there is tried from then on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.chart.conftest import CHART

Node = dict[str, Any]
Path = tuple[str, ...]

SCHEMA: Node = json.loads((CHART / "values.schema.json").read_text("utf-8"))
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))

# What YAML 1.1 or 1.2 takes for something else than a text, or for the end of one.
_AWKWARD = st.sampled_from(
    [
        *("", " ", "~", "null", "true", "no", "on", "y", "=", "<<", "0o17", "0x1F", "1e3", "1:30"),
        *("2001-01-01", "- a", "a: b", "{a", "[", "'", '"', "#", " #", "%", "@", "&a", "*a", "!a"),
        *("|", ">", "a\nb", "a\n", "\ta", "{{ .Values }}", "é", "\x85", "\u2028", "\ufeff", "😀"),
    ]
)
_TEXT = _AWKWARD | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_FIELD = st.from_regex(r"[a-z][a-zA-Z]{0,7}", fullmatch=True)
_ANY = st.recursive(
    st.booleans() | st.integers(-9, 9) | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_FIELD, inner, max_size=2),
    max_leaves=4,
)
_FEW = 3


@st.composite
def right(draw: st.DrawFn) -> dict[str, Any]:
    """Values that the schema allows."""
    values: dict[str, Any] = draw(_WHOLE)
    return values


def _allowed(node: Node) -> st.SearchStrategy[Any]:
    """What this part of the schema allows."""
    node = _resolved(node)
    return _shaped(node).filter(_validator(node).is_valid)


def _shaped(node: Node) -> st.SearchStrategy[Any]:
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if "allOf" in node:
        return _allowed(node["allOf"][0])
    match node["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(node.get("minimum"), node.get("maximum"))
        case "string":
            pattern = node.get("pattern")
            return st.from_regex(pattern, fullmatch=True) if pattern else _TEXT
        case "array":
            return st.lists(
                _allowed(node["items"]), min_size=node.get("minItems", 0), max_size=_FEW
            )
        case "object" if "properties" in node:
            each = {name: _allowed(inner) for name, inner in node["properties"].items()}
            needed = {name: each.pop(name) for name in node.get("required", ())}
            return st.fixed_dictionaries(needed, optional=each)
        case "object" if "patternProperties" in node:
            ((names, inner),) = node["patternProperties"].items()
            fewest = node.get("minProperties", 0)
            keys = st.from_regex(names, fullmatch=True)
            return st.dictionaries(keys, _allowed(inner), min_size=fewest, max_size=_FEW)
        case "object":
            return st.dictionaries(_FIELD, _ANY, max_size=_FEW)
    raise AssertionError(f"no values for {node}")


def _validator(node: Node) -> Draft7Validator:
    return Draft7Validator({"definitions": SCHEMA["definitions"], **node})


def _resolved(node: Node) -> Node:
    while "$ref" in node:
        node = SCHEMA["definitions"][node["$ref"].removeprefix("#/definitions/")]
    return node


_WHOLE = _allowed(SCHEMA)
_WRONG: tuple[object, ...] = (
    *(7, -1, 10**9, True, "a b", "Ä", "", [], ["a b"], [[]]),
    *({}, {"a b": "c"}, {"a": "b c"}, {"a": 7}),
)


@st.composite
def wrong(draw: st.DrawFn) -> tuple[dict[str, Any], Path]:
    """Values that the schema allows but for one, and where that is."""
    values = draw(right())
    path, node = draw(st.sampled_from(list(_places(SCHEMA, values))))
    allowed = _validator(node).is_valid
    fault = draw(st.sampled_from([each for each in _WRONG if not allowed(each)]))
    return _with(values, path, fault), path


def _places(node: Node, values: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Each value that the schema says something about, and what."""
    for name, value in values.items():
        about = [node.get("properties", {}).get(name), *node.get("patternProperties", {}).values()]
        for inner in map(_resolved, filter(None, about)):
            yield (*path, name), inner
            if isinstance(value, dict):
                yield from _places(inner, value, (*path, name))


def _with(values: dict[str, Any], path: Path, fault: object) -> dict[str, Any]:
    name, *rest = path
    return {**values, name: _with(values[name], tuple(rest), fault) if rest else fault}


class _Quoted(yaml.SafeDumper):
    """Every text in quotes: what needs them is not the same for Python and for Go."""


_Quoted.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


def document(wanted: dict[str, Any]) -> str:
    """The file that somebody writes to have just these values."""
    text: str = yaml.dump(_written(wanted, DEFAULTS), Dumper=_Quoted)
    return text


def _written(wanted: Any, default: Any) -> Any:
    """A default that is not wanted becomes null, with which Helm takes it away."""
    if not isinstance(wanted, dict) or not isinstance(default, dict):
        return wanted
    taken_away = dict.fromkeys(default.keys() - wanted.keys())
    return {name: _written(value, default.get(name)) for name, value in wanted.items()} | taken_away

"""From a pydantic model to the structural schema that a CRD needs.

Pydantic writes JSON schema with references, titles, unions with null and closed objects; the API
server takes none of these. Defaults stay out, because what the server writes into the object would
be taken for the author's word: they go into the description instead.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from headgate.api.base import SpecModel

Schema = dict[str, Any]

_DROPPED = {"title", "default", "additionalProperties", "$defs", "const"}
_LARGEST_INT32 = 2**31 - 1


def structural_schema(
    model: type[BaseModel], fill: Mapping[str, Callable[[], Schema]] | None = None
) -> Schema:
    """The structural schema of `model`.

    `fill` maps an extension key to a function giving the schema that stands in its place. Raises
    ValueError for what a structural schema cannot say (unions, tuples, recursion).
    """
    raw = model.model_json_schema(by_alias=True)
    authored = issubclass(model, SpecModel)
    rules = {each.__name__: _rules_of(each) for each in _spec_models()} if authored else {}
    return _Converter(raw.get("$defs", {}), rules, fill or {}, authored).convert(
        raw, model.__name__, ()
    )


def _spec_models() -> Iterator[type[SpecModel]]:
    """Every model of the spec; a schema refers to them by name."""
    pending: list[type[SpecModel]] = [SpecModel]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(current.__subclasses__())


def _rules_of(model: type[SpecModel]) -> list[Schema]:
    return [
        {
            "rule": rule.expression,
            "message": rule.message,
            **({"fieldPath": f".{rule.field}"} if rule.field else {}),
        }
        for rule in model.admission
        if rule.expression
    ]


class _Converter:
    def __init__(
        self,
        definitions: Mapping[str, Schema],
        rules: Mapping[str, list[Schema]],
        fill: Mapping[str, Callable[[], Schema]],
        authored: bool,
    ) -> None:
        self._definitions = definitions
        self._rules = rules
        self._fill = fill
        self._authored = authored

    def convert(self, node: Schema, owner: str | None, path: tuple[str, ...]) -> Schema:
        """One node; `owner` is the model's name when the node is a whole model."""
        if "$ref" in node:
            return self._reference(node, path)
        for mark, schema in self._fill.items():
            if mark in node:
                return {**schema(), **self._described(node)}
        if "anyOf" in node and "properties" not in node:
            return self._optional(node, path)
        if "prefixItems" in node:
            raise ValueError(f"{'.'.join(path)}: a tuple has no structural schema")
        result = {key: value for key, value in node.items() if key not in _DROPPED}
        result |= self._described(node)
        if "const" in node:
            result["enum"] = [node["const"]]
        for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if bound in result:
                result[limit] = result[bound]
                result[bound] = True
        if result.get("type") == "integer":
            small = result.get("maximum", _LARGEST_INT32 + 1) <= _LARGEST_INT32
            result["format"] = "int32" if small else "int64"
        if "properties" in node:
            result["properties"] = {
                name: self.convert(child, None, (*path, name))
                for name, child in node["properties"].items()
            }
        if "items" in node:
            result["items"] = self.convert(node["items"], None, (*path, "items"))
        if result.get("type") == "object" and "properties" not in node:
            result |= self._map(node, path)
        if not result.keys() & {
            "type",
            "x-kubernetes-int-or-string",
            "x-kubernetes-preserve-unknown-fields",
        }:
            result["x-kubernetes-preserve-unknown-fields"] = True
        if owner and self._rules.get(owner):
            result["x-kubernetes-validations"] = self._rules[owner]
        return result

    def _reference(self, node: Schema, path: tuple[str, ...]) -> Schema:
        name = node["$ref"].rsplit("/", 1)[-1]
        if path.count(f"<{name}>"):
            raise ValueError(f"{'.'.join(path)}: {name} refers to itself")
        target = {key: value for key, value in self._definitions[name].items() if key != "default"}
        merged = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        return self.convert(merged, name, (*path, f"<{name}>"))

    def _optional(self, node: Schema, path: tuple[str, ...]) -> Schema:
        choices = [each for each in node["anyOf"] if each.get("type") != "null"]
        if len(choices) != 1:
            raise ValueError(f"{'.'.join(path)}: a union of types has no structural schema")
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        return self.convert({**choices[0], **rest}, None, path)

    def _map(self, node: Schema, path: tuple[str, ...]) -> Schema:
        values = node.get("additionalProperties", True)
        if isinstance(values, dict) and values:
            return {"additionalProperties": self.convert(values, None, (*path, "*"))}
        return {"x-kubernetes-preserve-unknown-fields": True} if values else {}

    def _described(self, node: Schema) -> Schema:
        """The description in one paragraph, with an author's default as its last sentence."""
        text = " ".join(node.get("description", "").split())
        default = node.get("default") if self._authored else None
        if default is not None:
            shown = default if isinstance(default, str) else json.dumps(default).removesuffix(".0")
            text = f"{text} Default: {shown}."
        return {"description": text} if text else {}

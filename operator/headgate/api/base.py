"""What every model of the API has in common: spelling, immutability, and admission rules.

An admission rule is written once, as a CEL expression beside its Python twin: the API server
enforces the first (through the generated CRD), `ModelDeploymentSpec.model_validate` the second.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from headgate.api.quantities import parse_duration

GROUP = "headgate.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "ModelDeployment"
PLURAL = "modeldeployments"

LONGEST_NAME = 53
"""Characters of a ModelDeployment's name: `NAME-HASH` must still be a valid label value."""


NAME_EXPRESSION = (
    f"size(self.metadata.name) <= {LONGEST_NAME}"
    " && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')"
)
NAME_MESSAGE = (
    f"metadata.name must have at most {LONGEST_NAME} characters, begin with a letter, and hold"
    " only lower-case letters, digits and '-': Services and Deployments are named after it"
)


def is_name(name: str) -> bool:
    """Whether a ModelDeployment may have this name; `NAME_MESSAGE` says why not."""
    return len(name) <= LONGEST_NAME and bool(re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name))


@dataclass(frozen=True)
class Rule:
    """One admission rule of a model.

    `expression` is CEL over `self`, or None where CEL cannot see the fields and the model's own
    schema says it; `holds` says the same of the parsed model; `message` names the field and says
    the cure. `field` is the camelCase field (dotted when deeper) that the refusal points at.
    """

    expression: str | None
    message: str
    holds: Callable[[Any], bool]
    field: str | None = None


def longer_than_nothing(field: str, attribute: str) -> Rule:
    """The rule that a duration is not zero. `field` is a name without dots, `attribute` ours."""
    return Rule(
        f"!has(self.{field}) || self.{field}.matches('[1-9]')",
        f"{field} must be longer than nothing: write it like 30s or 5m",
        lambda model: (
            getattr(model, attribute) is None or parse_duration(getattr(model, attribute)) > 0
        ),
        field=field,
    )


BY_NAME: dict[str, Any] = {
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
}
"""Of a list whose elements have names: the API server keeps them different, and merges by them."""


def different_names(part: str, field: str) -> Rule:
    """The same as `BY_NAME` for a list of the spec's `part`, where no API server looks."""

    def holds(model: Any) -> bool:
        names = [each.name for each in getattr(model, field)]
        return len(set(names)) == len(names)

    return Rule(None, f"{part}.{field} must have different names", holds)


def is_share(number: float) -> bool:
    """Whether a number is between 0 and 1, neither of them included."""
    return 0.0 < number < 1.0


class Model(BaseModel):
    """A frozen value, spelled in camelCase in manifests; unknown fields are dropped."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )


class SpecModel(Model):
    """A part of the spec: unknown fields and wrong types are refused, as the API server does."""

    model_config = ConfigDict(extra="forbid", strict=True)

    admission: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _admit(self) -> Self:
        for rule in self.admission:
            if not rule.holds(self):
                raise ValueError(rule.message)
        return self


def refusals(error: ValidationError, root: str = "spec") -> Iterator[str]:
    """One sentence per refusal, `spec.strategy.canary.steps[0].weight: …`, in the order found."""
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        path = root
        for part in each["loc"]:
            path += f"[{part}]" if isinstance(part, int) else f".{part}"
        yield f"{path}: {each['msg'].removeprefix('Value error, ')}"

"""The JSON Schema for editors accepts what the API server accepts, and knows a typo."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

from hack import editor_schema
from tests.api.samples import ACCEPTED, TYPOS, spec
from tests.api.test_generated import REPOSITORY

SCHEMA: dict[str, Any] = json.loads(editor_schema.document())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def manifest(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "fraud"},
        "spec": body,
    }


def complaints(document: object) -> list[str]:
    return [each.message for each in VALIDATOR.iter_errors(document)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert "x-kubernetes-" not in json.dumps(SCHEMA)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_server_accepts_is_right_in_an_editor(name: str) -> None:
    assert complaints(manifest(ACCEPTED[name])) == []


def test_the_example_is_right_in_an_editor() -> None:
    text = (REPOSITORY / "examples" / "modeldeployment.yaml").read_text("utf-8")
    found = [each for each in yaml.safe_load_all(text) if each["kind"] == "ModelDeployment"]
    assert [complaints(each) for each in found] == [[]]


@pytest.mark.parametrize("name", TYPOS)
def test_a_field_that_nobody_knows_is_underlined(name: str) -> None:
    assert complaints(manifest(TYPOS[name][0])) != []


@pytest.mark.parametrize("wrong", [spec(replicas="three"), spec(strategy={"type": "Canray"})])
def test_a_wrong_value_is_underlined(wrong: dict[str, Any]) -> None:
    assert complaints(manifest(wrong)) != []

"""The CRD that is committed: fresh, small enough, bounded, and described."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from hack import generate
from headgate.api.crd import definition
from headgate.api.structural import structural_schema

REPOSITORY = Path(__file__).parents[2]
LONGEST_ANNOTATION = 262_144


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hack.generate", "--check", "--root", str(root)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def schemas() -> dict[str, Any]:
    schema = definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    properties: dict[str, Any] = schema["properties"]
    return properties


def walk(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    if "items" in node:
        yield from walk(node["items"], f"{path}[]")


def own_fields() -> list[tuple[str, dict[str, Any]]]:
    spec = schemas()["spec"]
    spec["properties"]["template"] = {
        name: value
        for name, value in spec["properties"]["template"].items()
        if name in ("description", "type")
    }
    return list(walk(spec, "spec"))


def test_the_committed_files_are_fresh() -> None:
    assert generate.stale(REPOSITORY) == []


def test_a_stale_or_missing_file_fails_the_check(tmp_path: Path) -> None:
    generate.write(tmp_path)
    assert check(tmp_path).returncode == 0
    changed = tmp_path / "crds" / generate.CRD
    changed.write_text(changed.read_text("utf-8").replace("mdep", "md"), "utf-8")
    (tmp_path / "charts/headgate/files" / generate.CRD).unlink()
    answer = check(tmp_path)
    assert answer.returncode == 1
    assert f"crds/{generate.CRD} is stale" in answer.stderr
    assert f"charts/headgate/files/{generate.CRD} is stale" in answer.stderr


def test_plain_apply_has_room_for_it() -> None:
    text = (REPOSITORY / "crds" / generate.CRD).read_text("utf-8")
    assert len(text.encode()) < LONGEST_ANNOTATION
    assert len(json.dumps(yaml.safe_load(text)).encode()) < LONGEST_ANNOTATION / 2


def test_every_field_of_ours_is_described() -> None:
    undescribed = [path for path, node in own_fields() if not node.get("description")]
    assert undescribed == []
    unfinished = [
        path for path, node in own_fields() if not node["description"].rstrip('"').endswith(".")
    ]
    assert unfinished == []


def test_every_field_of_ours_is_bounded() -> None:
    unbounded = [
        path
        for path, node in own_fields()
        if (node.get("type") == "array" and "maxItems" not in node)
        or ("additionalProperties" in node and "maxProperties" not in node)
        or "maxLength" not in node.get("additionalProperties", {"maxLength": 0})
        or (node.get("type") == "string" and not {"maxLength", "enum"} & node.keys())
    ]
    assert unbounded == []


def test_no_field_of_ours_leads_out_of_the_namespace() -> None:
    """Neither an address, nor another namespace, nor a Secret or account can be named."""
    leads_out = r"url|host|address|endpoint|namespace|secret|account|kubeconfig"
    names = {path: path.rpartition(".")[2].lower() for path, _ in own_fields()}
    assert [path for path, name in names.items() if re.search(leads_out, name)] == []


def test_the_server_writes_no_default_but_a_ports_protocol() -> None:
    defaults = {
        path.rsplit(".", 1)[-1]: node["default"]
        for path, node in walk(schemas()["spec"], "spec")
        if "default" in node
    }
    assert defaults == {"protocol": "TCP"}


def test_lists_of_the_template_keep_their_keys() -> None:
    pod = schemas()["spec"]["properties"]["template"]["properties"]["spec"]["properties"]
    assert pod["containers"]["x-kubernetes-list-map-keys"] == ["name"]
    container = pod["containers"]["items"]["properties"]
    assert container["env"]["x-kubernetes-list-map-keys"] == ["name"]
    assert container["ports"]["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    assert container["volumeMounts"]["x-kubernetes-list-map-keys"] == ["mountPath"]
    assert pod["volumes"]["x-kubernetes-list-map-keys"] == ["name"]
    assert "ephemeralContainers" not in pod


class _Union(BaseModel):
    either: int | str


class _Pair(BaseModel):
    pair: tuple[int, str]


class _Loop(BaseModel):
    inner: "_Loop | None" = None


@pytest.mark.parametrize("model", [_Union, _Pair, _Loop])
def test_what_no_structural_schema_can_say_is_an_error(model: type[BaseModel]) -> None:
    with pytest.raises(ValueError, match=r"structural schema|refers to itself"):
        structural_schema(model)

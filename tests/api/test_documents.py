"""A real API server accepts every manifest of the documents, and knows every field in it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from hack.cluster import Cluster
from tests.documents import Block, blocks, objects


def namespace_of(found: dict[str, Any]) -> dict[str, Any]:
    name = found["metadata"]["namespace"]
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_a_manifest_is_accepted(block: Block, established_crd: Cluster) -> None:
    found = objects(block.text)
    # Not even a dry run gets into a namespace that is not there.
    namespaces = yaml.safe_dump_all(map(namespace_of, found))
    established_crd.kubectl("apply", "--filename=-", input=namespaces)
    established_crd.kubectl(
        *("apply", "--dry-run=server", "--validate=strict", "--filename=-"),
        input=yaml.safe_dump_all(found),
    )

"""A real API server accepts every manifest of the documents, and knows every field in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from hack.cluster import Cluster
from tests.documents import Block, blocks, objects


@pytest.fixture(scope="module")
def namespace(established_crd: Cluster) -> Callable[[str], None]:
    """Makes a namespace, unless it is there."""
    made = {"default"}

    def make(name: str) -> None:
        if name not in made:
            established_crd.kubectl("create", "namespace", name)
            made.add(name)

    return make


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_a_manifest_is_accepted(
    block: Block, established_crd: Cluster, namespace: Callable[[str], None]
) -> None:
    found = objects(block.text)
    for each in found:
        namespace(each["metadata"]["namespace"])
    established_crd.kubectl(
        *("apply", "--dry-run=server", "--validate=strict", "--filename=-"),
        input=yaml.safe_dump_all(found),
    )

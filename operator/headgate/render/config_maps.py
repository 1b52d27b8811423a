"""The copies of the ConfigMaps that a revision uses, and the template that refers to them.

A copy belongs to one revision and never changes; so a pod that starts late gets what its version
was released with, whatever has become of the author's ConfigMap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from headgate.api.config_maps import references
from headgate.render.names import workload_name

LONGEST_NAME = 253


def copy_name(name: str, revision: str, config_map: str) -> str:
    """Name of a revision's copy: NAME-HASH-CONFIGMAP, its end replaced by a digest if it is too
    long for a name in Kubernetes."""
    full = f"{workload_name(name, revision)}-{config_map}"
    if len(full) <= LONGEST_NAME:
        return full
    digest = hashlib.sha256(config_map.encode()).hexdigest()[:10]
    return f"{full[: LONGEST_NAME - len(digest) - 1].rstrip('.-')}-{digest}"


def copy_names(name: str, revision: str, config_maps: Iterable[str]) -> dict[str, str]:
    """The copies' names by the names that the author wrote."""
    return {each: copy_name(name, revision, each) for each in config_maps}


def refer_to_copies(template: Mapping[str, Any], copies: Mapping[str, str]) -> None:
    """Point a template that is being rendered to the copies.

    One that is `optional` and missing is pointed to a copy that does not exist: were it created
    later, that is another revision, and not for the pods of this one.
    """
    for reference in references(template):
        if reference.get("name") in copies:
            reference["name"] = copies[reference["name"]]


def config_map_copy(
    original: Mapping[str, Any],
    copy: str,
    namespace: str,
    labels: Mapping[str, str],
    owner: Mapping[str, Any],
) -> dict[str, Any]:
    """The immutable copy of a ConfigMap as it stands."""
    parts = {part: dict(original[part]) for part in ("data", "binaryData") if original.get(part)}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": copy,
            "namespace": namespace,
            "labels": dict(labels),
            "ownerReferences": [dict(owner)],
        },
        "immutable": True,
        **parts,
    }

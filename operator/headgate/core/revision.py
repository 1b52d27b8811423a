"""The revision: a hash of what the author wrote, never of our own defaults.

Upgrading the operator, or another environment's defaults, must release nothing; so only the model,
the pod template and the content of the ConfigMaps that it uses go in, as their author wrote them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from headgate.api.spec import ModelDeploymentSpec

LENGTH = 10
NO_CONFIG_MAPS: Mapping[str, str] = {}


def revision_of(spec: ModelDeploymentSpec, config_maps: Mapping[str, str] = NO_CONFIG_MAPS) -> str:
    """Ten characters [a-z2-7] that change exactly when the author's inputs change.

    `config_maps` are the digests (`content_digest`) of the ConfigMaps in use that exist, by name.
    """
    found = inputs_of(spec)
    if config_maps:
        found["configMaps"] = dict(config_maps)
    return base64.b32encode(_digest(found)).decode().lower()[:LENGTH]


def inputs_of(spec: ModelDeploymentSpec) -> dict[str, Any]:
    """What the author wrote in the manifest itself, as it is hashed and kept."""
    found: dict[str, Any] = {
        "model": spec.model.model_dump(mode="json", by_alias=True, exclude_none=True),
        "template": spec.template,
    }
    if spec.separate_sides:
        found["separateSides"] = True
    return found


def content_digest(config_map: Mapping[str, Any]) -> str:
    """A digest of a ConfigMap's data and binaryData, and of nothing else of it."""
    parts = {part: config_map.get(part) or {} for part in ("data", "binaryData")}
    return _digest(parts).hex()


def _digest(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()

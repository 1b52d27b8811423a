"""The revision: a hash of what the author wrote, never of our own defaults.

Upgrading the operator, or another environment's defaults, must release nothing; so only the model
and the pod template go in, as they stand in the manifest.
"""

from __future__ import annotations

import base64
import hashlib
import json

from headgate.api.spec import ModelDeploymentSpec

LENGTH = 10


def revision_of(spec: ModelDeploymentSpec) -> str:
    """Ten characters [a-z2-7] that change exactly when the model or the pod template changes."""
    inputs = {
        "model": spec.model.model_dump(mode="json", by_alias=True, exclude_none=True),
        "template": spec.template,
    }
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:LENGTH]

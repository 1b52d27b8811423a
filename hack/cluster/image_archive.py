"""Pack one static program as a container image, without any image builder.

An image archive is a tar file of JSON documents and layers that name each other by digest (OCI
image layout); one program makes one layer. The same program always gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MEDIA = "application/vnd.oci.image"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def pack_program(program: Path, image: str, archive: Path, arguments: tuple[str, ...] = ()) -> None:
    """Write to `archive` the image `image` that holds and runs the static executable `program`."""
    name = f"/{program.name}"
    layer = _tar({name.lstrip("/"): program.read_bytes()}, mode=0o755)
    config = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": [name, *arguments]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    config_bytes = json.dumps(config).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{_MEDIA}.manifest.v1+json",
            "config": _descriptor(config_bytes, "config.v1+json"),
            "layers": [_descriptor(layer, "layer.v1.tar")],
        }
    ).encode()
    # containerd names the imported image after this annotation.
    named = _descriptor(manifest, "manifest.v1+json") | {
        "annotations": {"io.containerd.image.name": image}
    }
    index = {"schemaVersion": 2, "manifests": [named]}
    blobs = {
        f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": blob
        for blob in (layer, config_bytes, manifest)
    }
    layout = json.dumps({"imageLayoutVersion": "1.0.0"}).encode()
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(
        _tar({"oci-layout": layout, "index.json": json.dumps(index).encode(), **blobs}, mode=0o644)
    )


def _descriptor(blob: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": f"{_MEDIA}.{kind}", "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _tar(files: Mapping[str, bytes], mode: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()

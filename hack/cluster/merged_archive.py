"""Join image archives into one, each layer once.

Images of one project share most of their bytes: base, packages, models. Read one after the other
into a container runtime, those are hashed and stored anew for every image; read together, once.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_MANIFEST = "manifest.json"


def write_merged(archives: Sequence[Path], into: IO[bytes]) -> None:
    """Write one archive with the images of all `archives`, which are as `docker save` and buildah's
    docker-archive write them: files named by their digest, and a manifest.json that lists images.

    `into` need not be seekable. Raises tarfile.TarError or KeyError for archives of other kinds.
    """
    images: list[object] = []
    written: set[str] = set()
    with tarfile.open(fileobj=into, mode="w|") as merged:
        for archive in archives:
            with tarfile.open(archive) as source:
                listed = source.extractfile(_MANIFEST)
                if listed is None:
                    raise KeyError(f"{archive} has no {_MANIFEST}")
                images += json.load(listed)
                for member in source:
                    if member.name in written or member.name in (_MANIFEST, "repositories"):
                        continue
                    written.add(member.name)
                    merged.addfile(member, source.extractfile(member) if member.isreg() else None)
        content = json.dumps(images).encode()
        entry = tarfile.TarInfo(_MANIFEST)
        entry.size, entry.mode = len(content), 0o644
        merged.addfile(entry, io.BytesIO(content))

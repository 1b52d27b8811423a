"""What an image archive holds, read from its layers: how much, and of which Python distributions.

`hack.bench.image` builds the archive and says what is to be thought of it.
"""

from __future__ import annotations

import csv
import io
import json
import posixpath
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_METADATA = re.compile(r"(?P<root>.*/site-packages)/(?P<name>[^/]+)-(?P<version>[^/]+)\.dist-info")
_BYTECODE = re.compile(r"__pycache__/([^/]+)\.cpython-\d+\.pyc$")
_CHUNK = 1 << 20
KINDS = ("native", "source", "bytecode", "other")


@dataclass(frozen=True)
class Layer:
    """`digest` names the content, without compression; registries and nodes move `compressed`."""

    digest: str
    size: int
    compressed: int


@dataclass
class Distribution:
    """An installed Python distribution, with the bytes of its files by kind."""

    name: str
    version: str
    sizes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Contents:
    """`digests` are those of the layers on top of the base, and `others` the bytes in these that
    belong to no distribution."""

    digests: tuple[str, ...]
    user: str
    distributions: Mapping[str, Distribution]
    others: int


def read(archive: Path, own: int) -> Contents:
    """Read an archive as `docker save` writes it; its last `own` layers are not the base's."""
    files: dict[str, int] = {}
    found: dict[str, Distribution] = {}
    owners: dict[str, str] = {}
    with tarfile.open(archive) as packed:
        configuration, layers = _layers(packed)
        for name in list(layers.values())[-own:]:
            with _member(packed, name) as stream, tarfile.open(fileobj=stream) as layer:
                _read_layer(layer, files, found, owners)
    others = 0
    for path, size in files.items():
        owner = owners.get(_source_of(path))
        if owner is None:
            others += size
        else:
            found[owner].sizes[_kind(path)] += size
    user = configuration["config"].get("User", "")
    return Contents(tuple(layers)[-own:], user, found, others)


def weigh(archive: Path) -> tuple[Layer, ...]:
    """Measure every layer, the base's first."""
    with tarfile.open(archive) as packed:
        _, layers = _layers(packed)
        return tuple(_measured(digest, _member(packed, name)) for digest, name in layers.items())


def _layers(archive: tarfile.TarFile) -> tuple[Any, dict[str, str]]:
    """The image's configuration, and the file of each layer by its digest."""
    (image,) = json.load(_member(archive, "manifest.json"))
    configuration = json.load(_member(archive, image["Config"]))
    return configuration, dict(
        zip(configuration["rootfs"]["diff_ids"], image["Layers"], strict=True)
    )


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    stream = archive.extractfile(name)
    assert stream is not None, f"{name} is no file"
    return stream


def _measured(digest: str, stream: IO[bytes]) -> Layer:
    packer = zlib.compressobj(wbits=31)
    size = compressed = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        compressed += len(packer.compress(chunk))
    return Layer(digest, size, compressed + len(packer.flush()))


def _read_layer(
    layer: tarfile.TarFile,
    files: dict[str, int],
    found: dict[str, Distribution],
    owners: dict[str, str],
) -> None:
    for member in layer:
        if not member.isreg():
            continue
        path = member.name.removeprefix("./")
        files[path] = member.size
        if path.endswith(".dist-info/RECORD") and (installed := _METADATA.match(path)):
            name = installed["name"].replace("_", "-").lower()
            found[name] = Distribution(name, installed["version"])
            stream = layer.extractfile(member)
            assert stream is not None
            for recorded, *_ in csv.reader(io.TextIOWrapper(stream, "utf-8")):
                owners[posixpath.normpath(f"{installed['root']}/{recorded}")] = name


def _source_of(path: str) -> str:
    """Bytecode belongs to whom its source belongs."""
    return _BYTECODE.sub(r"\1.py", path)


def _kind(path: str) -> str:
    if ".so" in Path(path).suffixes:
        return "native"
    return {".py": "source", ".pyc": "bytecode"}.get(Path(path).suffix, "other")

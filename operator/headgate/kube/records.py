"""Every sample and every result of a release (R8), kept in the ConfigMap NAME-release-records.

The release under way is readable as it is: JSON, one entry per line, under the key RELEASE.jsonl.
Those that have ended are packed (RELEASE.jsonl.gz). Of the last ten releases as much is kept as
fits into 256 KiB, the newest first.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headgate.kube.client import CONFIG_MAP, Conflict, KubeClient, NotFound, Object
from headgate.kube.snapshot import Snapshot
from headgate.render.names import owned_labels, records_name

LARGEST = 256 * 1024
RELEASES = 10
PLAIN = ".jsonl"
PACKED = ".jsonl.gz"

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Contents:
    """A ConfigMap's data (text by key) and binaryData (base64 by key)."""

    data: Mapping[str, str] = field(default_factory=dict)
    binary_data: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes in the API server, nearly."""
        return sum(
            len(key) + len(value.encode())
            for part in (self.data, self.binary_data)
            for key, value in part.items()
        )


def read_entries(contents: Contents, release: str) -> list[dict[str, Any]]:
    """All entries kept of a release, oldest first; none if it is not there."""
    packed = contents.binary_data.get(release + PACKED)
    text = gzip.decompress(base64.b64decode(packed)).decode() if packed else ""
    text += contents.data.get(release + PLAIN, "")
    return [json.loads(line) for line in text.splitlines() if line]


def releases(contents: Contents) -> list[str]:
    """The releases of which something is kept, oldest first; keys sort by their time."""
    keys = {key.removesuffix(PLAIN) for key in contents.data if key.endswith(PLAIN)}
    keys |= {key.removesuffix(PACKED) for key in contents.binary_data if key.endswith(PACKED)}
    return sorted(keys)


def add(contents: Contents, release: str, entries: Sequence[Entry]) -> Contents:
    """The contents with entries appended to a release, other releases packed, all bounded.

    `release` sorts by time, such as "20261123T100000Z-7f9c2ab1de".
    """
    lines = "".join(_line(entry) for entry in entries)
    data, binary_data = {}, dict(contents.binary_data)
    for key, text in contents.data.items():
        if key == release + PLAIN:
            lines = text + lines
        elif key.endswith(PLAIN):
            other = key.removesuffix(PLAIN)
            binary_data[other + PACKED] = _pack(contents, other)
    data[release + PLAIN] = lines
    return _bounded(Contents(data, binary_data), release)


def _line(entry: Entry) -> str:
    return json.dumps(entry, separators=(",", ":"), sort_keys=True) + "\n"


def _pack(contents: Contents, release: str) -> str:
    text = "".join(_line(entry) for entry in read_entries(contents, release))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _bounded(contents: Contents, current: str) -> Contents:
    data, binary_data = dict(contents.data), dict(contents.binary_data)
    kept = releases(contents)
    others = [release for release in kept if release != current]
    while others and (len(others) >= RELEASES or Contents(data, binary_data).size > LARGEST):
        binary_data.pop(others.pop(0) + PACKED, None)
    if Contents(data, binary_data).size > LARGEST:
        # One release that is too long by itself: its newer half says more than its older one.
        lines = data[current + PLAIN].splitlines(keepends=True)
        data[current + PLAIN] = "".join(lines[len(lines) // 2 :])
        binary_data.pop(current + PACKED, None)
        if len(lines) > 1:
            return _bounded(Contents(data, binary_data), current)
    return Contents(data, binary_data)


def contents_of(config_map: Object) -> Contents:
    """The contents of a ConfigMap as the API server sent it."""
    return Contents(config_map.get("data") or {}, config_map.get("binaryData") or {})


async def store(
    client: KubeClient, snapshot: Snapshot, release: str, entries: Iterable[Entry]
) -> None:
    """Append entries (JSON-safe, one line each) to a release's record: one read and one write.

    Collect entries and call it once per interval. `release` sorts by time, such as
    "20261123T100000Z-7f9c2ab1de". Raises `KubeError`s; a ConfigMap of that name that belongs to
    somebody else is a `Conflict` and stays as it is.
    """
    name = records_name(snapshot.name)
    try:
        stored = await client.get(CONFIG_MAP, snapshot.namespace, name)
    except NotFound:
        stored = None
    if stored is not None and not snapshot.owns(stored):
        raise Conflict(f"ConfigMap {name} does not belong to this ModelDeployment")
    contents = add(contents_of(stored or {}), release, list(entries))
    body: Object = {
        "apiVersion": CONFIG_MAP.api_version,
        "kind": CONFIG_MAP.name,
        "metadata": {
            "name": name,
            "namespace": snapshot.namespace,
            "labels": owned_labels(snapshot.name, snapshot.spec.model.name),
            "ownerReferences": [snapshot.owner],
        },
        "data": dict(contents.data),
        "binaryData": dict(contents.binary_data),
    }
    version = None if stored is None else stored["metadata"]["resourceVersion"]
    await client.apply(body, resource_version=version, force=stored is not None)

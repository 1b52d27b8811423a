"""Every sample and every result of a release (R8), kept in the ConfigMap NAME-release-records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headgate.kube.client import KubeClient
from headgate.kube.snapshot import Snapshot


async def store(
    client: KubeClient,
    snapshot: Snapshot,
    release: str,
    entries: Iterable[Mapping[str, Any]],
) -> None:
    """Append entries (JSON-safe, one line each) to a release's record in one write; `release`
    is a key such as "7f9c2ab1de-20261123T100000Z". Collect entries and call it once per interval.
    """
    raise KeyError(release)

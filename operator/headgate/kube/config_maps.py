"""The ConfigMaps that a template uses: read live to hash them, copied when a revision is kept.

Only digests leave this module; contents are read again for the copies, and must still be the ones
that were hashed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate.api.config_maps import config_maps_of
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.revision import content_digest
from headgate.kube.client import CONFIG_MAP, Conflict, KubeClient, KubeError, NotFound, Object
from headgate.render.config_maps import config_map_copy, copy_names
from headgate.render.names import OWNED_BY, REVISION, version_labels
from headgate.render.revision import Kept


@dataclass(frozen=True)
class Found:
    """One ConfigMap: the digest of its content and its resourceVersion, both None when it does
    not exist; or in `trouble` why it could not be read."""

    digest: str | None = None
    version: str | None = None
    trouble: str = ""


@dataclass(frozen=True)
class UsedConfigMaps:
    """What a template uses: digests by name of what exists, and a sentence when one that is not
    optional is missing, or one cannot be read."""

    digests: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None


async def look_at(client: KubeClient, namespace: str, name: str) -> Found:
    """Read a ConfigMap live. A failure is an answer, too: what is under way goes on without it."""
    try:
        stored = await client.get(CONFIG_MAP, namespace, name)
    except NotFound:
        return Found()
    except KubeError as error:
        return Found(trouble=str(error))
    return Found(content_digest(stored), str(stored["metadata"].get("resourceVersion") or ""))


async def look_at_all(
    client: KubeClient, namespace: str, spec: ModelDeploymentSpec
) -> UsedConfigMaps:
    """Read all ConfigMaps that a template uses live."""
    names = list(config_maps_of(spec.template))
    found = await asyncio.gather(*(look_at(client, namespace, each) for each in names))
    return used(spec, dict(zip(names, found, strict=True)))


def used(spec: ModelDeploymentSpec, found: Mapping[str, Found]) -> UsedConfigMaps:
    """What the planner has to know of the ConfigMaps that were found."""
    digests: dict[str, str] = {}
    missing = None
    for name, optional in config_maps_of(spec.template).items():
        seen = found[name]
        if seen.digest is not None:
            digests[name] = seen.digest
        elif missing is None and seen.trouble:
            missing = (
                f"ConfigMap {name}, which its template uses, cannot be read: {seen.trouble[:200]}"
            )
        elif missing is None and not optional:
            missing = f"ConfigMap {name}, which its template uses, does not exist"
    return UsedConfigMaps(digests, missing)


async def copy_config_maps(
    client: KubeClient, kept: Kept, namespace: str, name: str, owner: Mapping[str, object]
) -> None:
    """Write the copies of a revision that is about to be kept. Raises `Conflict` when a ConfigMap
    is not any more what was hashed."""
    labels = version_labels(name, kept.model, kept.version, kept.revision)
    for original, copy in copy_names(name, kept.revision, kept.config_maps).items():
        try:
            stored = await client.get(CONFIG_MAP, namespace, original)
        except NotFound as error:
            raise Conflict(f"ConfigMap {original} was deleted") from error
        if content_digest(stored) != kept.config_maps[original]:
            raise Conflict(f"ConfigMap {original} has changed")
        body = config_map_copy(stored, copy, namespace, labels, owner)
        try:
            await client.create(body)
        except Conflict:
            # A killed pass left it, or it is somebody else's.
            there = await client.get(CONFIG_MAP, namespace, copy)
            if content_digest(there) != kept.config_maps[original]:
                raise


async def drop_copies(client: KubeClient, namespace: str, name: str, revision: str) -> None:
    """Delete the copies of a revision."""
    labels = f"{OWNED_BY}={name},{REVISION}={revision}"
    for each in await client.list(CONFIG_MAP, namespace, labels):
        metadata: Object = each["metadata"]
        await client.delete(CONFIG_MAP, namespace, metadata["name"], uid=metadata.get("uid"))

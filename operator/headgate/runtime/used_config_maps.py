"""What is known of the ConfigMaps that templates use: digests, and who uses them.

A change that a watch tells of only marks a ConfigMap as stale; the next pass of its users reads it
live. Of all other ConfigMaps nothing is kept. A deletion that a broken watch misses does no harm:
running versions have copies, and before a new one is made the ConfigMap is read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from headgate.api.config_maps import config_maps_of
from headgate.kube.client import KubeClient, Object
from headgate.kube.config_maps import Found, look_at, used
from headgate.kube.snapshot import Broken, Snapshot

Name = tuple[str, str]
"""Namespace and name of a ModelDeployment, or of a ConfigMap."""


@dataclass
class _Known:
    """One ConfigMap that is used; `found` None while it has to be read."""

    users: set[Name] = field(default_factory=set)
    found: Found | None = None
    told: int = 0


class ConfigMapDigests:
    """The ConfigMaps that ModelDeployments use, by namespace and name."""

    def __init__(self) -> None:
        self._known: dict[Name, _Known] = {}
        self._uses: dict[Name, set[Name]] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def complete(self, client: KubeClient, snapshot: Snapshot) -> Snapshot:
        """The snapshot with what it uses; only what is not known is read. A spec that cannot be
        read is left to the plan."""
        try:
            spec = snapshot.spec
        except Broken:
            return snapshot
        user = (snapshot.namespace, snapshot.name)
        names = list(config_maps_of(spec.template))
        self._use(user, names)
        found = {each: await self._find(client, (snapshot.namespace, each)) for each in names}
        return replace(snapshot, config_maps=used(spec, found)) if names else snapshot

    def tell(self, config_map: Object, *, gone: bool = False) -> frozenset[Name]:
        """A watch tells of a ConfigMap as it is, or was; gives the ModelDeployments concerned."""
        metadata = config_map["metadata"]
        known = self._known.get((str(metadata["namespace"]), str(metadata["name"])))
        if known is None:
            return frozenset()
        known.told += 1
        seen = known.found
        if not gone and seen is not None and seen.version == metadata.get("resourceVersion"):
            return frozenset()
        known.found = None
        return frozenset(known.users)

    def doubt(self, user: Name) -> None:
        """Read everything that a ModelDeployment uses once more: a write was contradicted."""
        for each in self._uses.get(user, ()):
            self._known[each].found = None

    def forget(self, user: Name) -> None:
        """A ModelDeployment is gone."""
        self._use(user, [])

    def _use(self, user: Name, names: list[str]) -> None:
        wanted = {(user[0], each) for each in names}
        for former in self._uses.pop(user, set()) - wanted:
            known = self._known[former]
            known.users.discard(user)
            if not known.users:
                del self._known[former]
        for each in wanted:
            self._known.setdefault(each, _Known()).users.add(user)
        if wanted:
            self._uses[user] = wanted

    async def _find(self, client: KubeClient, key: Name) -> Found:
        known = self._known.setdefault(key, _Known())
        if known.found is not None:
            return known.found
        told = known.told
        found = await look_at(client, *key)
        if not found.trouble and known.told == told:
            known.found = found
        return found

"""The newest known version of every object that concerns us, as the API server sent it.

Filled by watch events, by live reads and by the answers to our own writes, in whatever order they
arrive: the newest resourceVersion wins, and what was deleted stays deleted.

Objects are kept as JSON text, a tenth of what they take as dicts, and read when a pass needs them:
most ModelDeployments are at rest most of the time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from headgate.kube.client import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    MODEL_DEPLOYMENT,
    POD,
    SERVICE,
    Object,
)
from headgate.kube.snapshot import Snapshot
from headgate.render.names import OWNED_BY
from headgate.runtime.used_config_maps import ConfigMapDigests

Key = tuple[str, str]
"""Namespace and name of a ModelDeployment."""

TOMBSTONE_SECONDS = 120.0
"""How long a late event about a deleted object is recognised as late."""

KEPT = frozenset(
    kind.name
    for kind in (
        MODEL_DEPLOYMENT,
        DEPLOYMENT,
        SERVICE,
        POD,
        CONTROLLER_REVISION,
        DISRUPTION_BUDGET,
    )
)

EVERYBODY = ""
"""In place of a name: what concerns every ModelDeployment of the namespace."""

SERVER_ONLY = "managedFields"

NOBODY: frozenset[Key] = frozenset()

Identity = tuple[str, str, str]
"""Kind, namespace and name of an object."""


def identity_of(stored: Object) -> Identity:
    """Kind, namespace and name of an object."""
    metadata = stored["metadata"]
    return str(stored["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"])


def key_of(stored: Object) -> Key | None:
    """The ModelDeployment that an object is or belongs to, by its label; `EVERYBODY`'s name for a
    disruption budget of an author, None for another stranger."""
    metadata = stored["metadata"]
    namespace = str(metadata.get("namespace") or "")
    if stored["kind"] == MODEL_DEPLOYMENT.name:
        return namespace, str(metadata["name"])
    owner = (metadata.get("labels") or {}).get(OWNED_BY)
    if owner is None and stored["kind"] == DISRUPTION_BUDGET.name:
        return namespace, EVERYBODY
    return None if owner is None else (namespace, str(owner))


def version_of(stored: Object) -> int | None:
    """The resourceVersion as a number; None when it is none, and so cannot be compared."""
    text = str(stored["metadata"].get("resourceVersion") or "")
    return int(text) if text.isascii() and text.isdigit() else None


@dataclass(frozen=True, slots=True)
class Packed:
    """One object as text, with what has to be known of it without reading it."""

    version: int | None
    uid: str
    text: bytes

    @classmethod
    def of(cls, stored: Object) -> Packed:
        """An object without what only the API server needs, the larger half of many."""
        metadata = {key: value for key, value in stored["metadata"].items() if key != SERVER_ONLY}
        text = json.dumps({**stored, "metadata": metadata}, separators=(",", ":"))
        return cls(version_of(stored), str(metadata.get("uid")), text.encode())

    def read(self) -> Object:
        """The object."""
        read: Object = json.loads(self.text)
        return read


@dataclass
class Family:
    """A ModelDeployment and its children, by identity."""

    model_deployment: Packed | None = None
    children: dict[Identity, Packed] = field(default_factory=dict)
    snapshot: Snapshot | None = None

    def of_kind(self, name: str) -> tuple[Object, ...]:
        """The children of a kind."""
        return tuple(each.read() for identity, each in self.children.items() if identity[0] == name)


class Cache:
    """Objects by ModelDeployment. `clock` is a monotonic clock in seconds. Of ConfigMaps only
    digests are kept, in `config_maps`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.config_maps = ConfigMapDigests()
        self._clock = clock
        self._families: dict[Key, Family] = {}
        self._owners: dict[Identity, Key] = {}
        self._tombstones: dict[Identity, tuple[int, float]] = {}

    def put(self, stored: Object) -> frozenset[Key]:
        """Keep an object unless a newer version of it is known. Gives the ModelDeployments for
        which that changed something."""
        if stored["kind"] == CONFIG_MAP.name:
            return self.config_maps.tell(stored)
        if stored["kind"] not in KEPT:
            return NOBODY
        identity, version = identity_of(stored), version_of(stored)
        known = self._find(identity)
        if version is not None:
            before = None if known is None else known.version
            if before is not None and version <= before:
                return NOBODY
            buried = self._tombstones.get(identity)
            if buried is not None and version <= buried[0]:
                return NOBODY
        key, former = key_of(stored), self._owners.get(identity)
        concerned = frozenset(each for each in (key, former) if each is not None)
        if former is not None and former != key:
            # Relabelled away from its ModelDeployment: for that one it is gone.
            self._remove(identity)
        if key is None:
            return concerned
        family = self._families.setdefault(key, Family())
        if identity[0] == MODEL_DEPLOYMENT.name:
            family.model_deployment = Packed.of(stored)
        else:
            family.children[identity] = Packed.of(stored)
        family.snapshot = None
        self._owners[identity] = key
        if known is not None and _says_the_same(known, stored):
            return NOBODY
        return self._each_of(concerned)

    def drop(self, stored: Object) -> frozenset[Key]:
        """An object was deleted; gives the ModelDeployments for which that changed something."""
        if stored["kind"] == CONFIG_MAP.name:
            return self.config_maps.tell(stored, gone=True)
        identity, version = identity_of(stored), version_of(stored)
        known = self._find(identity)
        if (
            known is not None
            and known.uid != str(stored["metadata"].get("uid"))
            and version is not None
            and known.version is not None
            and known.version > version
        ):
            # Its successor of the same name is known already.
            return NOBODY
        self._bury(identity, version)
        return self._remove(identity)

    def get(self, identity: Identity) -> Object | None:
        """An object, or None."""
        known = self._find(identity)
        return None if known is None else known.read()

    def _find(self, identity: Identity) -> Packed | None:
        key = self._owners.get(identity)
        if key is None:
            return None
        family = self._families[key]
        if identity[0] == MODEL_DEPLOYMENT.name:
            return family.model_deployment
        return family.children.get(identity)

    def keys(self) -> list[Key]:
        """Every ModelDeployment that exists."""
        return [
            key for key, family in self._families.items() if family.model_deployment is not None
        ]

    def snapshot(self, key: Key) -> Snapshot | None:
        """A ModelDeployment with its children, the same value until one of them changes; None
        when it does not exist."""
        family = self._families.get(key)
        if family is None or family.model_deployment is None:
            return None
        if family.snapshot is None:
            family.snapshot = Snapshot(
                model_deployment=family.model_deployment.read(),
                deployments=family.of_kind(DEPLOYMENT.name),
                services=family.of_kind(SERVICE.name),
                pods=family.of_kind(POD.name),
                revisions=family.of_kind(CONTROLLER_REVISION.name),
                budgets=(
                    *family.of_kind(DISRUPTION_BUDGET.name),
                    *self._families.get((key[0], EVERYBODY), Family()).of_kind(
                        DISRUPTION_BUDGET.name
                    ),
                ),
            )
        return family.snapshot

    def rest(self, key: Key) -> None:
        """Nothing is going on with a ModelDeployment: what was read of it need not be kept."""
        family = self._families.get(key)
        if family is not None:
            family.snapshot = None

    def mark(self, kinds: Collection[str], key: Key | None = None) -> dict[Identity, int | None]:
        """What is kept of these kinds (of one ModelDeployment) and in which version: to be taken
        before a list is asked for, and given to `prune` with the answer."""
        keys = self._families if key is None else [key] if key in self._families else []
        return {
            identity: each.version
            for name in keys
            for identity, each in _members(name, self._families[name])
            if identity[0] in kinds
        }

    def prune(self, before: dict[Identity, int | None], listed: Collection[Identity]) -> set[Key]:
        """Drop what was kept before a list was read, is not on it, and has not changed since: a
        watch that was broken has missed its end. Gives the ModelDeployments concerned."""
        concerned: set[Key] = set()
        for identity, version in before.items():
            known = self._find(identity)
            if identity in listed or known is None or known.version != version:
                continue
            self._bury(identity, version)
            concerned |= self._remove(identity)
        return concerned

    def _remove(self, identity: Identity) -> frozenset[Key]:
        key = self._owners.pop(identity, None)
        if key is None:
            return NOBODY
        family = self._families[key]
        family.snapshot = None
        if identity[0] == MODEL_DEPLOYMENT.name:
            family.model_deployment = None
        else:
            family.children.pop(identity, None)
        if family.model_deployment is None and not family.children:
            del self._families[key]
        return self._each_of(frozenset({key}))

    def _each_of(self, concerned: frozenset[Key]) -> frozenset[Key]:
        """With `EVERYBODY` of a namespace replaced by all its ModelDeployments."""
        found: set[Key] = set()
        for key in concerned:
            if key[1] != EVERYBODY:
                found.add(key)
                continue
            for each, family in self._families.items():
                if each[0] == key[0] and family.model_deployment is not None:
                    family.snapshot = None
                    found.add(each)
        return frozenset(found)

    def _bury(self, identity: Identity, version: int | None) -> None:
        now = self._clock()
        if version is not None:
            self._tombstones[identity] = (version, now)
        for old in [
            each for each, (_, since) in self._tombstones.items() if now - since > TOMBSTONE_SECONDS
        ]:
            del self._tombstones[old]


def _members(key: Key, family: Family) -> Iterator[tuple[Identity, Packed]]:
    if family.model_deployment is not None:
        yield (MODEL_DEPLOYMENT.name, *key), family.model_deployment
    yield from family.children.items()


def _says_the_same(known: Packed, stored: Object) -> bool:
    """Of a disruption budget: whether only its status has changed, as it does with each pod."""
    if stored["kind"] != DISRUPTION_BUDGET.name:
        return False
    before, parts = known.read(), ("labels", "ownerReferences", "uid")
    return before.get("spec") == stored.get("spec") and all(
        before["metadata"].get(part) == stored["metadata"].get(part) for part in parts
    )

"""An API server in memory, with resourceVersions that count and faults that tests ask for."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Literal

from headgate.kube.client import (
    MODEL_DEPLOYMENT,
    Conflict,
    Invalid,
    Kind,
    KubeError,
    NotFound,
    Object,
    Page,
)
from headgate.render.names import pod_selector

Call = tuple[str, str, str]
"""A request: verb, kind, and the object's name or the labels that are listed."""


def model_deployment(name: str = "fraud", version: str = "1", **spec: Any) -> Object:
    """A ModelDeployment in the namespace risk, as its author applies it."""
    return {
        "apiVersion": MODEL_DEPLOYMENT.api_version,
        "kind": MODEL_DEPLOYMENT.name,
        "metadata": {"name": name, "namespace": "risk"},
        "spec": {
            "model": {"name": name, "version": version},
            "replicas": 2,
            "template": {
                "spec": {
                    "containers": [{"name": "server", "image": f"registry.example/m:{version}"}]
                }
            },
            **spec,
        },
    }


def pod(owner: str, revision: str, number: int, *, ready: bool = True) -> Object:
    """A pod of a revision."""
    name = f"{owner}-{revision}-{number}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "risk",
            "labels": pod_selector(owner, revision),
            "creationTimestamp": "2026-11-23T10:00:00Z",
        },
        "spec": {
            "containers": [{"name": "server", "ports": [{"name": "http", "containerPort": 8080}]}]
        },
        "status": {
            "phase": "Running",
            "podIP": "127.0.0.1",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


class FakeServer:
    """A `KubeClient`. `calls` are the requests it got; `faults` maps a request to the errors that
    it answers, one after the other; `before` maps a request to what happens just before it."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.calls: list[Call] = []
        self.events: list[Object] = []
        self.faults: dict[Call, list[KubeError]] = {}
        self.before: dict[Call, Callable[[], object]] = {}
        self._version = 100

    def put(self, body: Object) -> Object:
        """What somebody else applies; a changed spec is another generation."""
        key = self._key(body)
        known = self.objects.get(key, {})
        self._version += 1
        stored = {**deepcopy(known), **deepcopy(body)}
        metadata = {**known.get("metadata", {}), **stored["metadata"]}
        metadata.setdefault("uid", f"uid-{self._version}")
        if known.get("spec") != stored.get("spec"):
            metadata["generation"] = int(metadata.get("generation", 0)) + 1
        stored["metadata"] = {**metadata, "resourceVersion": str(self._version)}
        self.objects[key] = stored
        return deepcopy(stored)

    def remove(self, kind: str, name: str, namespace: str = "risk") -> Object:
        """What somebody else deletes."""
        self._version += 1
        return self.objects.pop((kind, namespace, name))

    def status(self, name: str) -> dict[str, Any]:
        """The stored status of a ModelDeployment."""
        status: dict[str, Any] = self.objects["ModelDeployment", "risk", name].get("status", {})
        return status

    def of_kind(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        return [each for key, each in self.objects.items() if key[0] == kind]

    def writes(self) -> list[Call]:
        """The requests that change something, Events apart."""
        return [each for each in self.calls if each[0] not in ("get", "list", "event")]

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        self._call("get", kind.name, name)
        return deepcopy(self._find(kind.name, namespace, name))

    async def list(self, kind: Kind, namespace: str | None, labels: str = "") -> list[Object]:
        self._call("list", kind.name, labels)
        return [
            deepcopy(each)
            for (name, place, _), each in self.objects.items()
            if name == kind.name and place == (namespace or place) and _selects(labels, each)
        ]

    async def pages(
        self, kind: Kind, namespace: str | None, labels: str = ""
    ) -> AsyncIterator[Page]:
        yield await self.list(kind, namespace, labels)

    async def create(self, body: Object) -> Object:
        self._call("create", body["kind"], body["metadata"]["name"])
        if self._key(body) in self.objects:
            raise Conflict("already exists")
        return self.put(body)

    async def replace(self, body: Object) -> Object:
        self._call("replace", body["kind"], body["metadata"]["name"])
        self._find(*self._key(body))
        self._check(body)
        return self.put(body)

    async def apply(
        self, body: Object, *, resource_version: str | None = None, force: bool = True
    ) -> Object:
        self._call("apply", body["kind"], body["metadata"]["name"])
        self._check(body, resource_version)
        return self.put(body)

    async def replace_status(self, body: Object) -> Object:
        self._call("status", body["kind"], body["metadata"]["name"])
        known = self._find(*self._key(body))
        self._check(body)
        return self.put({**known, "status": body["status"]})

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        changes: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        resource_version: str | None = None,
        subresource: Literal["", "status", "scale"] = "",
    ) -> Object:
        self._call("patch", kind.name, name)
        known = deepcopy(self._find(kind.name, namespace, name))
        self._check(known, resource_version)
        if isinstance(changes, Mapping):
            _merge(known, changes)
        else:
            for change in changes:
                _change(known, change)
        return self.put(known)

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_period_seconds: int | None = None,
    ) -> None:
        self._call("delete", kind.name, name)
        self.objects.pop((kind.name, namespace, name), None)

    async def create_event(self, body: Object) -> None:
        self._call("event", "Event", body["reason"])
        self.events.append(body)

    def _call(self, *call: str) -> None:
        request = (call[0], call[1], call[2])
        self.calls.append(request)
        if request in self.before:
            self.before.pop(request)()
        faults = self.faults.get(request)
        if faults:
            raise faults.pop(0)

    def _key(self, body: Object) -> tuple[str, str, str]:
        metadata = body["metadata"]
        return str(body["kind"]), str(metadata["namespace"]), str(metadata["name"])

    def _find(self, kind: str, namespace: str, name: str) -> Object:
        try:
            return self.objects[kind, namespace, name]
        except KeyError:
            raise NotFound(f"{kind} {name} not found") from None

    def _check(self, body: Object, version: str | None = None) -> None:
        version = version or body["metadata"].get("resourceVersion")
        known = self.objects.get(self._key(body))
        if known is not None and version not in (None, known["metadata"]["resourceVersion"]):
            raise Conflict(f"{body['kind']} has changed")


def _selects(labels: str, body: Object) -> bool:
    found = body["metadata"].get("labels") or {}
    for each in filter(None, labels.split(",")):
        key, equals, value = each.partition("=")
        if key not in found or (equals and found[key] != value):
            return False
    return True


def _change(known: Any, change: Mapping[str, Any]) -> None:
    """One operation of a JSON patch."""
    *parents, last = change["path"].lstrip("/").split("/")
    for each in parents:
        known = known[int(each) if isinstance(known, list) else each]
    place = int(last) if isinstance(known, list) and last != "-" else last
    if change["op"] == "test":
        if known.get(place) != change["value"]:
            raise Invalid(f"the test of {change['path']} failed")
    elif place == "-":
        known.append(change["value"])
    else:
        known[place] = change["value"]


def _merge(known: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping):
            _merge(known.setdefault(key, {}), value)
        elif value is None:
            known.pop(key, None)
        else:
            known[key] = value

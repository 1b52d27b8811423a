"""Raw objects as an API server would send them, and a client that keeps them in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Literal

from headgate.kube.client import (
    MODEL_DEPLOYMENT,
    Conflict,
    Kind,
    KubeError,
    NotFound,
    Object,
    Page,
)
from headgate.kube.snapshot import Snapshot
from headgate.render import service
from headgate.render.names import pod_selector
from headgate.render.revision import Kept, controller_revision, keep
from headgate.render.workload import deployment

UID = "11111111-2222-3333-4444-555555555555"
OTHER_UID = "99999999-8888-7777-6666-555555555555"


def model_deployment(version: str = "1", **spec: Any) -> Object:
    """A stored ModelDeployment fraud/risk."""
    return {
        "apiVersion": MODEL_DEPLOYMENT.api_version,
        "kind": MODEL_DEPLOYMENT.name,
        "metadata": {
            "name": "fraud",
            "namespace": "risk",
            "uid": UID,
            "generation": 3,
            "resourceVersion": "10",
        },
        "spec": {
            "model": {"name": "fraud", "version": version},
            "template": {
                "spec": {
                    "containers": [{"name": "server", "image": f"registry.example/f:{version}"}]
                }
            },
            **spec,
        },
    }


def bare(version: str = "1", **spec: Any) -> Snapshot:
    """A ModelDeployment without children."""
    return Snapshot(model_deployment(version, **spec))


def kept_of(snapshot: Snapshot) -> Kept:
    """What would be kept of its current revision."""
    return keep(snapshot.spec, snapshot.name)


def stored(body: Object, version: str = "20") -> Object:
    """A rendered object as the API server would store it."""
    found = deepcopy(body)
    found["metadata"].setdefault("uid", f"uid-of-{body['metadata'].get('name')}")
    found["metadata"]["resourceVersion"] = version
    return found


def whole(version: str = "1", replicas: int = 2, **spec: Any) -> Snapshot:
    """A ModelDeployment whose one version is live, with all children as rendered."""
    empty = bare(version, **spec)
    kept = kept_of(empty)
    address = empty.address
    live = service.live(address, kept.revision, kept.port, {"stable": kept.revision})
    return Snapshot(
        empty.model_deployment,
        deployments=(stored(deployment(kept, "risk", "fraud", empty.owner, replicas)),),
        services=(
            stored(live),
            stored(service.role(address, "stable", kept.revision, kept.port)),
            stored(service.role(address, "candidate", "none", kept.port)),
        ),
        revisions=(stored(controller_revision(kept, "risk", "fraud", empty.owner, 1)),),
    )


def pod(name: str = "fraud-a", revision: str = "aaaa", ready: bool = True, **status: Any) -> Object:
    """A pod of a revision; `status` replaces fields of its status."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "risk",
            "uid": f"uid-of-{name}",
            "labels": pod_selector("fraud", revision),
            "creationTimestamp": "2026-11-23T10:00:00Z",
        },
        "spec": {
            "containers": [{"name": "server", "ports": [{"name": "http", "containerPort": 8080}]}]
        },
        "status": {"phase": "Running", "conditions": conditions, **status},
    }


class Memory:
    """A `KubeClient` over a dict, with the requests it got in `calls`.

    `faults` maps a call such as ("apply", "Service", "fraud") to the error it raises once.
    """

    def __init__(self, *objects: Object) -> None:
        self.objects = {self._key(each): deepcopy(each) for each in objects}
        self.calls: list[tuple[str, str, str]] = []
        self.versions: list[str | None] = []
        self.graces: dict[str, int | None] = {}
        self.events: list[Object] = []
        self.faults: dict[tuple[str, str, str], KubeError] = {}

    @staticmethod
    def _key(body: Object) -> tuple[str, str]:
        return str(body["kind"]), str(body["metadata"].get("name", ""))

    def _call(self, verb: str, kind: str, name: str, version: str | None = None) -> None:
        call = (verb, kind, name)
        self.calls.append(call)
        self.versions.append(version)
        if call in self.faults:
            raise self.faults.pop(call)

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        self._call("get", kind.name, name)
        if (kind.name, name) not in self.objects:
            raise NotFound(f"{kind.plural} {name!r} not found")
        return deepcopy(self.objects[kind.name, name])

    async def list(self, kind: Kind, namespace: str | None, labels: str = "") -> list[Object]:
        self._call("list", kind.name, labels)
        wanted = dict(each.split("=") for each in labels.split(",") if each)
        return [
            deepcopy(each)
            for (name, _), each in self.objects.items()
            if name == kind.name
            and wanted.items() <= (each["metadata"].get("labels") or {}).items()
        ]

    async def pages(
        self, kind: Kind, namespace: str | None, labels: str = ""
    ) -> AsyncIterator[Page]:
        yield await self.list(kind, namespace, labels)

    async def create(self, body: Object) -> Object:
        self._call("create", *self._key(body))
        if self._key(body) in self.objects:
            raise Conflict("already exists")
        return self._store(body)

    async def replace(self, body: Object) -> Object:
        self._call("replace", *self._key(body), body["metadata"].get("resourceVersion"))
        return self._store(body)

    async def apply(
        self, body: Object, *, resource_version: str | None = None, force: bool = True
    ) -> Object:
        self._call("apply" if force else "apply-unforced", *self._key(body), resource_version)
        return self._store(body)

    async def replace_status(self, body: Object) -> Object:
        self._call("status", *self._key(body), body["metadata"]["resourceVersion"])
        return {**self.objects.get(self._key(body), {}), **body}

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
        self._call("patch", kind.name, name, resource_version)
        if (kind.name, name) not in self.objects:
            raise NotFound(name)
        return deepcopy(self.objects[kind.name, name])

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
        self._call("delete", kind.name, name, resource_version)
        self.graces[name] = grace_period_seconds
        self.objects.pop((kind.name, name), None)

    async def create_event(self, body: Object) -> None:
        self._call("event", "Event", body["reason"])
        self.events.append(body)

    def _store(self, body: Object) -> Object:
        self.objects[self._key(body)] = stored(body, "21")
        return deepcopy(self.objects[self._key(body)])

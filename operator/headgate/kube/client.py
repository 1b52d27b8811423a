"""What the rest of Headgate needs of a Kubernetes API server, and the ways in which it can fail.

Objects are plain dicts as the API server sends them: typed models drop fields that they do not
know. `headgate.kube.api` implements the protocol; tests use a small fake or a real API server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from headgate.api.base import API_VERSION, PLURAL
from headgate.api.base import KIND as MODEL_DEPLOYMENT_KIND

Object = dict[str, Any]
"""One Kubernetes object, as JSON."""

Page = list[Object]
"""Some of the objects of a list."""

FIELD_MANAGER = "headgate"


@dataclass(frozen=True)
class Kind:
    """A kind of object: its apiVersion, its name, and its plural in addresses."""

    api_version: str
    name: str
    plural: str


MODEL_DEPLOYMENT = Kind(API_VERSION, MODEL_DEPLOYMENT_KIND, PLURAL)
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
CONTROLLER_REVISION = Kind("apps/v1", "ControllerRevision", "controllerrevisions")
SERVICE = Kind("v1", "Service", "services")
POD = Kind("v1", "Pod", "pods")
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
DISRUPTION_BUDGET = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
EVENT = Kind("v1", "Event", "events")
LEASE = Kind("coordination.k8s.io/v1", "Lease", "leases")

KINDS = {
    (kind.api_version, kind.name): kind
    for kind in (
        MODEL_DEPLOYMENT,
        DEPLOYMENT,
        CONTROLLER_REVISION,
        SERVICE,
        POD,
        CONFIG_MAP,
        DISRUPTION_BUDGET,
        EVENT,
        LEASE,
    )
}
"""Every kind that Headgate touches, by the apiVersion and kind that objects carry."""


class KubeError(Exception):
    """A request to the API server that did not succeed. The text is one sentence."""


class NotFound(KubeError):  # noqa: N818 - Kubernetes' own word for it
    """There is no such object (404)."""


class Conflict(KubeError):  # noqa: N818
    """The object is not as it was read, or a field belongs to somebody else (409): read again."""


class Forbidden(KubeError):  # noqa: N818
    """This operator may not do that, or an admission rule or a quota refuses it (403)."""


class Invalid(KubeError):  # noqa: N818
    """The API server refuses the object as it is (400, 413, 422): trying again is no use."""


class Unavailable(KubeError):  # noqa: N818
    """No answer, or none that says anything about the request (time-outs, 401, 429, 5xx)."""


class NotLeader(KubeError):  # noqa: N818
    """This process does not hold the lease, so it writes nothing."""


class KubeClient(Protocol):
    """The requests that Headgate makes. Every method raises `KubeError`s, and returns the object
    as the API server answered it."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """One object, read live."""
        ...

    async def list(self, kind: Kind, namespace: str | None, labels: str = "") -> list[Object]:
        """Objects of a namespace (None: of all), read live, by label selector. Their `kind` and
        `apiVersion` are filled in."""
        ...

    def pages(self, kind: Kind, namespace: str | None, labels: str = "") -> AsyncIterator[Page]:
        """The same by and by, so that of many objects only some are in memory at a time."""
        ...

    async def create(self, body: Object) -> Object:
        """Create an object; `Conflict` when one of that name exists."""
        ...

    async def replace(self, body: Object) -> Object:
        """Write a whole object. With metadata.resourceVersion only if it is unchanged since."""
        ...

    async def apply(
        self, body: Object, *, resource_version: str | None = None, force: bool = True
    ) -> Object:
        """Server-side apply as `FIELD_MANAGER`: creates, or sets exactly the fields given.

        With `resource_version` only if the object is unchanged since. Without `force` a field
        that somebody else has set differently is a `Conflict`.
        """
        ...

    async def replace_status(self, body: Object) -> Object:
        """Write the whole status of an object. `metadata.resourceVersion` must be set."""
        ...

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
        """Change some fields: a mapping is a JSON merge patch (None removes a field), a sequence
        is a JSON patch. `resource_version` goes with a merge patch only."""
        ...

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
        """Delete an object, what it owns in the background. An object that is gone already is no
        error; one with another uid or resourceVersion is a `Conflict`."""
        ...

    async def create_event(self, body: Object) -> None:
        """Write an Event (core/v1)."""
        ...

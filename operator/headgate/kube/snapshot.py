"""The raw objects of one ModelDeployment at one moment, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from headgate.api.base import refusals
from headgate.api.config_maps import config_maps_of
from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Status
from headgate.core.revision import inputs_of, revision_of
from headgate.kube.client import CONTROLLER_REVISION, DEPLOYMENT, POD, SERVICE, Kind, Object
from headgate.kube.config_maps import UsedConfigMaps
from headgate.render.names import HEADGATE, MANAGED_BY, OWNED_BY, REVISION
from headgate.render.owner import controller_of, owner_reference
from headgate.render.revision import Kept, read_kept
from headgate.render.service import NO_NAMES, Address, PortNames
from headgate.render.template import PORT_NAME, port_names

KINDS: tuple[Kind, ...] = (DEPLOYMENT, SERVICE, POD, CONTROLLER_REVISION)
"""What a snapshot consists of besides the ModelDeployment; all carry the label `OWNED_BY`."""


class Broken(Exception):  # noqa: N818 - said of the object, not of the program
    """A stored ModelDeployment that cannot be read; the text is one sentence for its status."""


@dataclass(frozen=True)
class Snapshot:
    """Raw objects, each as the API server sent it. `pods` and the others are found by the label
    headgate.dev/model-deployment, whoever owns them; `foreign` are objects without that label
    that bear a name we need; `budgets` are ours and all that authors have in the namespace;
    `config_maps` is None until they were looked at."""

    model_deployment: Object
    deployments: tuple[Object, ...] = ()
    services: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    revisions: tuple[Object, ...] = ()
    budgets: tuple[Object, ...] = ()
    foreign: tuple[Object, ...] = ()
    config_maps: UsedConfigMaps | None = None

    def with_pods(self, pods: Iterable[Object]) -> Snapshot:
        """The same with other pods; what was read of all the other objects stays read."""
        found = copy(self)
        object.__setattr__(found, "pods", tuple(pods))
        return found

    @property
    def metadata(self) -> dict[str, Any]:
        """The ModelDeployment's metadata."""
        metadata: dict[str, Any] = self.model_deployment["metadata"]
        return metadata

    @property
    def namespace(self) -> str:
        """Namespace of the ModelDeployment and of everything that belongs to it."""
        return str(self.metadata["namespace"])

    @property
    def name(self) -> str:
        """Name of the ModelDeployment."""
        return str(self.metadata["name"])

    @property
    def uid(self) -> str:
        """UID of the ModelDeployment, by which its children are told from another's."""
        return str(self.metadata["uid"])

    @cached_property
    def spec(self) -> ModelDeploymentSpec:
        """The resolved spec. Raises `Broken`."""
        try:
            stored = ModelDeploymentSpec.model_validate(self.model_deployment.get("spec"))
        except ValidationError as error:
            found = "; ".join(refusals(error))
            raise Broken(f"The spec cannot be read: {found}"[:1024]) from error
        return resolve(stored)

    @property
    def revision(self) -> str:
        """The revision that the spec asks for. While a ConfigMap is missing nobody knows: then the
        one under way, the stable one or the newest that was kept of the same manifest."""
        looked = self.config_maps or UsedConfigMaps()
        if self.missing is not None:
            alike = [each for each in self.kept.values() if each.spec == inputs_of(self.spec)]
            release, stable = self.status.release, self.status.stable
            numbers = {
                revision_label(each): int(each.get("revision") or 0) for each in self.revisions
            }

            def rank(kept: Kept) -> tuple[bool, bool, int]:
                under_way = release is not None and release.revision == kept.revision
                serving = stable is not None and stable.revision == kept.revision
                return under_way, serving, numbers[kept.revision]

            if alike:
                return max(alike, key=rank).revision
        return revision_of(self.spec, looked.digests)

    @property
    def missing(self) -> str | None:
        """Why the spec cannot be released, when a ConfigMap that its template needs is missing."""
        if self.config_maps is not None:
            return self.config_maps.missing
        return "its ConfigMaps were not read yet" if config_maps_of(self.spec.template) else None

    @cached_property
    def status(self) -> Status:
        """The stored status; what cannot be read of it counts as not there."""
        stored = dict(self.model_deployment.get("status") or {})
        while True:
            try:
                return Status.model_validate(stored)
            except ValidationError as error:
                for unreadable in {str(each["loc"][0]) for each in error.errors() if each["loc"]}:
                    stored.pop(unreadable, None)

    @cached_property
    def kept(self) -> dict[str, Kept]:
        """The revisions whose template is kept, by hash."""
        found = {}
        for stored in self.revisions:
            if self.owns(stored):
                try:
                    kept = read_kept(stored)
                except (KeyError, TypeError):
                    continue
                found[kept.revision] = kept
        return found

    @property
    def owner(self) -> dict[str, Any]:
        """The owner reference of every child."""
        return owner_reference(self.name, self.uid)

    @property
    def address(self) -> Address:
        """What all Services share."""
        spec = self.spec
        return Address(
            self.namespace,
            self.name,
            spec.model.name,
            spec.service.port,
            self.owner,
            spec.service.ports or (),
            spec.service.annotations,
        )

    def owns(self, child: Object) -> bool:
        """Whether an object is a child: controlled by this ModelDeployment, or by nobody while
        its labels name this one (as after a restore that lost its owner references)."""
        controller = controller_of(child)
        if controller is not None:
            return str(controller.get("uid")) == self.uid
        labels = child["metadata"].get("labels") or {}
        return labels.get(OWNED_BY) == self.name and labels.get(MANAGED_BY) == HEADGATE

    def deployment(self, revision: str) -> Object | None:
        """The Deployment of a revision, or None."""
        return next(
            (
                each
                for each in self.deployments
                if revision_label(each) == revision and self.owns(each)
            ),
            None,
        )

    def budget(self, revision: str) -> Object | None:
        """The PodDisruptionBudget of a revision, or None."""
        return next(
            (each for each in self.budgets if revision_label(each) == revision and self.owns(each)),
            None,
        )

    def service(self, name: str) -> Object | None:
        """A Service of ours by name, or None."""
        return next(
            (
                each
                for each in self.services
                if each["metadata"]["name"] == name and self.owns(each)
            ),
            None,
        )

    def stranger(self, kind: Kind, name: str) -> Object | None:
        """An object of somebody else by name, or None; `foreign` has to be filled for it."""
        found = (*self.foreign, *self.services, *self.deployments)
        return next(
            (
                each
                for each in found
                if (each["kind"], each["metadata"]["name"]) == (kind.name, name)
                and not self.owns(each)
            ),
            None,
        )

    def port_name(self, *revisions: str | None) -> str:
        """The port name that the first kept of these revisions wants Services to target."""
        for revision in revisions:
            if revision is not None and revision in self.kept:
                return self.kept[revision].port
        return PORT_NAME


def port_names_of(kept: Mapping[str, Kept], *revisions: str | None) -> PortNames:
    """Names of the container ports of the first of these revisions that is kept."""
    for revision in revisions:
        if revision is not None and revision in kept:
            return port_names(kept[revision].template)
    return NO_NAMES


def revision_label(labelled: Object) -> str:
    """The revision that an object's labels name, or an empty string."""
    return str((labelled["metadata"].get("labels") or {}).get(REVISION, ""))

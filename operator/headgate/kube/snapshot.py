"""The raw objects of one ModelDeployment at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headgate.kube.client import CONTROLLER_REVISION, DEPLOYMENT, POD, SERVICE, Kind, Object

KINDS: tuple[Kind, ...] = (DEPLOYMENT, SERVICE, POD, CONTROLLER_REVISION)
"""What a ModelDeployment's snapshot consists of, besides itself; all carry the label headgate.dev/model-deployment."""


class Broken(Exception):  # noqa: N818 - said of the object, not of the program
    """A stored ModelDeployment that cannot be read; the text is one sentence for its status."""


@dataclass(frozen=True)
class Snapshot:
    """Raw objects, each as the API server sent it. `pods` and the others are found by the label
    headgate.dev/model-deployment, whoever owns them; `foreign` are objects without that label
    that bear a name we need."""

    model_deployment: Object
    deployments: tuple[Object, ...] = ()
    services: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    revisions: tuple[Object, ...] = ()
    foreign: tuple[Object, ...] = ()

    @property
    def metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = self.model_deployment["metadata"]
        return metadata

    @property
    def namespace(self) -> str:
        return str(self.metadata["namespace"])

    @property
    def name(self) -> str:
        return str(self.metadata["name"])

    @property
    def uid(self) -> str:
        return str(self.metadata["uid"])

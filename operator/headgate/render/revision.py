"""A revision that is kept: its rendered pod template, in a ControllerRevision.

Deployments are made and restored from here, never from the current spec; so each version keeps
the defaults it was released with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from headgate.api.base import GROUP
from headgate.api.smoke import WarmUp
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.revision import NO_CONFIG_MAPS, inputs_of, revision_of
from headgate.render.names import REVISION, version_labels, workload_name
from headgate.render.template import PORT_NAME, pod_template, port_name

ONCE_STABLE = f"{GROUP}/once-stable"
REJECTED = f"{GROUP}/rejected"


@dataclass(frozen=True)
class Kept:
    """What is known of a revision. `template` is the rendered pod template, `port` the name of
    the port that Services target, `spec` the author's inputs: model and template as written,
    `config_maps` the digests of the ConfigMaps that were copied for it, by the author's names,
    `warm_up` how its pods were to be warmed up when its release began."""

    revision: str
    version: str
    model: str
    template: Mapping[str, Any]
    port: str
    spec: Mapping[str, Any]
    config_maps: Mapping[str, str] = field(default_factory=dict)
    warm_up: WarmUp | None = None


def keep(
    spec: ModelDeploymentSpec, name: str, config_maps: Mapping[str, str] = NO_CONFIG_MAPS
) -> Kept:
    """Render the revision that a spec describes with the ConfigMaps of these digests."""
    template = pod_template(spec, name, config_maps)
    return Kept(
        revision=revision_of(spec, config_maps),
        version=spec.model.version,
        model=spec.model.name,
        template=template,
        port=port_name(template, spec.service.target_port),
        spec=inputs_of(spec),
        config_maps=dict(config_maps),
        warm_up=spec.smoke.warm_up,
    )


def controller_revision(
    kept: Kept, namespace: str, name: str, owner: Mapping[str, Any], number: int
) -> dict[str, Any]:
    """The ControllerRevision that keeps a revision; `number` orders them."""
    data: dict[str, Any] = {
        "version": kept.version,
        "port": kept.port,
        "template": dict(kept.template),
        "spec": dict(kept.spec),
        **({"configMaps": dict(kept.config_maps)} if kept.config_maps else {}),
    }
    if kept.warm_up is not None:
        data["warmUp"] = kept.warm_up.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": workload_name(name, kept.revision),
            "namespace": namespace,
            "labels": version_labels(name, kept.model, kept.version, kept.revision),
            "ownerReferences": [dict(owner)],
        },
        "revision": number,
        "data": data,
    }


def read_kept(stored: Mapping[str, Any]) -> Kept:
    """A revision as a ControllerRevision keeps it. Raises KeyError when it is none of ours."""
    data = stored["data"]
    spec = data.get("spec") or {}
    return Kept(
        revision=stored["metadata"]["labels"][REVISION],
        version=str(data["version"]),
        model=str((spec.get("model") or {}).get("name", "")),
        template=data["template"],
        port=str(data.get("port") or PORT_NAME),
        spec=spec,
        config_maps=data.get("configMaps") or {},
        warm_up=_read_warm_up(data.get("warmUp")),
    )


def _read_warm_up(stored: Any) -> WarmUp | None:
    try:
        return None if stored is None else WarmUp.model_validate(stored)
    except ValidationError:
        # Of another version of the operator: the pods go without rather than stay out.
        return None

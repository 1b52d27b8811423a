"""The spec of a ModelDeployment: what its author asks for.

Parsed from a manifest with `ModelDeploymentSpec.model_validate`; `environments.resolve` then fills
in what the author left out. The CRD is generated from these models, their docstrings included.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict, StringConstraints, WithJsonSchema

from headgate.api.action import Action, Moment
from headgate.api.analysis import BY_SERVICE, Analysis, Rollback, Watch
from headgate.api.base import GROUP, Rule, SpecModel, longer_than_nothing
from headgate.api.config_maps import MOST_CONFIG_MAPS, config_maps_of
from headgate.api.freeze import FreezeWindow
from headgate.api.quantities import Duration, IntOrPercent, is_zero
from headgate.api.service import Service
from headgate.api.smoke import Smoke
from headgate.api.strategy import Capacity, Strategy, StrategyType


class EnvironmentName(StrEnum):
    """The environments of R1, in the order in which a model moves through them."""

    DEV = "dev"
    STAGING = "staging"
    PRODUCTION = "production"


class ModelVersion(SpecModel):
    """The model that is served, and which version of it."""

    name: Annotated[
        str,
        StringConstraints(
            pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$", min_length=1, max_length=63
        ),
    ]
    """Name of the model; becomes a label, so letters, digits, '-', '_' and '.' only."""
    version: Annotated[str, StringConstraints(pattern=r"^\S+$", min_length=1, max_length=128)]
    """Version of the model, any text without spaces, in quotes: "2.3.0"."""


class DisruptionBudget(SpecModel):
    """How many pods of a version an eviction, such as the draining of a node, may take at a time.
    Each version with two pods or more has a PodDisruptionBudget, unless one of your own selects its
    pods."""

    max_unavailable: IntOrPercent = 1
    """Pods that may be missing, or a share of them, as in a PodDisruptionBudget."""


TEMPLATE_MARK = "x-headgate-pod-template"
"""Where the generator puts the pod template schema of Kubernetes in place of ours."""


def _with_protocols(template: dict[str, Any]) -> dict[str, Any]:
    # Ports are keyed by number and protocol, so the API server fills in TCP. A manifest that is
    # read from a file must give the same revision.
    spec = template.get("spec")
    if not isinstance(spec, dict):
        return template
    filled = dict(spec)
    for kind in ("containers", "initContainers"):
        if isinstance(spec.get(kind), list):
            filled[kind] = [_with_protocol(container) for container in spec[kind]]
    return {**template, "spec": filled}


def _with_protocol(container: Any) -> Any:
    if not isinstance(container, dict) or not isinstance(container.get("ports"), list):
        return container
    ports = [
        {**port, "protocol": port.get("protocol", "TCP")} if isinstance(port, dict) else port
        for port in container["ports"]
    ]
    return {**container, "ports": ports}


Template = Annotated[
    dict[str, Any], AfterValidator(_with_protocols), WithJsonSchema({TEMPLATE_MARK: True})
]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _labels(spec: "ModelDeploymentSpec") -> Mapping[str, Any]:
    return _mapping(_mapping(spec.template.get("metadata")).get("labels"))


def _containers(spec: "ModelDeploymentSpec") -> list[Mapping[str, Any]]:
    containers = _mapping(spec.template.get("spec")).get("containers")
    return [_mapping(each) for each in containers] if isinstance(containers, list) else []


def _has_images(spec: "ModelDeploymentSpec") -> bool:
    containers = _containers(spec)
    return bool(containers) and all(each.get("image") for each in containers)


def _has_split(spec: "ModelDeploymentSpec") -> bool:
    canary = spec.strategy.type is StrategyType.CANARY or (
        spec.strategy.type is None and spec.environment in (None, EnvironmentName.STAGING)
    )
    one = spec.replicas == 1 or (
        spec.replicas is None and spec.environment in (None, EnvironmentName.DEV)
    )
    swap = spec.strategy.capacity is Capacity.SWAP
    return swap or not (canary and one and is_zero(spec.strategy.max_surge))


def _is_told_apart(spec: "ModelDeploymentSpec") -> bool:
    left_out = spec.strategy.type is None and spec.environment is EnvironmentName.DEV
    switches = left_out or spec.strategy.type is StrategyType.BLUE_GREEN
    return switches or spec.analysis.runtime not in BY_SERVICE


def _label_agrees(label: str, cel: str, value: str) -> tuple[str, str]:
    has = "has(self.template.metadata) && has(self.template.metadata.labels)"
    expression = (
        f"!({has} && '{label}' in self.template.metadata.labels)"
        f" || self.template.metadata.labels['{label}'] == {cel}"
    )
    message = (
        f"template.metadata.labels must not set {label} to another value than {value}:"
        " Headgate sets it; remove it from the template"
    )
    return expression, message


class ModelDeploymentSpec(SpecModel):
    """What the author of a ModelDeployment asks for."""

    admission = (
        Rule(
            "self.template.spec.containers.size() > 0"
            " && self.template.spec.containers.all(c, has(c.image) && c.image != '')",
            "template.spec.containers needs at least one container, and each of them an image",
            _has_images,
            field="template.spec.containers",
        ),
        Rule(
            "!has(self.template.spec.restartPolicy)"
            " || self.template.spec.restartPolicy == 'Always'",
            "template.spec.restartPolicy can only be Always, because the model server runs in a"
            " Deployment: remove it",
            lambda spec: (
                _mapping(spec.template.get("spec")).get("restartPolicy") in (None, "Always")
            ),
            field="template.spec.restartPolicy",
        ),
        Rule(
            "!has(self.template.metadata) || !has(self.template.metadata.labels)"
            f" || self.template.metadata.labels.all(k, !k.startsWith('{GROUP}/'))",
            f"template.metadata.labels must not begin with {GROUP}/: Headgate sets those itself,"
            " remove them from the template",
            lambda spec: not any(str(key).startswith(f"{GROUP}/") for key in _labels(spec)),
            field="template.metadata.labels",
        ),
        Rule(
            *_label_agrees("app.kubernetes.io/managed-by", "'headgate'", "headgate"),
            lambda spec: (
                _labels(spec).get("app.kubernetes.io/managed-by", "headgate") == "headgate"
            ),
            field="template.metadata.labels",
        ),
        Rule(
            *_label_agrees("app.kubernetes.io/name", "self.model.name", "model.name"),
            lambda spec: (
                _labels(spec).get("app.kubernetes.io/name", spec.model.name) == spec.model.name
            ),
            field="template.metadata.labels",
        ),
        Rule(
            "!(has(self.strategy) && has(self.strategy.maxSurge)"
            " && (self.strategy.maxSurge == 0 || self.strategy.maxSurge == '0%')"
            " && !(has(self.strategy.capacity) && self.strategy.capacity == 'Swap')"
            " && (has(self.strategy.type) ? self.strategy.type == 'Canary'"
            " : !has(self.environment) || self.environment == 'staging')"
            " && (has(self.replicas) ? self.replicas == 1"
            " : !has(self.environment) || self.environment == 'dev'))",
            "a canary of 1 replica with strategy.maxSurge 0 cannot split traffic: set"
            " strategy.maxSurge to 1, or replicas to 2 or more, or strategy.type to BlueGreen",
            _has_split,
            field="strategy.maxSurge",
        ),
        Rule(
            "!(has(self.analysis) && has(self.analysis.runtime)"
            f" && self.analysis.runtime in {sorted(BY_SERVICE)})"
            " || (has(self.strategy) && has(self.strategy.type)"
            " ? self.strategy.type == 'BlueGreen'"
            " : has(self.environment) && self.environment == 'dev')",
            "analysis.runtime ingress-nginx counts both versions together, so no step by weight"
            " could be judged: set strategy.type to BlueGreen, or the runtime to that of the model"
            " server, istio or envoy",
            _is_told_apart,
            field="analysis.runtime",
        ),
        longer_than_nothing("progressDeadline", "progress_deadline"),
        Rule(
            None,
            f"template uses more than {MOST_CONFIG_MAPS} ConfigMaps, each of which is copied for"
            " every revision: put their content into fewer",
            lambda spec: len(config_maps_of(spec.template)) <= MOST_CONFIG_MAPS,
            field="template",
        ),
    )

    environment: Annotated[EnvironmentName, Strict(False)] | None = None
    """dev, staging or production: fills in only what is left out below (strategy type, replicas,
    limits, log level, monitoring level)."""
    model: ModelVersion
    """The model that is served, and which version of it."""
    replicas: int | None = Field(default=None, ge=0, le=100_000)
    """Pods that serve live traffic. Left out, the environment decides (dev 1, staging 2,
    production 5; without one 1), once; an autoscaler may own it from then on."""
    template: Template
    """Pod template of the model server, as in a Deployment. Probes, MODEL_PATH, LOG_LEVEL,
    requests and limits are filled in where they are left out. The content of the ConfigMaps that it
    uses (at most 16) is part of it: changing one is a release."""
    service: Service = Field(default_factory=Service)
    """How the model is reached inside the cluster."""
    strategy: Strategy = Field(default_factory=Strategy)
    """How a release moves traffic."""
    smoke: Smoke = Field(default_factory=Smoke)
    """Checks of a candidate before it gets live traffic."""
    analysis: Analysis = Field(default_factory=Analysis)
    """How a release is measured and judged."""
    rollback: Rollback = Field(default_factory=Rollback)
    """When a release is taken back by itself."""
    watch: Watch = Field(default_factory=Watch)
    """The time after promotion in which a release can still fail."""
    separate_sides: bool = False
    """Prefer to place the pods of a version on other nodes than those of another version of this
    model. Setting or removing it is a release."""
    disruption_budget: DisruptionBudget = Field(default_factory=DisruptionBudget)
    """How many pods of a version an eviction may take at a time."""
    progress_deadline: Duration = "10m"
    """How long a release may make no progress, such as pods that never get ready, before it is
    reverted."""
    suspend: bool = False
    """Stop where things are: no release begins, and one under way takes no further step. A release
    that turns bad is still reverted, and going back to a version that was stable is carried out."""
    freeze_windows: list[FreezeWindow] = Field(
        default_factory=list, max_length=32, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    """Times in which no release begins or goes on; reverting is always allowed."""
    action: Action | None = None
    """What a person asks of the release under way, such as an approval; carried out once."""
    restart_at: Moment | None = None
    """When a restart of the pods was asked for, as in 2026-11-26T10:00:00Z: pods whose Deployment
    has not been restarted since are replaced under maxSurge and maxUnavailable, once no release
    moves traffic. It is no release."""
    adopt: bool = False
    """Take over what has this name and belongs to nobody, before the first version serves: the
    Service keeps its pods until that version is ready and checked, and then has the ports of this
    manifest; the Deployment is deleted when its release has ended. From then on the Service is a
    part of this ModelDeployment and is deleted with it. Take both out of where they were applied
    from, and give the pods of the template other labels than the Service selects."""
    history_limit: int = Field(default=10, ge=1, le=100)
    """Past versions that are kept to go back to."""

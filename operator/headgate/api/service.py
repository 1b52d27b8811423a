"""How a model is reached inside the cluster: the ports and annotations of its Services."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field, Strict, StringConstraints

from headgate.api.base import GROUP, Rule, SpecModel
from headgate.api.quantities import DnsLabel

_DOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
QUALIFIED_NAME = rf"^({_DOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?$"
LONGEST_KEY = 253
MOST_ANNOTATIONS = 32


class Protocol(StrEnum):
    """What a port of a Service can carry."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


class ServicePort(SpecModel):
    """One port of the Services."""

    name: DnsLabel
    """Name of the port."""
    port: int = Field(ge=1, le=65535)
    """Port of the Services."""
    target_port: int | None = Field(default=None, ge=1, le=65535)
    """Port on which a container listens. Left out, the same as port."""
    protocol: Annotated[Protocol, Strict(False)] = Protocol.TCP
    """TCP, UDP or SCTP."""
    app_protocol: (
        Annotated[
            str,
            StringConstraints(pattern=QUALIFIED_NAME, max_length=63),
        ]
        | None
    ) = None
    """What is spoken on it, as in a Service: http, grpc, kubernetes.io/h2c."""


class Service(SpecModel):
    """How the model is reached inside the cluster."""

    admission = (
        Rule(
            "!has(self.ports) || (!has(self.port) && !has(self.targetPort))",
            "ports takes the place of port and targetPort: write one or the other",
            lambda service: (
                service.ports is None or not {"port", "target_port"} & service.model_fields_set
            ),
            field="ports",
        ),
        Rule(
            "!has(self.ports) || self.ports.all(p,"
            " self.ports.exists_one(q, q.port == p.port"
            " && (has(q.protocol) ? q.protocol : 'TCP') == (has(p.protocol) ? p.protocol : 'TCP'))"
            " && self.ports.exists_one(q, q.name == p.name))",
            "two ports have the same name, or the same number and protocol: change one",
            lambda service: _are_distinct(service.ports or []),
            field="ports",
        ),
        Rule(
            "!has(self.ports) || !has(self.ports[0].protocol) || self.ports[0].protocol == 'TCP'",
            "the first of ports is the one on which the model answers: its protocol is TCP",
            lambda service: not service.ports or service.ports[0].protocol is Protocol.TCP,
            field="ports",
        ),
        Rule(
            f"!has(self.annotations) || self.annotations.all(k, !k.startsWith('{GROUP}/'))",
            f"annotations must not begin with {GROUP}/: Headgate keeps its decisions there",
            lambda service: not any(key.startswith(f"{GROUP}/") for key in service.annotations),
            field="annotations",
        ),
        Rule(
            f"!has(self.annotations) || self.annotations.all(k, size(k) <= {LONGEST_KEY}"
            f" && k.matches('{QUALIFIED_NAME}'))",
            "a key of annotations is a name such as example.com/key, as everywhere in Kubernetes",
            lambda service: all(
                len(key) <= LONGEST_KEY and re.fullmatch(QUALIFIED_NAME, key)
                for key in service.annotations
            ),
            field="annotations",
        ),
    )

    port: int = Field(default=80, ge=1, le=65535)
    """Port of the Services."""
    target_port: int = Field(default=8080, ge=1, le=65535)
    """Port on which the model server listens."""
    ports: Annotated[list[ServicePort], Field(min_length=1, max_length=16)] | None = None
    """Several ports, in place of port and targetPort. The first is the one on which the model
    answers: probes and smoke requests use it."""
    annotations: dict[str, Annotated[str, StringConstraints(max_length=4096)]] = Field(
        default_factory=dict, max_length=MOST_ANNOTATIONS
    )
    """Annotations of the Service that users call, at most 32."""


def _are_distinct(ports: list[ServicePort]) -> bool:
    names = {each.name for each in ports}
    numbers = {(each.port, each.protocol) for each in ports}
    return len(names) == len(numbers) == len(ports)

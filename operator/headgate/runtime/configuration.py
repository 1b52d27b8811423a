"""What an administrator decides when the operator is started."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from headgate.metrics import Providers

Namespace = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)
]


class Configuration(BaseModel):
    """`providers` is the file of metric providers; no namespaces means all; without `kubeconfig`
    the pod's service account is used, or the user's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    providers: Path | None = None
    namespaces: tuple[Namespace, ...] = ()
    kubeconfig: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"
    health_port: int = Field(default=8080, ge=0, le=65535)
    """0 takes any free port."""

    def load_providers(self) -> Providers:
        """Read the file of providers. Raises OSError, or ValueError saying what is wrong in it."""
        return Providers() if self.providers is None else Providers.load(self.providers)

"""What an administrator decides when the operator is started."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from headgate.api.quantities import Duration, parse_duration
from headgate.core.turns import Caps
from headgate.metrics import Providers
from headgate.runtime.leadership import Timing
from headgate.runtime.notifying import Notifications

Namespace = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)
]


LeaseName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=127
    ),
]
"""Namespace and name, as in `headgate-system/headgate`."""

SHORTEST_LEASE = 1.0
LONGEST_LEASE = 600.0


class Configuration(BaseModel):
    """`providers` is the file of metric providers, `notifications` that of who is told; no
    namespaces means all; without `kubeconfig` the pod's service account is used, or the user's own;
    without `lease` this process is the only one, and leads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    providers: Path | None = None
    notifications: Path | None = None
    namespaces: tuple[Namespace, ...] = ()
    kubeconfig: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"
    health_port: int = Field(default=8080, ge=0, le=65535)
    """0 takes any free port."""
    lease: LeaseName | None = None
    lease_duration: Duration = "15s"

    max_releases: int | None = Field(default=None, ge=1)
    max_releases_per_namespace: int | None = Field(default=None, ge=1)
    """How many releases may be under way at the same time; None is no cap."""

    @field_validator("lease_duration")
    @classmethod
    def _bounded(cls, value: str) -> str:
        if not SHORTEST_LEASE <= parse_duration(value) <= LONGEST_LEASE:
            raise ValueError(f"not from {SHORTEST_LEASE:g}s to {LONGEST_LEASE:g}s")
        return value

    @property
    def caps(self) -> Caps:
        """The caps on releases at the same time."""
        return Caps(self.max_releases, self.max_releases_per_namespace)

    @property
    def timing(self) -> Timing:
        """How long the lease lasts, and what follows from that."""
        return Timing.of(parse_duration(self.lease_duration))

    def load_notifications(self) -> Notifications | None:
        """Read the file of receivers; None without one. Raises OSError, or ValueError saying what
        is wrong in it, also when what it needs is not installed."""
        if self.notifications is None:
            return None
        try:
            # Apprise takes 17 MiB, which only those pay who are told of anything.
            from headgate.integrations import notification
        except ImportError as error:
            raise ValueError("--notifications needs: pip install 'headgate[notify]'") from error
        receivers = notification.Receivers.load(self.notifications)

        def deliver(receiver: str, message: notification.Message) -> bool:
            return notification.send(receivers.receivers[receiver], message)

        return Notifications(lambda message: notification.concerned(receivers, message), deliver)

    def load_providers(self) -> Providers:
        """Read the file of providers. Raises OSError, or ValueError saying what is wrong in it."""
        return Providers() if self.providers is None else Providers.load(self.providers)

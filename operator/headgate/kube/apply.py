"""Carries out a plan's intents, one request after the other."""

from __future__ import annotations

from collections.abc import Iterable

from headgate.core.intents import Intent
from headgate.kube.client import KubeClient, Object
from headgate.kube.snapshot import Snapshot


async def carry_out(
    client: KubeClient, snapshot: Snapshot, intents: Iterable[Intent]
) -> list[Object]:
    """Do what a plan wants, in its order; the objects as written.

    `snapshot` is the one that the plan was made from, read live if an intent says so. The first
    failure ends it and is raised (`Conflict`: read and plan again at once). `RunSmoke` is skipped:
    the runtime runs the checks beside the pass (`headgate.kube.smoke`).
    """
    raise KeyError(str(list(intents)))


async def write_status(
    client: KubeClient, snapshot: Snapshot, status: dict[str, object]
) -> Object | None:
    """Replace the status (camelCase JSON) with the snapshot's resourceVersion; None when it is the
    stored one already. Raises `Conflict` when the ModelDeployment has changed since."""
    raise KeyError(str(status))

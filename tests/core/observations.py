"""What the planner sees in the watch of version 2 over version 1, one pod each."""

from __future__ import annotations

from typing import Any

from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Release, Status, VersionStatus
from headgate.core.observation import LiveService, Observation, Pod, Workload
from headgate.core.revision import revision_of
from headgate.core.timing import to_text

NOW = 1_700_000_000.0
BEFORE = "before"


def watched(spec: ModelDeploymentSpec, since: float = 0.0, **release: Any) -> Observation:
    """The switch was `since` seconds ago; `release` are further fields of its release."""
    revision = revision_of(spec)
    stage = {"step_started": to_text(NOW - since), "step": 1, **release}
    return Observation(
        namespace="risk",
        name="fraud",
        generation=2,
        spec=spec,
        revision=revision,
        status=Status(
            stable=VersionStatus(revision=revision, version="2"),
            previous=VersionStatus(revision=BEFORE, version="1"),
            release=Release(
                revision=revision, version="2", stage="Watching", smoked=True, kept=1, weight=100
            ).model_copy(update=stage),
        ),
        workloads=(Workload(BEFORE, 1), Workload(revision, 1)),
        pods=(Pod("old", BEFORE, ready=True), Pod("new", revision, ready=True)),
        live=LiveService(revision, stable=revision, previous=BEFORE),
    )

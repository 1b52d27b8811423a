"""What Kubernetes' tools and Argo CD read from the conditions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import VersionStatus
from headgate.core.observation import LiveService
from headgate.core.plan import plan
from headgate.core.revision import revision_of
from tests.core.observations import BEFORE, NOW, watched

SPEC = resolve(
    ModelDeploymentSpec.model_validate(
        {
            "model": {"name": "fraud", "version": "2"},
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": "server", "image": "fraud:2"}]}},
            "strategy": {
                "type": "Canary",
                "canary": {"steps": [{"weight": 50, "hold": "1m"}, {"approval": {}}]},
            },
        }
    )
)


@pytest.mark.parametrize(
    ("step", "approvals", "reason"),
    [
        (0, [], "Progressing"),
        (1, [], "WaitingForApproval"),
        (0, [2], "Progressing"),
    ],
)
def test_reconciling_says_when_it_is_a_persons_turn(
    step: int, approvals: list[int], reason: str
) -> None:
    revision = revision_of(SPEC)
    seen = watched(SPEC, stage="Stepping", step=step, settled=True, approvals=approvals)
    status = seen.status.model_copy(
        update={"stable": VersionStatus(revision=BEFORE, version="1"), "previous": None}
    )
    seen = replace(seen, status=status, live=LiveService(None, stable=BEFORE))
    answer = plan(seen, NOW).status
    assert answer.release is not None
    assert answer.release.revision == revision
    found = {each.type: each for each in answer.conditions}
    assert (found["Reconciling"].status, found["Reconciling"].reason) == ("True", reason)

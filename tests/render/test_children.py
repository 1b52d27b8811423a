"""The children of a ModelDeployment, compared with golden YAML.

To accept a change, run with HEADGATE_UPDATE_GOLDEN=1 and read the difference.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.render import service
from headgate.render.names import CANDIDATE
from headgate.render.owner import controller_of, owner_reference
from headgate.render.revision import Kept, controller_revision, keep, read_kept
from headgate.render.workload import deployment

GOLDEN = Path(__file__).parent / "golden"
OWNER = owner_reference("fraud", "11111111-2222-3333-4444-555555555555")
MANIFEST = """
environment: production
model: {name: fraud, version: "2.3.0+cu121"}
template:
  metadata:
    labels: {team: risk}
  spec:
    containers:
      - name: server
        image: registry.example/fraud-server:2.3.0
service: {port: 80, targetPort: 8080}
"""


WARM_UP = """
smoke:
  warmUp:
    requests:
      - {body: {inputs: [[0.5, null]]}, expect: {field: predictions, type: array}}
    fasterThan: 200ms
"""


def kept(more: str = "") -> Kept:
    spec = ModelDeploymentSpec.model_validate(yaml.safe_load(MANIFEST + more))
    return keep(resolve(spec), "fraud")


def children() -> dict[str, Any]:
    address = service.Address("risk", "fraud", "fraud", 80, OWNER)
    decisions = {"stable": "aaaa", "previous": None, "rejected": "bbbb", "reason": "HighErrorRate"}
    return {
        "deployment": deployment(kept(), "risk", "fraud", OWNER, 5),
        "controller-revision": controller_revision(kept(), "risk", "fraud", OWNER, 7),
        "deployment-warmed-up": deployment(kept(WARM_UP), "risk", "fraud", OWNER, 5),
        "controller-revision-warmed-up": controller_revision(
            kept(WARM_UP), "risk", "fraud", OWNER, 7
        ),
        "live-pinned": service.live(address, "aaaa", "http", decisions),
        "live-widened": service.live(address, None, "http", {"stable": "aaaa"}),
        "candidate": service.role(address, CANDIDATE, "bbbb", "api"),
    }


@pytest.mark.parametrize("name", sorted(children()))
def test_a_child_looks_as_agreed(name: str) -> None:
    rendered = children()[name]
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("HEADGATE_UPDATE_GOLDEN"):
        path.write_text(yaml.safe_dump(rendered, sort_keys=False))
    assert rendered == yaml.safe_load(path.read_text())


@pytest.mark.parametrize("more", ["", WARM_UP])
def test_a_kept_revision_is_read_as_it_was_written(more: str) -> None:
    stored = controller_revision(kept(more), "risk", "fraud", OWNER, 7)
    assert read_kept(stored) == kept(more)
    assert stored["revision"] == 7


def test_a_warm_up_changes_no_revision() -> None:
    assert kept(WARM_UP).revision == kept().revision


def test_a_kept_warm_up_that_cannot_be_read_is_none() -> None:
    stored = controller_revision(kept(WARM_UP), "risk", "fraud", OWNER, 7)
    stored["data"]["warmUp"]["requests"][0]["url"] = "http://elsewhere"
    assert read_kept(stored).warm_up is None


def test_rendering_knows_no_role_and_no_weight() -> None:
    assert deployment(kept(), "risk", "fraud", OWNER, 1)["spec"]["selector"] == {
        "matchLabels": {
            "headgate.dev/model-deployment": "fraud",
            "headgate.dev/revision": kept().revision,
        }
    }


def test_every_child_is_controlled_by_the_model_deployment_alone() -> None:
    for child in children().values():
        assert child["metadata"]["ownerReferences"] == [OWNER]
        assert controller_of(child) == OWNER
        assert "finalizers" not in child["metadata"]

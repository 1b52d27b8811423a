"""What is true after a kill between a write that moves traffic and the status that tells of it."""

from __future__ import annotations

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Release, Status, VersionStatus
from headgate.core.observation import LiveService, Observation, Workload
from headgate.core.recovery import recover

NOW = 1_800_000_000.0


def promoted(stage: str, keep_previous: str = "100%") -> Observation:
    """The live Service says that `new` is stable; the status still has it at 60 %."""
    spec = ModelDeploymentSpec.model_validate(
        {
            "model": {"name": "fraud", "version": "2.0.0"},
            "replicas": 4,
            "template": {"spec": {"containers": [{"name": "server", "image": "fraud:2.0.0"}]}},
            "watch": {"keepPrevious": keep_previous},
        }
    )
    release = Release.model_validate({"revision": "new", "stage": stage, "weight": 60})
    return Observation(
        namespace="risk",
        name="fraud",
        generation=2,
        spec=resolve(spec),
        revision="new",
        status=Status(stable=VersionStatus(revision="old"), release=release),
        workloads=(Workload("old", 2), Workload("new", 4)),
        live=LiveService(revision="new", stable="new", previous="old"),
    )


def test_a_promotion_that_only_the_service_tells_of_reached_100_percent() -> None:
    release = recover(promoted("Stepping"), NOW).release
    assert release is not None
    assert (release.stage, release.weight) == ("Watching", 100)


def test_the_previous_version_keeps_its_pods_when_only_the_service_tells_of_the_promotion() -> None:
    release = recover(promoted("Stepping"), NOW).release
    assert release is not None
    assert release.kept == 2
    fewer = recover(promoted("Stepping", keep_previous="25%"), NOW).release
    assert fewer is not None
    assert fewer.kept == 1

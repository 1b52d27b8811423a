"""A control plane with Kubernetes' own controllers, so that ReplicaSets make and delete pods."""

import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from hack.cluster import Cluster, cluster_unavailable_reason, open_cluster
from hack.cluster.local import close_local
from hack.cluster.record import names
from headgate.kube.api import ApiClient
from headgate.kube.client import MODEL_DEPLOYMENT, Object
from headgate.kube.observe import Snapshot, read
from tests.kube.objects import model_deployment

REPOSITORY = Path(__file__).parents[2]
PREFIX = "tests-kube-"
CRD = "modeldeployments.headgate.dev"


@pytest.fixture(scope="session")
def controllers() -> Iterator[Cluster]:
    """An API server and the controller manager, with the CRD; no node and no scheduler."""
    reason = cluster_unavailable_reason(control_plane_only=True)
    if reason:
        pytest.skip(reason)
    for left in names():
        # The name ends in the process id of its run; one whose run was killed is removed here.
        if left.startswith(PREFIX) and not Path("/proc", left.removeprefix(PREFIX)).exists():
            close_local(left)
    cluster = open_cluster(f"{PREFIX}{os.getpid()}", control_plane_only=True, controllers=True)
    cluster.kubectl("apply", "-f", str(REPOSITORY / "crds"))
    _wait_until_established(cluster)
    yield cluster
    cluster.down()


def _wait_until_established(cluster: Cluster, seconds: float = 60) -> None:
    # `kubectl wait` fails at once on a CRD whose conditions are still null.
    deadline = time.monotonic() + seconds
    while True:
        crd = json.loads(cluster.kubectl("get", "crd", CRD, "--output=json"))
        conditions = crd["status"].get("conditions") or []
        if ("Established", "True") in [(each["type"], each["status"]) for each in conditions]:
            return
        assert time.monotonic() < deadline, "the CRD is not established"
        time.sleep(0.05)


class World:
    """One namespace of the control plane with the ModelDeployment fraud in it."""

    def __init__(self, cluster: Cluster, client: ApiClient, namespace: str) -> None:
        self.cluster = cluster
        self.client = client
        self.namespace = namespace

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        """Do something by hand, as another person than Headgate would."""
        return self.cluster.kubectl("--namespace", self.namespace, *arguments, input=input)

    async def read(self) -> Snapshot:
        """Everything as it is now."""
        found = await read(self.client, self.namespace, "fraud")
        assert found is not None
        return found

    async def put(self, version: str = "1", name: str = "fraud", **spec: object) -> Object:
        """Apply a ModelDeployment."""
        body = model_deployment(version, **spec)
        body["metadata"] = {"name": name, "namespace": self.namespace}
        return await self.client.apply(body)


@pytest.fixture
async def world(controllers: Cluster) -> AsyncIterator[World]:
    """A namespace of its own with the ModelDeployment fraud, version 1."""
    namespace = f"risk-{uuid4().hex[:8]}"
    controllers.kubectl("create", "namespace", namespace)
    async with await ApiClient.connect(controllers.kubeconfig) as client:
        found = World(controllers, client, namespace)
        await found.put()
        yield found
        await client.delete(MODEL_DEPLOYMENT, namespace, "fraud")

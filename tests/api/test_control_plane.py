"""The CRD on a real API server: what it accepts, what it refuses, and what people see of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from hack.cluster import Cluster, ClusterError
from hack.cluster.binaries import MODULES, kubernetes
from headgate.api.base import GROUP, LONGEST_NAME, PLURAL, VERSION
from headgate.api.spec import ModelDeploymentSpec
from tests.api.samples import ACCEPTED, REFUSED, TEMPLATE_TYPOS, TYPOS, Refused, Spec, spec

pytestmark = pytest.mark.control_plane

NAMESPACE = "api-samples"


def manifest(body: Spec, name: str = "fraud") -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "ModelDeployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": body,
    }


class Server:
    """The API server, asked without kubectl between: one sample in milliseconds."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._client: Any = config.new_client_from_config(  # type: ignore[no-untyped-call]
            str(cluster.kubeconfig)
        )
        self._objects: Any = client.CustomObjectsApi(self._client)

    def create(self, body: Spec, name: str = "fraud") -> dict[str, Any]:
        """The object as the server would store it; nothing is stored."""
        answer: dict[str, Any] = self._objects.create_namespaced_custom_object(
            GROUP,
            VERSION,
            NAMESPACE,
            PLURAL,
            manifest(body, name),
            dry_run="All",
            field_validation="Strict",
            _request_timeout=30,
        )
        return answer

    def refusal(self, body: Spec, name: str = "fraud") -> list[str]:
        """Each cause of a refusal as `field: message`, or the one message there is."""
        with pytest.raises(ApiException) as caught:
            self.create(body, name)
        status = json.loads(caught.value.body or "{}")
        causes = status.get("details", {}).get("causes")
        if not causes:
            return [status["message"]]
        return [f"{cause['field']}: {cause['message']}" for cause in causes]

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def server(established_crd: Cluster) -> Iterator[Server]:
    established_crd.kubectl("create", "namespace", NAMESPACE)
    opened = Server(established_crd)
    yield opened
    opened.close()


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_good_manifest_is_accepted_and_stored_as_it_is_read(server: Server, body: Spec) -> None:
    stored = server.create(body)["spec"]
    assert ModelDeploymentSpec.model_validate(stored) == ModelDeploymentSpec.model_validate(body)


@pytest.mark.parametrize("sample", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_manifest_is_refused_where_it_is_bad(server: Server, sample: Refused) -> None:
    causes = server.refusal(sample.spec)
    # What JSON schema alone can say, the server reports without a field, and names it in its text.
    places = (sample.field, f'<nil>: Invalid value: "": "{sample.field}"')
    assert any(cause.startswith(places) and sample.message in cause for cause in causes), causes


@pytest.mark.parametrize(
    ("sample", "cause"),
    [
        ("a latency as a number", 'metric: Unsupported value: "latencyP99"'),
        ("an error rate in a duration", 'metric: Unsupported value: "errorRate"'),
        ("an error rate over 1", "above: Invalid value: 10"),
        ("an unknown metric", 'supported values: "errorRate", "latencyP99", "throughput"'),
    ],
)
def test_a_limit_that_does_not_fit_its_metric_is_reported_as_such(
    server: Server, sample: str, cause: str
) -> None:
    assert any(cause in each for each in server.refusal(REFUSED[sample].spec))


@pytest.mark.parametrize(
    ("body", "field"), (TYPOS | TEMPLATE_TYPOS).values(), ids=(TYPOS | TEMPLATE_TYPOS).keys()
)
def test_a_typo_is_refused_by_its_path(server: Server, body: Spec, field: str) -> None:
    assert any(f'unknown field "{field}"' in cause for cause in server.refusal(body))


def test_plain_apply_refuses_a_typo(server: Server) -> None:
    body, field = TEMPLATE_TYPOS["in a probe"]
    with pytest.raises(ClusterError, match="strict decoding error") as caught:
        server.cluster.kubectl("apply", "-f", "-", input=json.dumps(manifest(body)))
    assert field in str(caught.value)


@pytest.mark.parametrize("name", ["a" * (LONGEST_NAME + 1), "1st", "a.b"])
def test_a_name_that_does_not_fit_is_refused(server: Server, name: str) -> None:
    (cause, *_) = server.refusal(spec(), name)
    assert f"metadata.name must have at most {LONGEST_NAME} characters" in cause


def test_the_longest_name_is_accepted(server: Server) -> None:
    server.create(spec(), "a" * LONGEST_NAME)


def test_the_server_is_of_the_version_that_was_asked_for(established_crd: Cluster) -> None:
    told = json.loads(established_crd.kubectl("version", "-ojson"))
    version = MODULES[kubernetes()].version
    assert (
        told["serverVersion"]["gitVersion"] == told["clientVersion"]["gitVersion"] == f"v{version}"
    )


def test_plain_apply_takes_the_whole_definition(established_crd: Cluster) -> None:
    definition = json.loads(established_crd.kubectl("get", f"crd/{PLURAL}.{GROUP}", "-ojson"))
    conditions = {each["type"]: each for each in definition["status"]["conditions"]}
    assert conditions["Established"]["status"] == "True"
    # It is there when the schema is not structural, or a part of it was not understood.
    assert "NonStructuralSchema" not in conditions
    assert (
        "kubectl.kubernetes.io/last-applied-configuration" in definition["metadata"]["annotations"]
    )


EXPLAINED = {
    "": ["environment <string>", "-required-", "What the author of a ModelDeployment asks for."],
    ".strategy": [
        "maxSurge",
        "Canary, BlueGreen, Rolling",
        "Pods above replicas that a release may add",
    ],
    ".strategy.canary.steps": ["weight", "hold", "approval", "from 1 to 100"],
    ".analysis.rules.latencyP99": ["such as 500ms or 1s", "Default: 1s."],
    ".rollback.conditions": ["-required-", "above", "a duration such as 5s"],
    ".smoke.requests.expect": ["status", "Default: 200."],
    ".template.spec.containers": ["image", "readinessProbe"],
}


@pytest.mark.parametrize(("path", "words"), EXPLAINED.items(), ids=EXPLAINED.keys())
def test_explain_reads_well(established_crd: Cluster, path: str, words: list[str]) -> None:
    text = " ".join(established_crd.kubectl("explain", f"modeldeployment.spec{path}").split())
    missing = [word for word in words if word not in text]
    assert missing == [], text


@pytest.fixture(scope="module")
def stored(server: Server) -> Iterator[Cluster]:
    body = json.dumps(manifest(spec(replicas=2), "scaled"))
    server.cluster.kubectl("apply", "-f", "-", input=body)
    yield server.cluster
    server.cluster.kubectl("delete", "mdep", "scaled", "-n", NAMESPACE, "--wait=false")


def test_scale_reads_and_writes_replicas(stored: Cluster) -> None:
    status = {"status": {"replicas": 2, "selector": "app=fraud"}}
    stored.kubectl(
        "patch", "mdep", "scaled", "-n", NAMESPACE, "--subresource=status", "--type=merge",
        "-p", json.dumps(status),
    )  # fmt: skip
    path = f"/apis/{GROUP}/{VERSION}/namespaces/{NAMESPACE}/{PLURAL}/scaled/scale"
    scale = json.loads(stored.kubectl("get", "--raw", path))
    assert scale["status"] == {"replicas": 2, "selector": "app=fraud"}
    stored.kubectl("scale", "mdep", "scaled", "-n", NAMESPACE, "--replicas=7")
    read = stored.kubectl("get", "mdep", "scaled", "-n", NAMESPACE, "-ojsonpath={.spec.replicas}")
    assert read == "7"


def test_get_shows_the_release_in_its_columns(stored: Cluster) -> None:
    status = {
        "status": {
            "phase": "Releasing",
            "step": "3/5",
            "weight": "25%",
            "verdict": "Good",
            "stable": {"version": "2.2.0"},
            "candidate": {"version": "2.3.0"},
        }
    }
    stored.kubectl(
        "patch", "mdep", "scaled", "-n", NAMESPACE, "--subresource=status", "--type=merge",
        "-p", json.dumps(status),
    )  # fmt: skip
    head, row = stored.kubectl("get", "headgate", "scaled", "-n", NAMESPACE).splitlines()
    assert head.split()[1:] == [
        "PHASE", "STEP", "WEIGHT", "STABLE", "CANDIDATE", "VERDICT", "AGE",
    ]  # fmt: skip
    assert row.split()[1:7] == ["Releasing", "3/5", "25%", "2.2.0", "2.3.0", "Good"]


def test_a_status_is_written_apart_from_the_spec(stored: Cluster) -> None:
    generation = "-ojsonpath={.metadata.generation}"
    before = stored.kubectl("get", "mdep", "scaled", "-n", NAMESPACE, generation)
    evidence = {"status": {"release": {"revision": "b81d0", "evidence": {"pods": {"a": [1, 2.5]}}}}}
    stored.kubectl(
        "patch", "mdep", "scaled", "-n", NAMESPACE, "--subresource=status", "--type=merge",
        "-p", json.dumps(evidence),
    )  # fmt: skip
    path = "-ojsonpath={.status.release.evidence.pods.a}"
    assert stored.kubectl("get", "mdep", "scaled", "-n", NAMESPACE, path) == "[1,2.5]"
    assert stored.kubectl("get", "mdep", "scaled", "-n", NAMESPACE, generation) == before

"""What the rules of others find in the chart, in all its modes, and in the workflows: nothing that
is not explained here, and nothing explained that is not found."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack import checkers
from hack.cluster import Cluster, ClusterUnavailableError
from tests.chart import schemas
from tests.chart.conftest import CHART, Object, parse

ROOT = Path(__file__).parents[2]
MODES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "modes.yaml").read_text("utf-8"))
ALL = frozenset(MODES)
WITH_TEST = ALL - {"pod-monitor", "bare"}
"""Those with a Service, which the pod of `helm test` asks."""
MONITORING = "monitoring.coreos.com/v1"

_CPU = (
    "A limit slows the operator down when it has most to do, which delays a revert. It asks for "
    "what it takes (docs/measurements.md), and more is only had where a node has it to spare."
)
_PULLED = (
    "A tag of ours never changes, and Always keeps a pod from starting while the registry does not "
    "answer: that is when a release may have to be taken back. image.pullPolicy chooses it."
)
_DIGEST = (
    "The chart of a release names the digest of the image that was built with it "
    "(.github/workflows/release.yaml); this one has no image yet. image.digest sets it."
)
_STORAGE = (
    "It writes nothing but logs, and a node that does not count local storage takes no pod that "
    "asks for some (the kubelet of the local cluster is one). resources sets it."
)
_TEST = "The pod of `helm test` asks two questions and ends. "
_ASKED = "It was asked to: this mode takes away, or replaces, what the chart has by default."

EXPLAINED: dict[tuple[str, str], tuple[frozenset[str], str]] = {
    ("CKV_K8S_11", "Deployment"): (ALL, _CPU),
    ("CKV_K8S_11", "Pod"): (WITH_TEST, _TEST + "Slower is no harm, but gives nothing either."),
    ("CKV_K8S_15", "Deployment"): (ALL - {"pinned-image"}, _PULLED),
    ("CKV_K8S_15", "Pod"): (WITH_TEST - {"pinned-image"}, _TEST + "The image is the operator's."),
    ("CKV_K8S_38", "Deployment"): (ALL, "The operator talks to the API server: that is its work."),
    ("CKV_K8S_43", "Deployment"): (ALL - {"pinned-image"}, _DIGEST),
    ("CKV_K8S_43", "Pod"): (WITH_TEST - {"pinned-image"}, _TEST + "The image is the operator's."),
    ("CKV_K8S_8", "Pod"): (WITH_TEST, _TEST + "Nobody restarts it."),
    ("CKV_K8S_9", "Pod"): (WITH_TEST, _TEST + "Nobody sends it requests."),
    ("CKV2_K8S_6", "Pod"): (
        WITH_TEST,
        _TEST
        + "A policy for it would have to let it reach DNS and the operator, which is all that "
        "it does, and would stay behind in the namespace when the pod is gone.",
    ),
    ("container-image-pull-policy", "Deployment"): (ALL - {"pinned-image"}, _PULLED),
    ("container-image-pull-policy", "Pod"): (
        WITH_TEST - {"pinned-image"},
        _TEST + "The image is the operator's.",
    ),
    ("container-resources", "Deployment"): (ALL, _CPU),
    ("container-resources", "Pod"): (
        WITH_TEST,
        _TEST + "It has a limit of memory, but not of CPU.",
    ),
    ("container-ephemeral-storage-request-and-limit", "Deployment"): (ALL, _STORAGE),
    ("container-ephemeral-storage-request-and-limit", "Pod"): (WITH_TEST, _STORAGE),
    ("pod-networkpolicy", "Pod"): (WITH_TEST, "As CKV2_K8S_6 above."),
    ("pod-networkpolicy", "Deployment"): (frozenset({"no-network-policy"}), _ASKED),
    ("deployment-replicas", "Deployment"): (frozenset({"one-replica"}), _ASKED),
    ("deployment-has-poddisruptionbudget", "Deployment"): (frozenset({"bare"}), _ASKED),
    ("deployment-has-host-podantiaffinity", "Deployment"): (frozenset({"placed"}), _ASKED),
}
"""By check and kind of object: the modes that have the finding, and why it stays."""

Findings = dict[tuple[str, str], set[str]]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def rendered(run_helm: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Object]]:
    """The objects of each mode, in a namespace of its name: what looks at all of them at once must
    not take one mode's policy for that of another."""
    values = tmp_path_factory.mktemp("modes") / "values.yaml"
    objects = {}
    for mode, wanted in MODES.items():
        # The definition is long, and the same in all of them but for a label.
        long = mode == "default" or "crds" in wanted
        values.write_text(written([wanted if long else {**wanted, "crds": {"enabled": False}}]))
        arguments = ("headgate", str(CHART), "-n", f"mode-{mode}", "-f", str(values))
        done = run_helm("template", *arguments)
        assert done.returncode == 0, done.stderr
        objects[mode] = parse(done.stdout)
    return objects


def written(documents: list[Object]) -> str:
    text: str = yaml.dump_all(documents, Dumper=yaml.CSafeDumper)
    return text


def built(name: str) -> Run:
    """A checker that is built from Go."""
    try:
        program = checkers.program(name)
    except ClusterUnavailableError as error:
        pytest.skip(str(error))

    def run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def explained(prefix: str = "") -> dict[tuple[str, str], set[str]]:
    return {
        finding: set(modes)
        for finding, (modes, _) in EXPLAINED.items()
        if finding[0].startswith("CKV") == (prefix == "CKV")
    }


def test_kube_score_finds_what_is_explained(rendered: dict[str, list[Object]]) -> None:
    kube_score = built("kube-score")
    found: Findings = defaultdict(set)
    for mode, objects in rendered.items():
        options = ("--output-format=json", "--kubernetes-version=v1.35", "-")
        done = kube_score("score", *options, given=written(objects))
        for each in json.loads(done.stdout):
            for check in each["checks"]:
                # 10 is the best; what says less is a warning or worse.
                if not check["skipped"] and check["grade"] < 10:
                    found[check["check"]["id"], each["type_meta"]["kind"]].add(mode)
    assert found == explained()


def test_checkov_finds_what_is_explained(rendered: dict[str, list[Object]], tmp_path: Path) -> None:
    for mode, objects in rendered.items():
        # It has no rule for definitions, and takes long to read one.
        known = [each for each in objects if each["kind"] != "CustomResourceDefinition"]
        (tmp_path / f"{mode}.yaml").write_text(written(known), "utf-8")
    options = ("--framework=kubernetes", "--output=json", "--quiet", "--compact", "--skip-download")
    done = subprocess.run(
        [*map(str, checkers.checkov()), f"--directory={tmp_path}", *options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["passed"] > 0
    assert report["summary"]["parsing_errors"] == 0
    found: Findings = defaultdict(set)
    for each in report["results"]["failed_checks"]:
        kind = each["resource"].partition(".")[0]
        found[each["check_id"], kind].add(Path(each["file_path"]).stem)
    assert found == explained("CKV")


@pytest.fixture(scope="session")
def conforming(
    established_crd: Cluster,
    rendered: dict[str, list[Object]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """kubeconform with the schemas of the API server, and that of ModelDeployment for editors."""
    directory = tmp_path_factory.mktemp("schemas")
    kinds = {(each["apiVersion"], each["kind"]) for each in everything(rendered)}
    schemas.write(established_crd, {each for each in kinds if each[0] != MONITORING}, directory)
    locations = (
        f"{directory}/{schemas.LOCATION}",
        f"{ROOT}/docs/schema/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
    )
    kubeconform = built("kubeconform")

    def run(objects: list[Object]) -> subprocess.CompletedProcess[str]:
        places = [f"-schema-location={each}" for each in locations]
        options = ("-strict", "-verbose", "-output=json", *places, "-")
        return kubeconform(*options, given=written(objects))

    return run


def everything(rendered: dict[str, list[Object]]) -> Iterator[Object]:
    for objects in rendered.values():
        yield from objects


def test_every_object_is_one_that_an_api_server_knows(
    conforming: Run, rendered: dict[str, list[Object]]
) -> None:
    objects = [each for each in everything(rendered) if each["apiVersion"] != MONITORING]
    done = conforming(objects)
    report = json.loads(done.stdout)["resources"]
    assert [each for each in report if each["status"] != "statusValid"] == []
    assert len(report) == len(objects)


def test_a_field_that_the_api_server_does_not_know_is_found(
    conforming: Run, rendered: dict[str, list[Object]]
) -> None:
    (deployment,) = [each for each in rendered["default"] if each["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    mistaken = {**deployment["spec"]["template"], "spec": {**pod, "serviceAcountName": "headgate"}}
    spec = {**deployment["spec"], "template": mistaken}
    done = conforming([{**deployment, "spec": spec}])
    assert "serviceAcountName" in done.stdout
    assert done.returncode != 0


def test_the_examples_are_what_the_published_schema_allows(conforming: Run) -> None:
    examples = [
        each
        for file in sorted((ROOT / "examples").rglob("*.yaml"))
        for each in parse(file.read_text("utf-8"))
        if each.get("kind") == "ModelDeployment" and "spec" in each
    ]
    assert examples
    done = conforming(examples)
    assert done.returncode == 0, done.stdout


def test_monitors_and_alerts_are_what_the_prometheus_operator_knows(
    rendered: dict[str, list[Object]],
) -> None:
    """By its own types: an API server has schemas for them only where it is installed."""
    objects = [each for each in everything(rendered) if each["apiVersion"] == MONITORING]
    assert {each["kind"] for each in objects} == {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
    monitoring = built("monitoring")
    done = monitoring(given=written(objects))
    assert done.returncode == 0, done.stderr
    for each in objects:
        mistaken = {**each, "spec": {**each["spec"], "endpoint": []}}
        done = monitoring(given=written([mistaken]))
        assert done.returncode != 0
        assert 'unknown field "endpoint"' in done.stderr


def test_the_workflows_are_what_github_runs() -> None:
    # Shells and Python in them are left to those who have other checkers installed, or not.
    options = ("-no-color", "-shellcheck=", "-pyflakes=")
    workflows = sorted(map(str, (ROOT / ".github" / "workflows").glob("*.yaml")))
    assert workflows
    done = built("actionlint")(*options, *workflows)
    assert done.returncode == 0, done.stdout

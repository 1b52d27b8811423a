"""Whatever values the schema allows, the chart makes of them what a cluster and the operator take;
and what it does not allow is refused by its place."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from headgate.cli import parser
from headgate.metrics import Providers
from headgate.runtime import operator
from headgate.runtime.configuration import Configuration
from tests.chart import values
from tests.chart.conftest import CHART, Object, parse
from tests.chart.test_chart import container, of_kind

# Helm takes a twentieth of a second for each, so that to look for the shortest example would take
# minutes. They are the same in every run: what is found is no accident.
FEW = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
QUALIFIED = re.compile(rf"({SUBDOMAIN.pattern}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")

# As Helm itself demands them; one that does not begin with a letter needs a fullnameOverride.
RELEASES = st.from_regex(r"[a-z]([-a-z0-9.]{0,51}[a-z0-9])?", fullmatch=True).filter(
    SUBDOMAIN.fullmatch
)
NAMESPACES = st.sampled_from(["headgate-system", "2026", "1e3", "true", "null"])

Template = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("values") / "values.yaml"


@pytest.fixture(scope="module")
def template(run_helm: Callable[..., Any], file: Path) -> Template:
    """Render the chart with these values, and nothing of the defaults beside them."""

    def rendered(wanted: Any, release: str = "headgate", namespace: str = "headgate-system") -> Any:
        file.write_text(values.document(wanted), "utf-8")
        return run_helm("template", release, str(CHART), "-n", namespace, "-f", str(file))

    return rendered


def texts(labels: Any, value: re.Pattern[str]) -> Iterator[str]:
    """What is wrong with labels or annotations."""
    for name, text in (labels or {}).items():
        if not isinstance(text, str) or not value.fullmatch(text) or not QUALIFIED.fullmatch(name):
            yield f"{name}: {text!r}"


def faults(each: Object) -> Iterator[str]:
    """What is wrong with the names and labels of an object."""
    metadata = each["metadata"]
    names = SERVICE if each["kind"] == "Service" else SUBDOMAIN
    if not isinstance(metadata["name"], str) or not names.fullmatch(metadata["name"]):
        yield f"name {metadata['name']!r}"
    namespace = metadata.get("namespace", "none")
    if not isinstance(namespace, str) or not LABEL.fullmatch(namespace):
        yield f"namespace {namespace!r}"
    yield from texts(metadata.get("labels"), VALUE)
    yield from texts(metadata.get("annotations"), re.compile(r"(?s).*"))


def named_well(objects: list[Object], common: dict[str, str]) -> None:
    """A cluster takes every name and label, and the labels for all objects are on all of them, if
    only because somebody has set the same for one kind."""
    (deployment,) = of_kind(objects, "Deployment")
    chosen = deployment["spec"]["selector"]["matchLabels"]
    pod = {"kind": "Pod", **deployment["spec"]["template"]}
    pod["metadata"] = {"name": "pod", **pod["metadata"]}
    assert chosen.items() <= pod["metadata"]["labels"].items()
    for each in (*objects, pod):
        assert list(faults(each)) == [], each["kind"]
        assert common.keys() <= each["metadata"]["labels"].keys(), each["kind"]


def understood(objects: list[Object], wanted: dict[str, Any], file: Path) -> None:
    """The operator takes its arguments, and reads the providers as they were meant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operator, "run", lambda configuration: configuration)
        arguments = parser().parse_args(container(objects)["args"])
        configuration = arguments.execute(arguments)
    assert isinstance(configuration, Configuration)
    assert list(configuration.namespaces) == wanted["watchNamespaces"]
    found = [each for each in of_kind(objects, "ConfigMap") if "providers.yaml" in each["data"]]
    file.write_text(found[0]["data"]["providers.yaml"], "utf-8")
    assert Providers.load(file) == Providers.model_validate({"providers": wanted["providers"]})


@FEW
@given(values.right(), RELEASES, NAMESPACES)
def test_what_the_schema_allows_a_cluster_and_the_operator_understand(
    template: Template, file: Path, wanted: dict[str, Any], release: str, namespace: str
) -> None:
    # A pair that the chart refuses in words of its own, and what no pattern tells from an address.
    assume(
        wanted["metrics"]["service"]["enabled"]
        or not wanted["metrics"]["serviceMonitor"]["enabled"]
    )
    assume(not any("[" in each["url"] for each in wanted["providers"].values()))
    done = template(wanted, release, namespace)
    assert done.returncode == 0, done.stderr
    objects = parse(done.stdout)
    named_well(objects, wanted["commonLabels"])
    understood(objects, wanted, file)


@FEW
@given(values.wrong())
def test_one_wrong_value_is_refused_by_its_place(
    template: Template, wrong: tuple[dict[str, Any], tuple[str, ...]]
) -> None:
    wanted, path = wrong
    done = template(wanted)
    assert done.returncode != 0
    place = "/".join(name.replace("~", "~0").replace("/", "~1") for name in path)
    assert f"at '/{place}" in done.stderr


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("team.risk", "team-risk-headgate"),
        (f"{'x' * 49}--y", "x" * 49),
        ("my-headgate", "my-headgate"),
    ],
)
def test_an_installation_of_any_name_has_a_service(
    run_helm: Callable[..., Any], release: str, name: str
) -> None:
    done = run_helm("template", release, str(CHART))
    assert done.returncode == 0, done.stderr
    (service,) = of_kind(parse(done.stdout), "Service")
    assert service["metadata"]["name"] == f"{name}-metrics"


@pytest.mark.parametrize("release", ["1st", "2026"])
def test_a_name_that_no_service_can_have_is_refused_in_words(
    run_helm: Callable[..., Any], release: str
) -> None:
    done = run_helm("template", release, str(CHART))
    assert done.returncode != 0
    assert f"{release}-headgate does not begin with a letter" in done.stderr
    done = run_helm("template", release, str(CHART), "--set", "fullnameOverride=releases")
    assert done.returncode == 0

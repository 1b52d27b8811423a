"""Readers of the documents type what stands there, from top to bottom, and it works.

What a sentence asks of the reader (change the version, wait) is done by the story. That every
console block is in a story, or explained, is checked by tests/quality.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from hack.cluster import Cluster, temporary_cluster
from hack.demo.explaining import prometheus
from tests.e2e.by_hand import serve_by_hand
from tests.e2e.model import Model
from tests.e2e.reader import Desk, Page


@pytest.fixture
def model(model: Model) -> Model:
    """The documents' own."""
    model.name = "fraud"
    return model


@pytest.fixture
def desk(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"), model.namespace, model.cluster)


@pytest.fixture
def pages(request: pytest.FixtureRequest, desk: Desk) -> Iterator[list[Page]]:
    """The documents that the story reads, which has to reach the end of each."""
    pages = [Page(each, desk) for each in request.node.get_closest_marker("reads").args]
    failed = request.session.testsfailed
    yield pages
    if request.session.testsfailed == failed:
        unread = [f"{each}\n{each.text}" for page in pages for each in page.left]
        unread += [f"{page.document}: {each}" for page in pages for each in page.unsaid]
        assert not unread, "\n".join(["not run:", *unread])


def is_in(phase: str, stable: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a status is in a phase, with this version as the stable one."""
    return lambda status: status["phase"] == phase and serves(stable)(status)


def serves(version: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a status says that a version is the stable one."""
    return lambda status: bool(status["stable"]["version"] == version)


@pytest.fixture
def without_nodes(desk: Desk) -> Iterator[Cluster]:
    """An API server where the documents' readers install, upgrade and configure as they like."""
    with temporary_cluster("tests-documents", control_plane_only=True) as cluster:
        desk.without_nodes = cluster
        yield cluster


@pytest.mark.reads("docs/first-release.md", "docs/how-to/own-metrics.md", "docs/runbook.md")
def test_a_first_release_goes_live_and_back(pages: list[Page], desk: Desk, model: Model) -> None:
    first, metrics, runbook = pages
    first.save("fraud.yaml")
    first.run()
    with model.users():
        first.save("fraud.yaml", version="2.3.0")
        assert "2.3.0 over 2.2.0" in " ".join(first.run().split())
        live = model.wait_for_phase("Stable")
        assert live["stable"]["version"] == "2.3.0"
        with prometheus(model.cluster) as address:
            desk.known["prometheus"] = address
            metrics.run()
        assert (desk.directory / "fraud.png").stat().st_size > 10_000
        first.run()
        model.wait("2.2.0 is back", serves("2.2.0"))

        assert "2.3.0" in runbook.run()
        runbook.look()
        runbook.type("kubectl headgate retry fraud")
        model.wait("2.3.0 is live once more", serves("2.3.0"))
        runbook.type("kubectl headgate undo fraud")
        back = model.wait("2.2.0 is back once more", serves("2.2.0"))
        desk.known["revision"] = back["stable"]["revision"]
        runbook.run()
        assert model.live_selector()["headgate.dev/revision"] == back["stable"]["revision"]


@pytest.mark.reads("docs/how-to/pipelines.md", "docs/how-to/approve.md")
def test_a_pipeline_waits_and_a_person_approves(
    pages: list[Page], desk: Desk, model: Model
) -> None:
    pipeline, approval = pages
    first = Page("docs/first-release.md", desk)
    approved = yaml.safe_load(desk.here(approval.manifests()[0]))
    first.save("fraud.yaml", **approved)
    pipeline.run()
    assert model.status()["stable"]["version"] == "2.2.0"
    first.save("fraud.yaml", version="2.3.0", **approved)
    model.kubectl("apply", "-f", str(desk.directory / "fraud.yaml"))
    with model.users():
        model.wait(
            "an approval is waited for",
            lambda status: (
                "WaitingForApproval" in [each["reason"] for each in status["conditions"]]
            ),
        )
        approval.look()
        approval.run()
        aborted = model.wait_for_phase("Reverted")
    assert aborted["rejected"]["version"] == "2.3.0"
    assert aborted["releases"][-1]["outcome"] == "Aborted"


@pytest.mark.reads("docs/how-to/go-back.md", "docs/how-to/freeze.md", "docs/how-to/scarce-gpus.md")
def test_a_person_holds_a_release_and_goes_back(
    pages: list[Page], desk: Desk, model: Model
) -> None:
    back, freeze, scarce = pages
    first = Page("docs/first-release.md", desk)

    def release(version: str, **parts: Any) -> None:
        first.save("fraud.yaml", version=version, **parts)
        model.kubectl("apply", "-f", str(desk.directory / "fraud.yaml"))

    release("2.1.0")
    model.wait("2.1.0 is stable", is_in("Stable", "2.1.0"))
    with model.users():
        release("2.2.0")
        model.wait("2.2.0 is stable", is_in("Stable", "2.2.0"))
        release("2.3.0")
        model.wait("2.3.0 is released", is_in("Progressing", "2.2.0"))
        back.run()
        model.wait("2.3.0 is given up", is_in("Reverted", "2.2.0"))
        back.run()
        model.wait("2.3.0 is released again", is_in("Progressing", "2.2.0"))
        freeze.run()
        model.wait("2.3.0 is stable", is_in("Stable", "2.3.0"))
        back.run()
        model.wait("2.2.0 is back", serves("2.2.0"))
        assert "2.3.0" in back.run()
        model.wait("2.1.0 is back", serves("2.1.0"))
    release("2.1.0", **yaml.safe_load(scarce.manifests()[0]))
    assert "When there is no room, pods are swapped" in scarce.run()
    before = {each["metadata"]["name"] for each in model.get("pods")["items"]}
    scarce.run()
    model.wait("all pods are new", lambda status: before.isdisjoint(ready_pods(model)))


def ready_pods(model: Model) -> set[str]:
    """The names of the pods that the live Service leads to."""
    slices = model.get("endpointslices")["items"]
    return {
        endpoint["targetRef"]["name"]
        for each in slices
        if each["metadata"]["labels"]["kubernetes.io/service-name"] == model.name
        for endpoint in each["endpoints"] or ()
        if endpoint["conditions"]["ready"]
    }


@pytest.mark.reads("docs/how-to/adopt.md")
def test_what_somebody_made_by_hand_is_adopted(pages: list[Page], desk: Desk, model: Model) -> None:
    (adopt,) = pages
    serve_by_hand(model, "1.0.0")
    first = Page("docs/first-release.md", desk)
    first.save("fraud.yaml", **yaml.safe_load(adopt.manifests()[0]))
    assert "fraud" in adopt.run()
    assert model.live_selector()["headgate.dev/model-deployment"] == model.name


@pytest.mark.reads("README.md", "docs/fields.md")
def test_the_readme_shows_a_release(
    pages: list[Page], desk: Desk, model: Model, without_nodes: Cluster
) -> None:
    readme, fields = pages
    # As it stands there, for `headgate plan`, whose table tests/cli compares.
    (desk.directory / "fraud.yaml").write_text(readme.manifests()[0])
    assert "~9.09%" in readme.run()
    readme.save("fraud.yaml", version="2.2.0")
    model.kubectl("apply", "-f", str(desk.directory / "fraud.yaml"))
    model.wait_for_phase("Stable")
    with model.users():
        readme.save("fraud.yaml")
        model.kubectl("apply", "-f", str(desk.directory / "fraud.yaml"))
        model.wait(
            "2.3.0 is judged",
            lambda status: status["phase"] == "Progressing" and bool(status.get("analysis")),
        )
        watched = readme.run()
    assert "Progressing · 2.3.0 over 2.2.0" in " ".join(watched.split())
    told = set(re.findall(r"^  (\w+(?: can)?)  ", watched, re.MULTILINE))
    assert told >= {"now", "verdict", "weight", "next", "you can"}, watched
    readme.look()
    fields.look()
    readme.run()
    readme.type("pip install .")
    have_argo_cd(without_nodes)
    readme.run()


def have_argo_cd(cluster: Cluster) -> None:
    """What of Argo CD its own installation has made before."""
    cluster.kubectl("create", "namespace", "argocd")
    cluster.kubectl("create", "configmap", "argocd-cm", "--namespace=argocd")


@pytest.mark.reads(
    *("docs/install.md", "docs/notifications.md", "docs/upgrading.md"),
    *("charts/headgate/README.md", "docs/argocd.md"),
)
def test_headgate_is_installed_and_upgraded(
    pages: list[Page], desk: Desk, without_nodes: Cluster
) -> None:
    install, notifications, upgrading, chart, argo = pages
    install.run()
    assert "does not provide the extra" not in install.run()
    assert "complete " in (desk.directory / "headgate").read_text()

    without_nodes.kubectl("apply", "-f", "-", input=notifications.manifests()[0])
    notifications.run()
    upgrading.run()
    found = without_nodes.kubectl(
        *("get", "deployment", "headgate", "--namespace=headgate-system", "--output=json")
    )
    pod = json.loads(found)["spec"]["template"]["spec"]
    secrets = [each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each]
    assert secrets == ["headgate-notifications"]
    assert pod["containers"][0]["image"].startswith("registry.example/headgate:")

    without_nodes.helm("uninstall", "headgate", "--namespace=headgate-system")
    chart.run()
    without_nodes.helm("uninstall", "headgate", "--namespace=headgate-system")
    without_nodes.kubectl("create", "namespace", desk.namespace)
    chart.run()
    chart.type("kubectl delete crd modeldeployments.headgate.dev")

    have_argo_cd(without_nodes)
    argo.run()

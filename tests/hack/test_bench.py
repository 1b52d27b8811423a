"""What the benchmark counts is what happened: addresses are read rightly, and the stand-in for
Prometheus answers what the operator really asks."""

from __future__ import annotations

import time

import pytest

from hack.bench import document, polls, report
from hack.bench.__main__ import options_of, parser
from hack.bench.proxy import count, read_request
from hack.bench.world import RATE, World, values
from headgate.metrics import promql
from headgate.metrics.presets import PRESETS

HTTP = PRESETS["http"]
MODEL = ("risk", "fraud")


@pytest.mark.parametrize(
    ("method", "path", "watching", "expected"),
    [
        ("GET", "/api/v1/pods", False, "list pods"),
        ("GET", "/api/v1/pods", True, "watch pods"),
        ("GET", "/api/v1/namespaces/risk/configmaps/fraud", False, "get configmaps"),
        ("PATCH", "/api/v1/namespaces/risk/services/fraud", False, "patch services"),
        ("POST", "/api/v1/namespaces/risk/events", False, "create events"),
        ("DELETE", "/apis/apps/v1/namespaces/risk/deployments/x", False, "delete deployments"),
        (
            "PUT",
            "/apis/headgate.dev/v1alpha1/namespaces/risk/modeldeployments/fraud/status",
            False,
            "update modeldeployments/status",
        ),
        ("GET", "/apis/apps/v1", False, "discover /apis/apps/v1"),
    ],
)
def test_a_request_is_known_by_its_address(
    method: str, path: str, watching: bool, expected: str
) -> None:
    assert list(count([read_request(method, path, watching, 0.0)])) == [expected]


def test_the_lease_is_not_counted() -> None:
    path = "/apis/coordination.k8s.io/v1/namespaces/headgate-system/leases/headgate"
    assert not count([read_request("PUT", path, False, 0.0)])


def pod_event(name: str, revision: str, ready: str = "True") -> dict[str, object]:
    labels = {"headgate.dev/model-deployment": "fraud", "headgate.dev/revision": revision}
    return {
        "metadata": {"namespace": "risk", "name": name, "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def test_only_ready_pods_that_the_service_selects_are_called_and_scraped() -> None:
    world = World()
    for name, revision, ready in (("a", "1", "True"), ("b", "2", "True"), ("c", "2", "False")):
        world.see("ADDED", pod_event(name, revision, ready))
    world.selected[MODEL] = "1"
    world.scrape(2, time.time())
    world.selected[MODEL] = ""
    world.scrape(2, time.time())
    counted = {name: pod.requests for (_, name), pod in world.pods.items()}
    assert counted == {"a": 3 * RATE, "b": RATE, "c": 0}


def test_a_failing_version_is_seen_from_its_first_scraped_error_on() -> None:
    world = World()
    world.see("ADDED", pod_event("b", "2"))
    world.selected[MODEL] = ""
    world.scrape(2, 10.0)
    world.fail(MODEL, "2")
    world.scrape(2, 20.0)
    world.scrape(2, 30.0)
    assert world.first_bad == {MODEL: 20.0}
    assert world.pods["risk", "b"].errors == 2 * RATE


def test_the_operators_own_questions_are_answered() -> None:
    world = World()
    for name in ("a", "b"):
        world.see("ADDED", pod_event(name, "1"))
    world.selected[MODEL] = "1"
    world.scrape(2, time.time())
    asked = [("risk", "a")]
    found = world.rows(promql.counters(HTTP, asked, [1.0], 10))
    kinds = {(row["metric"]["pod"], row["metric"]["headgate_kind"]) for row in found}
    assert kinds == {("a", "requests"), ("a", "bucket")}
    assert {row["metric"].get("le") for row in found} >= {"1.0", "+Inf"}
    assert len(world.rows(promql.quantiles(HTTP, asked, 10))) == 1
    assert values('x{pod=~"a\\\\.b|c"}', "pod") == ["a.b", "c"]


def test_results_take_the_place_of_earlier_ones() -> None:
    named = ("bench-none", "Nothing")
    once = document.insert("# Measurements\n", *named, "first\n")
    twice = document.insert(once + "\n## Another section\n", *named, "second\n")
    assert "first" not in twice
    assert twice.count("written by `make bench-none`") == 1
    assert twice.endswith("## Another section\n")


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(each) for each in range(1, 101)]
    assert report.percentile(values, 0.99) == 99
    assert report.percentile([7.0], 0.99) == 7
    assert report.percentile(values, 0.5) == 50


def test_releases_are_measured_at_one_of_the_sizes() -> None:
    options = options_of(parser().parse_args(["engine", "--models", "10,30"]))
    assert (options.models, options.busy) == ((10, 30), 30)
    options = options_of(parser().parse_args(["engine", "--models", "10,30", "--busy", "20"]))
    assert options.models == (10, 20, 30)


def test_the_delay_beside_a_dead_provider_is_said_as_a_change() -> None:
    delays = {False: [0.1, 0.2, 0.3], True: [0.1, 0.21, 0.3]}
    results = polls.Results(queries={1: 18.0, 1000: 18.0}, delays=delays)
    section = polls.markdown(results, "in 1 min", "a machine")
    assert "| 1,000 | 18 |" in section
    assert "| alone | 3 | 200 ms | 300 ms |" in section
    assert "by +5.0 % (aim" in section

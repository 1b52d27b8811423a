"""What several directories of tests share: a real API server, started when a test first asks."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.cluster import Cluster, cluster_unavailable_reason, open_cluster
from hack.cluster.local import close_local
from hack.cluster.processes import wait_until
from hack.cluster.record import names
from tests.e2e import turn
from tests.e2e.rights import Findings

REPOSITORY = Path(__file__).parents[1]
_CRD = "modeldeployments.headgate.dev"
_PREFIX = "tests-api-"


def _remove_leftovers() -> None:
    # The name ends in the process id of its run: two runs never share one, and what a run that
    # was killed left behind is recognised.
    for name in names():
        process = name.removeprefix(_PREFIX)
        if name.startswith(_PREFIX) and not Path("/proc", process).exists():
            close_local(name)


_MARKS = {"cluster": "cluster", "control_plane": "control_plane", "controllers": "control_plane"}


_ON_WISH = {"long": "HEADGATE_LONG", "alone": "HEADGATE_ALONE"}
"""Markers of tests that are left out unless the variable is set, as their make targets do."""

_LONG_FIRST = (
    "tests/faults/test_kills.py",
    "tests/exploration/test_exploration.py",
    "tests/faults/",
    "tests/runtime/test_two_processes.py",
    "tests/exploration/",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by the real thing that it asks for, so that `make test-fast` leaves it out."""
    left_out = [
        item
        for item in items
        if any(
            item.get_closest_marker(marker) and not os.environ.get(variable)
            for marker, variable in _ON_WISH.items()
        )
    ]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in _MARKS:
                item.add_marker(_MARKS[fixture])
    items.sort(key=_how_early)
    stories = [item for item in items if item.get_closest_marker("cluster")]
    others = [item for item in items if not item.get_closest_marker("cluster")]
    items[:] = _in_turns(stories, others)


def _how_early(item: pytest.Item) -> int:
    places = (n for n, start in enumerate(_LONG_FIRST) if item.nodeid.startswith(start))
    return next(places, len(_LONG_FIRST))


_WHILE_PREPARING = 8
"""Other tests, the longest, that keep the workers busy while the first one prepares the cluster."""


def _in_turns(stories: list[pytest.Item], others: list[pytest.Item]) -> list[pytest.Item]:
    """Stories on the whole cluster wait more than they compute, so one of them goes with another
    test. What takes long comes first, so that nothing is left to one worker at the end."""
    started = [*stories[:1], *others[:_WHILE_PREPARING]]
    pairs = zip(stories[1:], others[_WHILE_PREPARING:], strict=False)
    mixed = started + [item for pair in pairs for item in pair]
    known = set(mixed)
    return mixed + [item for item in (*stories, *others) if item not in known]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Before the first story of a run without workers."""
    if _is_first_process(session) and any("cluster" in item.keywords for item in session.items):
        turn.take()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(ids: list[str]) -> None:
    """Before the first story of a run with workers: only these have collected the tests."""
    if any(each.startswith("tests/e2e/") for each in ids):
        turn.take()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """After the last test of all workers. The run fails when the operator was denied something, or
    when a whole run did not use a right that it has."""
    if not _is_first_process(session):
        return
    findings = turn.end()
    if findings is None:
        return
    asked = session.config.option
    whole = not (asked.keyword or asked.markexpr or asked.file_or_dir or session.testsfailed)
    session.config.stash[_RIGHTS] = (findings, whole)
    if findings.denied or (whole and findings.unused):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_RIGHTS = pytest.StashKey[tuple[Findings, bool]]()


def _tell_of_rights(terminalreporter: pytest.TerminalReporter) -> None:
    found = terminalreporter.config.stash.get(_RIGHTS, None)
    if found is None:
        return
    findings, whole = found
    terminalreporter.section("what the operator asked of the API server")
    terminalreporter.write_line(f"{findings.requests} requests, {len(findings.denied)} denied")
    for line in sorted(set(findings.denied))[:20]:
        terminalreporter.write_line(f"denied: {line}")
    for right in findings.unused if whole else ():
        terminalreporter.write_line(f"granted and never used: {' '.join(right)}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many states of the planner were explored, a line for each small world, and what the
    operator asked of the API server."""
    _tell_of_rights(terminalreporter)
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
    ]
    explored = [value for each in reports for name, value in each.user_properties]
    if explored:
        terminalreporter.section("explored states of the planner")
        for line in explored:
            terminalreporter.write_line(str(line))


def _is_first_process(session: pytest.Session) -> bool:
    return not hasattr(session.config, "workerinput")


@pytest.fixture(scope="session")
def control_plane() -> Iterator[Cluster]:
    """A control plane of this run's own: an API server that keeps objects, without any node."""
    reason = cluster_unavailable_reason(control_plane_only=True)
    if reason:
        pytest.skip(reason)
    _remove_leftovers()
    cluster = open_cluster(f"{_PREFIX}{os.getpid()}", control_plane_only=True)
    yield cluster
    cluster.down()


@pytest.fixture(scope="session")
def established_crd(control_plane: Cluster) -> Cluster:
    """The control plane, with the committed CRD applied by plain `kubectl apply`."""
    control_plane.kubectl("apply", "-f", str(REPOSITORY / "crds"))

    # `kubectl wait` gives up on a definition that has no conditions yet.
    def is_established() -> bool:
        status = json.loads(control_plane.kubectl("get", f"crd/{_CRD}", "-ojson"))["status"]
        return any(
            condition["type"] == "Established" and condition["status"] == "True"
            for condition in status["conditions"] or ()
        )

    wait_until(is_established, 60, lambda: f"{_CRD} was not established", 0.2)
    return control_plane

"""The commands against a real API server; a small stand-in answers actions as the operator does."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config

from hack.cluster import Cluster
from headgate.api.base import GROUP, PLURAL, VERSION
from headgate.cli import main
from headgate.kube.records import Contents, add
from tests.cli.situations import (
    APPROVAL,
    CANDIDATE,
    HOLDING,
    RECORDS,
    RELEASED,
    REVERTED,
    STABLE,
    manifest,
)
from tests.metrics.servers import Handler, send, serving

NAMESPACE = "cli"
CALL = (5, 30)
SOURCE = Path(__file__).parents[2] / "operator"


class World:
    """The objects of the tests, and the commands that a person types."""

    def __init__(self, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
        settings: Any = client.Configuration()
        connect: Any = config.new_client_from_config
        api = connect(str(cluster.kubeconfig), client_configuration=settings)
        settings.proxy = None
        self.objects = client.CustomObjectsApi(api)
        self.apps = client.AppsV1Api(api)
        self.core = client.CoreV1Api(api)
        self.cluster = cluster
        self._capsys = capsys

    def make(self, name: str, status: dict[str, Any], **spec: Any) -> None:
        """A ModelDeployment with a status."""
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "ModelDeployment",
            "metadata": {"name": name},
            "spec": manifest(**spec),
        }
        self.objects.create_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, PLURAL, body, _request_timeout=CALL
        )
        self.say(name, {"observedGeneration": 1, **status})

    def say(self, name: str, status: dict[str, Any]) -> None:
        """Change the status, as the operator does."""
        self.objects.patch_namespaced_custom_object_status(
            GROUP, VERSION, NAMESPACE, PLURAL, name, {"status": status}, _request_timeout=CALL
        )

    def change(self, name: str, spec: dict[str, Any]) -> None:
        """Change the spec, as git does."""
        self.objects.patch_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, PLURAL, name, {"spec": spec}, _request_timeout=CALL
        )

    def read(self, name: str) -> dict[str, Any]:
        """The stored object."""
        stored: Any = self.objects.get_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, PLURAL, name, _request_timeout=CALL
        )
        found: dict[str, Any] = stored
        return found

    def keep(self, name: str, revision: str, version: str, number: int) -> None:
        """A revision that is kept."""
        body: Any = {
            "metadata": {
                "name": f"{name}-{revision}",
                "labels": {
                    "headgate.dev/model-deployment": name,
                    "headgate.dev/revision": revision,
                },
                "annotations": {"headgate.dev/once-stable": "true"},
            },
            "revision": number,
            "data": {
                "version": version,
                "template": {"spec": {"containers": [{"image": f"fraud:{version}"}]}},
            },
        }
        self.apps.create_namespaced_controller_revision(NAMESPACE, body, _request_timeout=CALL)

    def record(self, name: str, release: str, entries: list[dict[str, Any]]) -> None:
        """What the operator has recorded of a release."""
        body: Any = {
            "metadata": {"name": f"{name}-release-records"},
            "data": dict(add(Contents(), release, entries).data),
        }
        self.core.create_namespaced_config_map(NAMESPACE, body, _request_timeout=CALL)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Type a command: its exit code, and what it prints."""
        flags = ["--kubeconfig", str(self.cluster.kubeconfig), "-n", NAMESPACE]
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*words, *flags])
        printed = self._capsys.readouterr()
        assert "Traceback" not in printed.err
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err


@pytest.fixture(scope="module")
def namespace(established_crd: Cluster) -> Cluster:
    established_crd.kubectl("create", "namespace", NAMESPACE)
    return established_crd


@pytest.fixture
def world(namespace: Cluster, capsys: pytest.CaptureFixture[str]) -> World:
    return World(namespace, capsys)


@pytest.fixture
def operator(world: World) -> Iterator[Callable[..., None]]:
    """Answers the next action on a ModelDeployment, once it is asked."""
    threads: list[threading.Thread] = []
    stopped = threading.Event()

    def answer(name: str, outcome: str = "Done", **status: Any) -> None:
        def wait() -> None:
            while not stopped.wait(0.05):
                stored = world.read(name)
                action = stored["spec"].get("action")
                if action and stored["status"].get("action", {}).get("at") != action["at"]:
                    said = f"{action['by']} asked to {action['type'].lower()} it."
                    # A merge patch keeps what it does not mention.
                    whole = {"step": None, "to": None, **action}
                    handled = {**whole, "outcome": outcome, "message": said}
                    seen = {"observedGeneration": stored["metadata"]["generation"]}
                    world.say(name, {**seen, "action": handled, **status})
                    return

        threads.append(threading.Thread(target=wait, daemon=True))
        threads[-1].start()

    yield answer
    stopped.set()
    for each in threads:
        each.join(30)


def test_get_draws_the_tree_or_lists_all(world: World) -> None:
    world.make("seen", HOLDING)
    code, out, _ = world.run("get", "mdep/seen")
    assert code == 0
    assert out.startswith("seen · cli · Canary · Progressing · 2.3.0 over 2.2.0 · step 3 of 4\n")
    assert f"headgate promote seen -n {NAMESPACE}" in out
    code, out, _ = world.run("get")
    assert code == 0
    assert out.splitlines()[0].split()[:2] == ["NAME", "PHASE"]
    assert "seen" in out
    code, out, _ = world.run("get", "-A")
    assert out.splitlines()[0].startswith("NAMESPACE")
    assert "\x1b" not in out


def test_get_prints_the_stored_object_for_scripts(world: World) -> None:
    world.make("stored", HOLDING)
    code, out, _ = world.run("get", "stored", "-o", "json")
    assert code == 0
    assert json.loads(out)["status"]["phase"] == "Progressing"
    code, out, _ = world.run("get", "-o", "yaml")
    assert "stored" in [each["metadata"]["name"] for each in yaml.safe_load(out)["items"]]


def test_a_name_that_is_not_there_is_answered_with_similar_ones(world: World) -> None:
    world.make("transactions", RELEASED)
    code, out, err = world.run("get", "transactoins")
    assert (code, out) == (1, "")
    assert "did you mean transactions?" in err


def test_an_action_is_bound_recorded_and_answered(
    world: World, operator: Callable[..., None]
) -> None:
    world.make("approved", APPROVAL)
    operator("approved")
    code, out, _ = world.run("approve", "approved")
    assert (code, out) == (0, "administrator asked to approve it.\n")
    action = world.read("approved")["spec"]["action"]
    assert (action["type"], action["revision"], action["step"]) == ("Approve", CANDIDATE, 2)
    assert action["by"] == "administrator"
    managers = world.read("approved")["metadata"]["managedFields"]
    assert "headgate-cli" in [each["manager"] for each in managers]


def test_the_next_action_has_nothing_of_the_one_before(
    world: World, operator: Callable[..., None]
) -> None:
    world.make("again", APPROVAL)
    operator("again")
    assert world.run("approve", "again")[0] == 0
    operator("again")
    assert world.run("promote", "again")[0] == 0
    assert set(world.read("again")["spec"]["action"]) == {"type", "revision", "by", "at"}


def test_an_action_repeated_is_told_and_not_asked_again(
    world: World, operator: Callable[..., None]
) -> None:
    world.make("repeated", HOLDING)
    operator("repeated", **REVERTED, release=None, candidate=None)
    assert world.run("abort", "repeated")[0] == 0
    before = world.read("repeated")["spec"]["action"]
    code, out, _ = world.run("abort", "repeated")
    assert (code, out) == (0, "That was done before: administrator asked to abort it.\n")
    assert world.read("repeated")["spec"]["action"] == before


def test_an_action_that_the_operator_ignores_fails(
    world: World, operator: Callable[..., None]
) -> None:
    world.make("ignored", HOLDING)
    operator("ignored", outcome="Ignored")
    code, out, _ = world.run("promote", "ignored")
    assert code == 1
    assert "asked to promote it" in out


def test_an_action_without_an_operator_ends_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headgate.cli.act.ANSWER_SECONDS", 0.5)
    world.make("unanswered", HOLDING)
    code, _, err = world.run("promote", "unanswered")
    assert code == 3
    assert "is it running?" in err
    # The same again waits for the one that was written; it writes no second one.
    before = world.read("unanswered")["spec"]["action"]
    assert world.run("promote", "unanswered")[0] == 3
    assert world.read("unanswered")["spec"]["action"] == before


def test_a_release_that_changes_under_the_hand_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headgate.kube.api import ApiClient

    world.make("raced", HOLDING)
    ask, times = ApiClient.patch, []

    async def ended_meanwhile(*arguments: Any, **named: Any) -> Any:
        times.append(1)
        if len(times) == 1:
            world.say("raced", {"release": None, "candidate": None, **RELEASED})
        return await ask(*arguments, **named)

    monkeypatch.setattr(ApiClient, "patch", ended_meanwhile)
    code, out, _ = world.run("promote", "raced")
    assert (code, out) == (0, "2.3.0 gets all live traffic already.\n")
    assert len(times) == 1
    assert "action" not in world.read("raced")["spec"]


def test_what_makes_no_sense_is_refused_and_nothing_written(world: World) -> None:
    world.make("stable", RELEASED)
    code, _, err = world.run("approve", "stable")
    assert code == 1
    assert "nothing waits for approval: stable is Stable with 2.3.0" in err
    assert "action" not in world.read("stable")["spec"]


def test_an_action_can_be_committed_to_git_instead(world: World) -> None:
    world.make("in-git", HOLDING)
    code, out, _ = world.run("abort", "in-git", "--dry-run")
    assert code == 0
    written = yaml.safe_load(out)
    assert "action" not in world.read("in-git")["spec"]
    assert written["spec"]["action"]["type"] == "Abort"
    world.change("in-git", written["spec"])
    assert world.read("in-git")["spec"]["action"] == written["spec"]["action"]


def test_pause_and_resume_are_safe_to_repeat(world: World) -> None:
    world.make("held", HOLDING)
    assert world.run("pause", "held", "--no-wait")[1] == "held is paused.\n"
    assert world.read("held")["spec"]["suspend"] is True
    assert world.run("pause", "held")[:2] == (0, "held is paused already.\n")
    assert world.run("resume", "held", "--no-wait")[1] == "held is resumed.\n"
    assert world.read("held")["spec"]["suspend"] is False
    assert world.run("resume", "held")[:2] == (0, "held is not paused.\n")


def test_status_says_the_outcome_in_its_exit_code(world: World) -> None:
    world.make("done", RELEASED)
    world.make("failed", REVERTED)
    world.make("moving", HOLDING)
    assert world.run("status", "done")[:2] == (0, "2.3.0 serves with 4 of 4 pods ready\n")
    code, out, _ = world.run("status", "failed", "--wait")
    assert code == 1
    assert "31 % errors" in out
    assert world.run("status", "moving")[0] == 3
    code, _, err = world.run("status", "moving", "--wait", "--timeout", "1s")
    assert code == 3
    assert err.startswith("Timed out: holding 50 %")


def test_status_waits_for_the_end_and_tells_each_decision_once(world: World) -> None:
    world.make("awaited", HOLDING)

    def end() -> None:
        decision = {"time": "2099-01-01T10:00:00Z", "reason": "R", "message": "Taken back."}
        decisions = [*HOLDING["decisions"], decision]
        world.say("awaited", {"decisions": decisions})
        world.say("awaited", {**REVERTED, "release": None, "candidate": None})

    timer = threading.Timer(2.0, end)
    timer.start()
    code, out, _ = world.run("status", "awaited", "--wait", "--timeout", "60s")
    timer.join()
    assert code == 1
    assert out.count("Releasing 2.3.0 over 2.2.0.") == 1
    assert out.splitlines()[-1].startswith("Reverted 2.3.0 at 20 %")


def test_history_and_what_is_kept_of_a_revision(world: World) -> None:
    world.make("past", {**REVERTED, "releases": RECORDS})
    world.keep("past", STABLE, "2.2.0", 6)
    world.keep("past", CANDIDATE, "2.3.0", 7)
    code, out, _ = world.run("history", "past")
    assert code == 0
    assert out.splitlines()[1].split()[:4] == ["7", CANDIDATE, "2.3.0", "Reverted"]
    code, out, _ = world.run("history", "past", "--revision", "2.2.0")
    assert out.startswith(f"2.2.0 · revision {STABLE} · number 6 · once stable")
    code, out, _ = world.run("history", "past", "--revision", STABLE[:4], "-o", "yaml")
    assert yaml.safe_load(out)["template"]["spec"]["containers"] == [{"image": "fraud:2.2.0"}]
    code, _, err = world.run("history", "past", "--revision", "9.9.9")
    assert code == 1
    assert f"{STABLE} (2.2.0), {CANDIDATE} (2.3.0)" in err


def test_undo_takes_a_version_for_the_revision_that_is_kept(
    world: World, operator: Callable[..., None]
) -> None:
    world.make("undone", RELEASED)
    world.keep("undone", STABLE, "2.2.0", 6)
    operator("undone")
    assert world.run("undo", "undone", "--to", "2.2.0")[0] == 0
    assert world.read("undone")["spec"]["action"]["to"] == STABLE


def test_the_namespace_comes_from_the_context(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.make("contextual", RELEASED)
    settings = yaml.safe_load(world.cluster.kubeconfig.read_text())
    settings["contexts"][0]["context"]["namespace"] = NAMESPACE
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(settings))
    with pytest.raises(SystemExit) as ended:
        main(["get", "contextual", "--kubeconfig", str(kubeconfig)])
    assert ended.value.code == 0
    with pytest.raises(SystemExit) as ended:
        main(["get", "--kubeconfig", str(kubeconfig), "--context", "nowhere"])
    assert ended.value.code == 1
    assert "has no context 'nowhere'" in capsys.readouterr().err


def test_names_complete_from_the_cluster(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.make("completes", RELEASED)
    monkeypatch.setitem(os.environ, "KUBECONFIG", str(world.cluster.kubeconfig))
    capsys.readouterr()
    main(["__complete", "get", "-n", NAMESPACE, "compl"])
    assert capsys.readouterr().out == "completes\n"


def test_a_watch_in_a_terminal_redraws_and_ends_quietly_with_ctrl_c(world: World) -> None:
    world.make("live", HOLDING)
    leader, follower = pty.openpty()
    words = ["get", "live", "-w", "--kubeconfig", str(world.cluster.kubeconfig), "-n", NAMESPACE]
    with subprocess.Popen(
        [sys.executable, "-m", "headgate", *words],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "TERM": "xterm"},
        start_new_session=True,
    ) as process:
        os.close(follower)
        shown = b""
        try:
            # The second picture moves the cursor back up over the first one.
            while not re.search(rb"\x1b\[\d+F", shown):
                assert select.select([leader], [], [], 60)[0], shown
                shown += os.read(leader, 65536)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()
            os.close(leader)
    assert b"live" in shown
    assert b"\x1b[36m" in shown
    assert b"Traceback" not in shown


def test_a_person_without_rights_is_told_what_is_missing(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.make("guarded", RELEASED)
    world.cluster.kubectl("create", "serviceaccount", "nobody", "-n", NAMESPACE)
    token = world.cluster.kubectl("create", "token", "nobody", "-n", NAMESPACE).strip()
    settings = yaml.safe_load(world.cluster.kubeconfig.read_text())
    settings["users"][0]["user"] = {"token": token}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(settings))
    with pytest.raises(SystemExit) as ended:
        main(["get", "guarded", "--kubeconfig", str(kubeconfig), "-n", NAMESPACE])
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "cannot get resource" in said
    assert "Traceback" not in said


RELEASE = f"20261126T095400Z-{CANDIDATE}"


def decided(second: int, reason: str, message: str) -> dict[str, Any]:
    return {"time": f"2026-11-26T09:54:{second:02d}Z", "reason": reason, "message": message}


def pods_of(name: str) -> tuple[str, str]:
    """A pod of the candidate, and one of stable."""
    return f"{name}-{CANDIDATE}-x", f"{name}-{STABLE}-y"


def sampled(name: str, second: int, verdict: str, **check: Any) -> dict[str, Any]:
    return {
        "time": f"2026-11-26T09:54:{second:02d}Z",
        "stage": "Stepping",
        "step": 0,
        "weight": 20.0,
        "verdict": verdict,
        "pods": {pod: {} for pod in pods_of(name)},
        "checks": [
            {
                "name": "errorRate",
                "kind": "rule",
                "metric": "errorRate",
                "verdict": verdict,
                **check,
            }
        ],
    }


def entries_of(name: str) -> list[dict[str, Any]]:
    return [
        decided(0, "ReleaseStarted", "Releasing 2.3.0 over 2.2.0."),
        decided(4, "StepEntered", "2.3.0 gets 20 % of live traffic."),
        sampled(name, 20, "Unknown"),
        sampled(
            name,
            40,
            "Bad",
            limit=0.05,
            e=885.0,
            badFrom=200,
            candidate={"bad": 30, "total": 96},
            stable={"bad": 18, "total": 1822},
        ),
        decided(41, "Reverting", "Taking 2.3.0 back to 2.2.0 at 20 %: too many errors."),
    ]


def test_a_release_is_explained_from_its_record(world: World) -> None:
    world.make("told", {**REVERTED, "releases": RECORDS})
    code, _, err = world.run("explain", "told")
    assert code == 1
    assert "nothing is recorded: no release of told has begun or is kept" in err
    world.record("told", RELEASE, entries_of("told"))
    code, out, _ = world.run("explain", "told")
    assert code == 0
    assert "2.3.0 · Reverted (high_error_rate) at 20 %" in out
    assert "2 samples: 1 Unknown, 1 Bad; the last:" in out
    assert "errorRate  Bad      31.2 % of 96  22.9–41.1  1.0 % of 1,822  5 %    885 / 200" in out
    code, out, _ = world.run("explain", "told", "-o", "json")
    assert json.loads(out) == {"release": RELEASE, "entries": entries_of("told")}
    code, out, _ = world.run("explain", "told", "--query")
    assert f'namespace=~"{NAMESPACE}",pod=~"{"|".join(sorted(pods_of("told")))}"' in out


def past(handler: Handler) -> None:
    """A range of both pods' counters: from the fifth second on the candidate fails."""
    start, step = int(handler.start), float(handler.step)
    series = []
    new, old = pods_of("replayed")
    for pod, rate, failing in ((old, 90, 0), (new, 10, 5)):
        for kind, of_second in (("requests", rate), ("errors", failing)):
            values = [[start + step * n, str(of_second * n * step)] for n in range(60)]
            labels = {"namespace": NAMESPACE, "pod": pod, "headgate_kind": kind}
            series.append({"metric": labels, "values": values})
    send(handler, {"status": "success", "data": {"resultType": "matrix", "result": series}})


def test_a_past_release_is_judged_again_from_prometheus(world: World, tmp_path: Path) -> None:
    world.make("replayed", {**REVERTED, "releases": RECORDS}, analysis={"level": "basic"})
    world.record("replayed", RELEASE, entries_of("replayed"))
    picture = tmp_path / "replayed.png"
    with serving(past) as server:
        asked = ("replay", "replayed", "--prometheus", server.url, "--scrape-interval", "5s")
        code, out, _ = world.run(*asked, "--plot", str(picture))
        assert code == 0
        assert "Bad after 6s at 20 %: candidate 50.0 % errors (25 of 50 requests) is over" in out
        code, out, _ = world.run(*asked, "-o", "json", "--error-rate", "0.9", "--tolerance", "1000")
        found = json.loads(out)
        # A release of less than a scrape is judged by what the last one saw.
        code, out, _ = world.run(*asked[:-1], "1m", "-o", "json")
    assert [each["part"] for each in json.loads(out)["polls"]] == ["20 %"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert (found["release"], found["verdict"]) == (RELEASE, "Unknown")
    assert found["polls"][0]["candidate"] == {"bad": 25, "total": 50}
    code, _, err = world.run("replay", "replayed", "--prometheus", "ftp://nowhere")
    assert (code, "not an http(s) address" in err) == (1, True)
    with serving(lambda handler: send(handler, NOTHING)) as server:
        code, _, err = world.run("replay", "replayed", "--prometheus", server.url)
    assert (code, "it may be too long ago" in err) == (1, True)


def proxied(handler: Handler) -> None:
    """A range of what a proxy has counted for a Service: half of its requests fail."""
    start, step = int(handler.start), float(handler.step)
    labels = {
        "exported_namespace": NAMESPACE,
        "namespace": "ingress-nginx",
        "exported_service": "proxied",
        "service": "ingress-nginx-controller-metrics",
        "controller_namespace": "ingress-nginx",
        "controller_pod": "controller-1",
    }
    series: list[dict[str, Any]] = []
    for kind, of_second in (("requests", 40), ("errors", 20)):
        values = [[start + step * n, str(of_second * n * step)] for n in range(60)]
        series.append({"metric": {**labels, "headgate_kind": kind}, "values": values})
    send(handler, {"status": "success", "data": {"resultType": "matrix", "result": series}})


def test_a_release_that_a_proxy_has_counted_is_judged_again_in_its_watch(world: World) -> None:
    counter: dict[str, Any] = {"proxied/ingress-nginx/controller-1": {}}
    preview = {**sampled("proxied", 8, "NotApplicable"), "weight": 0.0, "pods": counter}
    watched = {**sampled("proxied", 59, "Bad"), "weight": 100.0, "pods": counter}
    entries = [
        decided(0, "ReleaseStarted", "Releasing 2.3.0 over 2.2.0."),
        decided(4, "StepEntered", "2.3.0 is ready beside the live version."),
        preview,
        decided(20, "Promoted", "2.3.0 is the stable version now."),
        {**watched, "stage": "Watching"},
    ]
    world.make(
        "proxied",
        {**REVERTED, "releases": RECORDS},
        analysis={"level": "basic", "runtime": "ingress-nginx"},
        strategy={"type": "BlueGreen"},
    )
    world.record("proxied", RELEASE, entries)
    with serving(proxied) as server:
        asked = ("replay", "proxied", "--prometheus", server.url, "--scrape-interval", "5s")
        code, out, _ = world.run(*asked, "-o", "json")
    assert code == 0
    found = json.loads(out)
    # Settled 15 s after the switch, and then two scrapes: the baseline. From there on it counts.
    assert [each["candidate"] for each in found["polls"]] == [
        {"bad": 0, "total": 0},
        {"bad": 100, "total": 200},
        {"bad": 100, "total": 200},
    ]
    assert {each["part"] for each in found["polls"]} == {"watch"}
    assert found["verdict"] == "Bad"
    code, _, err = world.run(*asked[:-1], "1m")
    assert (code, "this release had none of more than 135 s" in err) == (1, True)
    code, out, _ = world.run("explain", "proxied", "--query")
    assert f'exported_namespace=~"{NAMESPACE}",exported_service=~"|proxied"' in out


def test_a_release_that_a_proxy_has_counted_without_a_watch_is_not_judged_again(
    world: World,
) -> None:
    world.make(
        "unwatched",
        {**REVERTED, "releases": RECORDS},
        analysis={"runtime": "ingress-nginx"},
        strategy={"type": "BlueGreen"},
    )
    world.record("unwatched", RELEASE, entries_of("unwatched"))
    code, _, err = world.run("replay", "unwatched", "--prometheus", "http://127.0.0.1:9")
    assert (code, "only the watch can be judged again" in err) == (1, True)


NOTHING = {"status": "success", "data": {"resultType": "matrix", "result": []}}


def test_where_pandas_is_not_installed_a_replay_from_prometheus_names_the_extra(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the operator's image."""
    for module in ("headgate.metrics.past", "prometheus_api_client.metric_range_df"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "pandas", None)
    code, _, err = world.run("replay", "replayed", "--prometheus", "http://localhost:9090")
    assert (code, "pip install 'headgate[replay]'" in err) == (1, True)


@pytest.mark.parametrize("words", [[], ["replayed"], ["replayed", "-f", "samples.json"]])
def test_replay_says_what_it_needs(world: World, words: list[str]) -> None:
    code, _, err = world.run("replay", *words)
    assert code == 2
    assert "--prometheus http://localhost:9090" in err or "name a ModelDeployment, or a file" in err

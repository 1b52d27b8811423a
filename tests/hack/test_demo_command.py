"""The demonstration's manifests, command line, closing table and plain lines."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from hack.cluster.errors import ClusterUnavailableError
from hack.demo import __main__ as command
from hack.demo import table
from hack.demo.findings import Played, find
from hack.demo.loads import Loads, Tally, end_leftovers, remember
from hack.demo.picture import NotSeenError, Picture
from hack.demo.releasing import awaited_step
from hack.demo.samples import SLOW
from hack.demo.stories import FIRST, STORIES, VERSIONS, Story, chosen
from hack.demo.view import PlainView, pods_in_words
from hack.load.answers import FRESH, Answer
from headgate.api.environments import resolve
from headgate.api.quantities import parse_duration
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.status import Release
from headgate.core.steps import steps_of

ANSWER = Answer(101.0, 0.1, 200, None, "2.0.0", "pod", FRESH, False, True)


def spec_of(story: Story, version: str) -> ModelDeploymentSpec:
    return ModelDeploymentSpec.model_validate(yaml.safe_load(story.at(version))["spec"])


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_version_of_a_manifest_is_valid_and_its_image_is_its_version(story: Story) -> None:
    for version in VERSIONS:
        spec = resolve(spec_of(story, version))
        assert spec.strategy.type == story.strategy
        assert spec.model.version == version
        [container] = spec.template["spec"]["containers"]
        assert container["image"] == f"headgate.local/digits-server:{version}"
        assert len(steps_of(spec)) > 1


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_slow_bucket_is_the_limit_of_the_manifest(story: Story) -> None:
    rule = spec_of(story, FIRST).analysis.rules.latency_p99
    assert rule is not None
    assert parse_duration(rule.max) == float(SLOW)


def test_each_strategy_gets_one_good_and_one_bad_release() -> None:
    assert {story.strategy for story in STORIES} == {"Canary", "BlueGreen", "Rolling"}
    for story in STORIES:
        assert [release.good for release in story.releases] == [True, False]


def test_the_command_that_is_shown_applies_what_is_applied() -> None:
    story = STORIES[0]
    shown = story.command("3.0.0").removesuffix(" | kubectl apply -f -")
    root = Path(__file__).parents[2]
    done = subprocess.run(["sh", "-c", shown], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == story.at("3.0.0")


def test_the_demonstration_approves_the_step_that_waits_and_no_other() -> None:
    [canary] = chosen(["canary"])
    under_way = Release(revision="abc", version="2.0.0", stage="Stepping", step=1)
    assert awaited_step(canary, under_way) == 2
    assert awaited_step(canary, under_way.model_copy(update={"step": 0})) is None
    assert awaited_step(canary, under_way.model_copy(update={"approvals": [2]})) is None
    assert awaited_step(canary, under_way.model_copy(update={"stage": "Reverting"})) is None
    assert awaited_step(canary, None) is None


def test_only_chooses_stories_and_nothing_chooses_all() -> None:
    assert chosen([]) == STORIES
    assert [story.name for story in chosen(["rolling"])] == ["rolling"]
    arguments = command.parser().parse_args(["run", "--only", "canary", "--output", "x.md"])
    assert (arguments.only, arguments.output) == (["canary"], Path("x.md"))


def test_an_unknown_story_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as exit_code:
        command.main(["--only", "purple"])
    assert exit_code.value.code == 2


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_code:
        command.main(["--help"])
    assert exit_code.value.code == 0
    assert "make demo-down" in capsys.readouterr().out


def test_a_machine_without_a_cluster_is_told_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str) -> Any:
        raise ClusterUnavailableError("No local cluster here: start Docker or run as root.")

    monkeypatch.setenv("HEADGATE_STATE", str(tmp_path))
    monkeypatch.setattr(command, "open_cluster", refuse)
    assert command.main(["run"]) == 3
    assert "start Docker or run as root" in capsys.readouterr().err


def findings() -> list[Any]:
    good, bad = STORIES[0].releases
    return [
        find(Played(STORIES[0], good, 100, 200, "Promoted", finished=160), [ANSWER]),
        find(Played(STORIES[0], bad, 100, 200, "Reverted", "high_error_rate", 25), []),
    ]


def test_the_table_shows_every_release_and_every_fault_on_lines_of_their_own() -> None:
    out = io.StringIO()
    table.show(Console(file=out, width=160), findings(), [("cluster", 12.0), ("releases", 90.0)])
    text = out.getvalue()
    assert "\x1b" not in text
    assert re.search(r"ok  canary 2\.0\.0 .* Promoted .* 1 min 00 s .* 1 +0", text)
    assert re.search(r"NO  canary 3\.0\.0 .* Reverted at 25 % \(high_error_rate\)", text)
    assert "NO  canary 3.0.0: the live Service was not seen to go back" in text
    assert "Took 1 min 42 s: cluster 12 s, releases 1 min 30 s." in text


def test_the_markdown_table_is_whole() -> None:
    rows = [line for line in table.markdown(findings(), []).splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert {row.count("|") for row in rows} == {len(table.HEADINGS) + 1}


def model_deployment(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "canary"}, "status": status}


def service(revision: str | None) -> dict[str, Any]:
    selector = {"headgate.dev/revision": revision} if revision else {}
    return {"metadata": {"name": "canary"}, "spec": {"selector": selector}}


def test_plain_lines_tell_each_decision_once_and_each_change(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    picture = Picture()
    view = PlainView(STORIES[:1], picture, Loads(tmp_path))
    decision = {"time": "2026-01-01T00:00:00Z", "reason": "StepEntered", "message": "Gets 25 %."}
    stable = {"version": "1.0.0", "revision": "a", "replicas": 4, "ready": 4}
    for phase in ("Starting", "Progressing", "Progressing"):
        state = model_deployment(phase=phase, decisions=[decision], stable=stable, message="Holds.")
        picture.put("modeldeployments", state, time.time())
        view.refresh()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("canary     StepEntered: Gets 25 %.")
    assert "canary     Progressing, stable 1.0.0 4/4 ready; Holds." in lines[2]
    assert all(re.match(r"\d\d:\d\d:\d\d \+\d", line) for line in lines)


def test_the_picture_notes_when_a_selector_changed_and_only_then() -> None:
    picture = Picture()
    for at, revision in enumerate(["old", "old", None, "old"]):
        picture.put("services", service(revision), at)
    assert [(each.at, each.revision) for each in picture.pinnings("canary")] == [
        (0, "old"),
        (2, None),
        (3, "old"),
    ]


def test_a_wait_that_runs_out_says_for_what_and_how_things_stand() -> None:
    picture = Picture()
    picture.put("modeldeployments", model_deployment(message="0 of 4 pods are ready."), 0)
    with pytest.raises(NotSeenError, match=r"the end was not seen within 0 s.*0 of 4 pods"):
        picture.wait_for("the end", lambda: None, 0, "canary")


def test_pods_that_are_not_simply_ready_are_told_apart() -> None:
    def pod(revision: str, **status: Any) -> dict[str, Any]:
        return {"metadata": {"labels": {"headgate.dev/revision": revision}}, "status": status}

    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    pods = [
        pod("a", conditions=[{"type": "Ready", "status": "True"}]),
        pod("a"),
        pod("a", containerStatuses=[waiting]),
        pod("b", containerStatuses=[waiting]),
    ]
    assert pods_in_words(pods, "a") == "1 starting, 1 CrashLoopBackOff"


def test_a_tally_counts_whole_lines_as_they_come(tmp_path: Path) -> None:
    record = tmp_path / "canary.jsonl"
    tally = Tally(record)
    tally.read()
    line = ANSWER.line()
    record.write_text(line + line[:20])
    tally.read()
    assert tally.answered == {"2.0.0": 1}
    record.write_text(line + line)
    tally.read()
    assert tally.answered == {"2.0.0": 2}
    assert tally.share("2.0.0", now=102) == 1.0
    assert tally.share("2.0.0", now=200) is None


def test_the_load_of_a_killed_demonstration_is_ended_by_the_next(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        remember(tmp_path, process.pid)
        end_leftovers(tmp_path)
        assert process.wait(30) == -signal.SIGKILL
    finally:
        process.kill()
    end_leftovers(tmp_path)


def test_a_process_that_only_has_the_recorded_number_is_left_alone(tmp_path: Path) -> None:
    remember(tmp_path, os.getpid())
    file = tmp_path / "processes.jsonl"
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"started": record["started"] - 1}) + "\n")
    end_leftovers(tmp_path)

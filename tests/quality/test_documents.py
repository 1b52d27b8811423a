"""What the documents say is so: links lead somewhere, commands exist, manifests are accepted, and
the runbook knows every alert and every phase."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from headgate.api.spec import ModelDeploymentSpec
from headgate.cli import parser
from headgate.core.conditions import AT_REST, STALLED
from tests.documents import DOCUMENTS, ROOT, Block, blocks, commands, name, objects, sentences
from tests.e2e import test_documents as stories
from tests.e2e.reader import INSTEAD, LEFT_OUT, NAMED, shown, spoken

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """The anchors of headings, as the usual renderers make them."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    broken = []
    for target in LINK.findall(document.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (
            anchor and file.suffix == ".md" and anchor not in anchors(file.read_text("utf-8"))
        ):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_manifests_are_accepted(block: Block) -> None:
    """By the operator's own reading, without a cluster; tests/api asks an API server."""
    for found in objects(block.text):
        if found["kind"] == "ModelDeployment":
            ModelDeploymentSpec.model_validate(found["spec"])


def calls() -> list[str]:
    """Every call of Headgate's command line: in sentences, in console blocks, and in the examples
    of `--help`, which stand in a column beside what each does."""
    found = set()
    for document in DOCUMENTS:
        found |= set(re.findall(r"`((?:kubectl )?headgate [^`]+)`", document.read_text("utf-8")))
    for block in (*blocks("console"), *blocks("text")):
        for command in commands(block.text):
            column = re.split(r"#|  +", command.strip())[0]
            found |= set(re.findall(r"(?:kubectl )?\bheadgate [^|&()>`]+", column))
    each_call = re.compile(r"(kubectl )?headgate [a-z]+(?= |$)")
    return sorted({each.strip() for each in found if each_call.match(each)})


@pytest.mark.parametrize("command", calls())
def test_commands_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(command.removeprefix("kubectl "))[1:]
    if len(words) == 1:
        # The command as such is meant.
        words = [*words, "--help"]
    with contextlib.suppress(SystemExit):
        parser().parse_args(["1" if each == "…" else each for each in words])
    said = capsys.readouterr().err
    # Not a name that the sentence leaves out.
    assert not said or "the following arguments are required" in said, said


RECORDS = re.compile(r"docs/decisions/.*|CHANGELOG.md")
"""What was once decided or changed tells nobody to type anything."""


def test_every_command_is_in_a_story_or_explained() -> None:
    """The story itself fails when it leaves a command of its documents."""
    read = {
        document
        for story in vars(stories).values()
        for mark in getattr(story, "pytestmark", ())
        for document in mark.args
    }
    assert read == {
        each
        for each in map(name, DOCUMENTS)
        if shown(each) or (spoken(each) and not RECORDS.fullmatch(each))
    }


@pytest.mark.parametrize("pattern", NAMED)
def test_what_only_names_a_command_stands_in_a_document(pattern: str) -> None:
    said = [each for document in DOCUMENTS for each in sentences(name(document))]
    assert any(re.fullmatch(pattern, each) for each in said)


@pytest.mark.parametrize("pattern", LEFT_OUT)
def test_what_is_left_out_stands_in_a_document(pattern: str) -> None:
    written = [each for block in blocks("console") for each in commands(block.text)]
    assert any(re.fullmatch(pattern, each) for each in written)


@pytest.mark.parametrize("pattern", [pattern for pattern, _, _ in INSTEAD])
def test_what_is_put_in_place_stands_in_a_document(pattern: str) -> None:
    written = [each for block in blocks("console") for each in commands(block.text)]
    written += [block.text for block in blocks("yaml")]
    assert any(re.search(pattern, each, re.MULTILINE) for each in written)


def test_no_command_hides_from_the_stories() -> None:
    """All stand in blocks of the language console."""
    assert [str(each) for language in ("bash", "sh", "shell") for each in blocks(language)] == []
    hidden = re.compile(r"^ {4,}(?:docker|headgate|helm|kubectl|make|pip) ", re.MULTILINE)
    fence = re.compile(r"```.*?```", re.DOTALL)
    texts = {name(each): fence.sub("", each.read_text("utf-8")) for each in DOCUMENTS}
    assert [each for each, text in texts.items() if hidden.search(text)] == []


def test_make_has_the_targets() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = {
        target
        for each in DOCUMENTS
        for target in re.findall(
            r"(?:^|`)make ([a-z-]+)\b(?!-)", each.read_text("utf-8"), re.MULTILINE
        )
    }
    assert named - set(re.findall(r"(?m)^([a-z-]+):", makefile)) == set()


def test_the_runbook_knows_every_alert_and_every_phase() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    rules = yaml.safe_load((ROOT / "charts/headgate/files/rules.yaml").read_text("utf-8"))
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert alerts == set(re.findall(r"^### (Headgate\w+)$", runbook, re.MULTILINE))
    phases = set(re.findall(r"^\| `(\w+)` \|", runbook, re.MULTILINE))
    source = (ROOT / "operator/headgate/core/report.py").read_text("utf-8")
    begin, end = source.index("def _phase("), source.index("def _held_back")
    told = set(re.findall(r'"([A-Z][a-z]+)"', source[begin:end])) - {"Stepping"}
    stages = {"Starting", "Promoting", "Watching"}
    assert phases == told | stages | AT_REST | STALLED


def test_the_tests_that_the_threat_model_names_are_there() -> None:
    """Each way has one, but what cannot be prevented."""
    text = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    named = re.findall(r"`(tests/[^`:]+)::(\w+)`", text)
    assert named
    gone = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).exists() or f"def {test}(" not in (ROOT / file).read_text("utf-8")
    ]
    assert gone == []
    ways = text.split("## Ways, and what stands in them")[1].split("## What is left")[0]
    rows = [line.split("|")[1:-1] for line in ways.splitlines() if line.startswith("| ")][1:]
    untested = [measure.strip() for _, measure, held in rows if "::" not in held]
    assert [each for each in untested if not each.startswith("Not preventable ")] == []


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    build = [str(Path(sys.executable).with_name("sphinx-build")), "--quiet", "--fail-on-warning"]
    done = subprocess.run(
        [*build, "--keep-going", "docs", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

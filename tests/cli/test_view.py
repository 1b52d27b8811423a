"""What people see, drawn in 80 columns without colour and compared with the files in `pictures`.

`UPDATE_GOLDEN=1 pytest tests/cli` writes them anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headgate.core.intents import Plan
from headgate.core.observation import KnownRevision
from headgate.runtime.memory import Memory
from headgate.runtime.recording import collect, collect_notes, release_key
from headgate.view import history, listing
from headgate.view.shown import Shown, hold_of, read
from headgate.view.story import heading, story, told_since
from headgate.view.text import Line, Piece, Style, draw, line, wrap
from headgate.view.tree import tree
from tests.cli import situations
from tests.cli.situations import NOW, SITUATIONS, made, observed, release
from tests.golden.catalogue import STORIES
from tests.golden.story import Story, Teller

PICTURES = Path(__file__).parent / "pictures"
WIDTH = 80


def compare(name: str, lines: list[Line]) -> None:
    file = PICTURES / f"{name}.txt"
    text = "\n".join(draw(lines, WIDTH, colour=False)) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def command(verb: str) -> str:
    return f"kubectl headgate {verb} fraud"


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_tree_of_a_situation(name: str) -> None:
    compare(name, tree(SITUATIONS[name], NOW, command))


def test_the_table_says_a_sentence_of_whatever_is_not_at_rest() -> None:
    names = ["holding", "crashing", "watching", "reverted", "released", "never-seen"]
    compare("table", listing.table([SITUATIONS[name] for name in names], NOW, namespaces=True))


def test_the_history() -> None:
    status = SITUATIONS["reverted"].status
    numbers = {situations.STABLE: 6, situations.CANDIDATE: 7}
    compare("history", history.table(status.releases, numbers, NOW))


def test_the_history_of_one_revision() -> None:
    known = KnownRevision(situations.CANDIDATE, "2.3.0", 7, rejected=True)
    records = [SITUATIONS["reverted"].status.releases[1]]
    entries: list[dict[str, object]] = [
        {"time": "2026-11-26T09:54:30Z", "reason": "StepEntered", "message": "It gets 20 %."},
        {
            "time": "2026-11-26T09:55:00Z",
            "weight": 20.0,
            "verdict": "Bad",
            "message": "candidate 31 % errors against 1.0 % (96 and 1,822 requests)",
        },
    ]
    compare("revision", history.details(known, records, entries, ["fraud:2.3.0"]))


class Watcher(Teller):
    """Draws the tree and the table whenever something has changed in a story."""

    drawn = 0

    def _tell(self, answer: Plan) -> None:
        told = len(self.lines)
        super()._tell(answer)
        if len(self.lines) == told:
            return
        seen = self.world.observe()
        shown = Shown(
            seen.name, seen.namespace, seen.generation, "", seen.spec, self.world.status, seen.pods
        )
        lines = [*tree(shown, self.world.now, command), *listing.table([shown], self.world.now)]
        for each in draw(lines, WIDTH, colour=False):
            assert len(each) <= WIDTH
            assert "None" not in each
        self.drawn += 1


class Recorder(Teller):
    """Keeps the record of the latest release, as the operator does."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self.memory = Memory("")

    def _tell(self, answer: Plan) -> None:
        super()._tell(answer)
        before, release, now = self.memory.release, answer.status.release, self.world.now
        if release is not None and release_key(release) != before:
            self.memory = Memory("")
        collect(self.memory, answer.status, self.world.sample, 5.0, now)
        collect_notes(self.memory, release, answer.notes, now)


@pytest.mark.parametrize(
    "name", ["canary-good", "worse-than-stable", "canary-slow", "prometheus-down"]
)
def test_the_story_of_a_release(name: str) -> None:
    recorder = Recorder(STORIES[name])
    recorder.run()
    release, status = recorder.memory.release, recorder.world.status
    lines = [*heading("fraud", "risk", status, release), *story(list(recorder.memory.entries))]
    compare(f"explain-{name}", lines)


def test_a_release_under_way_is_told_to_this_moment() -> None:
    status = SITUATIONS["holding"].status
    release_now = status.release
    assert release_now is not None
    key = release_key(release_now)
    entries = told_since(status, key, [])
    compare("explain-holding", [*heading("fraud", "risk", status, key), *story(entries)])
    assert told_since(status, "20200101T000000Z-another", []) == []


# Of a hundred stories there is little to draw that is not in a third of them as well.
@pytest.mark.parametrize("name", list(STORIES)[::3])
def test_every_moment_of_a_story_can_be_drawn(name: str) -> None:
    watcher = Watcher(STORIES[name])
    watcher.run()
    assert watcher.drawn >= 4


def test_a_countdown_runs_between_two_polls_but_never_past_two_intervals() -> None:
    shown = made({**situations.HOLDING, "release": release(evidence=observed(100))})
    at_once, later, much_later = (hold_of(shown, NOW + after) for after in (0, 20, 3600))
    assert at_once is not None and later is not None and much_later is not None  # noqa: PT018
    assert (at_once.done, later.done, much_later.done) == (104, 124, 100 + 2 * 60)
    assert at_once.left == 1800 - 104


def test_a_countdown_stands_still_without_measurements() -> None:
    evidence = observed(100, unknown="ProviderDown")
    shown = made({**situations.HOLDING, "release": release(evidence=evidence)})
    hold = hold_of(shown, NOW + 60)
    assert hold is not None
    assert (hold.done, hold.still) == (100, True)


@pytest.mark.parametrize(
    ("long", "width", "wrapped"),
    [
        (line("one two three"), 20, ["one two three"]),
        (line("one two three"), 8, ["one two", "three"]),
        (line("one two three", hanging="  "), 8, ["one two", "  three"]),
        (line("once upon", hanging="     "), 7, ["once", "  upon"]),
        (line("abcdefghij"), 4, ["abcd", "efgh", "ij"]),
        (line(Piece("one ", Style.GOOD), "two"), 4, ["one", "two"]),
        (line(""), 4, [""]),
    ],
)
def test_a_line_is_broken_between_words(long: Line, width: int, wrapped: list[str]) -> None:
    assert [each.rstrip() for each in draw([long], width, colour=False)] == wrapped
    assert all(len(each.plain) <= width for each in wrap(long, width))


def test_colour_is_only_added() -> None:
    lines = [line("all ", Piece("good", Style.GOOD), " here")]
    assert draw(lines, 40, colour=True) == ["all \x1b[32mgood\x1b[0m here"]
    assert draw(lines, 40, colour=False) == ["all good here"]


def test_a_line_that_hangs_beyond_the_width_comes_to_its_end() -> None:
    drawn = draw([line("a " * 30, hanging=" " * 200)], 20, colour=False)
    assert "".join(drawn).count("a") == 30
    assert all(len(each) <= 20 for each in drawn)


def test_the_row_of_a_table_is_left_to_the_terminal() -> None:
    namespace = "a-namespace-with-a-name-that-is-as-long-as-names-may-be-in-kubernetes"
    stored = {"metadata": {"name": "fraud", "namespace": namespace}, "spec": {}}
    rows = draw(listing.table([read(stored)], 0.0, namespaces=True), 40, colour=False)
    assert rows[1].startswith(f"{namespace}  fraud")

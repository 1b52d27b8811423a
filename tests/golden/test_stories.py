"""Whole releases, told second by second and compared with the transcript that was last approved.

`make golden` writes the transcripts anew; read their diff as you would read code.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.golden.catalogue import STORIES
from tests.golden.story import Teller, outcome

TRANSCRIPTS = Path(__file__).parent / "transcripts"


def transcript_of(name: str) -> Path:
    """The file that holds the transcript of a story."""
    return TRANSCRIPTS / f"{name}.golden"


@pytest.mark.parametrize("name", STORIES)
def test_story_reads_as_approved(name: str) -> None:
    told = Teller(STORIES[name]).run()
    if os.environ.get("UPDATE_GOLDEN"):
        transcript_of(name).write_text(told)
    assert transcript_of(name).read_text() == told


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("name", STORIES)
def test_story_ends_the_same_when_the_operator_is_killed(name: str, seed: int) -> None:
    """At random between any two writes, with the status unwritten."""
    torn = Teller(STORIES[name], random.Random(f"{name}/{seed}")).run()
    assert outcome(torn) == outcome(transcript_of(name).read_text())


def test_no_transcript_is_left_over() -> None:
    assert {file.stem for file in TRANSCRIPTS.glob("*.golden")} == set(STORIES)

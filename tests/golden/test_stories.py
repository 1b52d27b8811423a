"""Whole releases, told second by second and compared with the transcript that was last approved.

`make golden` writes the transcripts anew; read their diff as you would read code.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.golden.catalogue import STORIES
from tests.golden.story import Teller

TRANSCRIPTS = Path(__file__).parent / "transcripts"


@pytest.mark.parametrize("name", STORIES)
def test_story_reads_as_approved(name: str) -> None:
    told = Teller(STORIES[name]).run().transcript
    file = TRANSCRIPTS / f"{name}.golden"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(told)
    assert file.read_text() == told


def test_no_transcript_is_left_over() -> None:
    assert {file.stem for file in TRANSCRIPTS.glob("*.golden")} == set(STORIES)

"""A picture is a file that can be looked at, whatever is missing in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.integrations.plot import Picture, Point, save
from headgate.judge import Verdict

POINTS = [
    Point(0, 0.01, None, 20.0, 1.0, Verdict.UNKNOWN),
    Point(15, 0.01, 0.0, 20.0, 0.0, Verdict.GOOD),
    Point(30, None, 0.3, 50.0, 1e300, Verdict.BAD),
]


@pytest.mark.parametrize("points", [POINTS, POINTS[:1], []])
@pytest.mark.parametrize(("limit", "unit"), [(0.05, "seconds"), (None, "polls")])
def test_a_picture_is_drawn(
    points: list[Point], limit: float | None, unit: str, tmp_path: Path
) -> None:
    file = tmp_path / "picture.png"
    save(Picture("fraud 2.0.0\nBad: why", "errors", points, limit, 200.0, unit), file)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not supported"):
        save(Picture("", "errors", POINTS, None, 200.0), tmp_path / "picture.exe")

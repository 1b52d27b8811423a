"""Where the lines of a view go: a terminal in colour, redrawn in place, or plain text."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

from headgate.view.text import Line, draw

NARROWEST, WIDEST = 40, 120
PLAIN_WIDTH = 80


class Screen:
    """Prints blocks of lines. On a terminal a redrawn block takes the place of the one before."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self.is_terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        # https://no-color.org: present and not empty means no colour, whatever the value.
        self.colour = self.is_terminal and not os.environ.get("NO_COLOR")
        self._drawn = 0

    @property
    def width(self) -> int:
        """Columns to write in."""
        if not self.is_terminal:
            return PLAIN_WIDTH
        return max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))

    def show(self, lines: Sequence[Line]) -> None:
        """Print a block."""
        print(*draw(lines, self.width, self.colour), sep="\n", file=self._stream, flush=True)

    def redraw(self, lines: Sequence[Line]) -> None:
        """Put a block in the place of the one drawn last; what does not fit is left out."""
        drawn = draw(lines, self.width, self.colour)
        fits = max(2, shutil.get_terminal_size().lines - 1)
        if len(drawn) > fits:
            drawn = [*drawn[: fits - 1], f"… {len(drawn) - fits + 1} more lines"]
        up = f"\x1b[{self._drawn}F" if self._drawn else ""
        text = "".join(f"{each}\x1b[K\n" for each in drawn)
        # One write, so that no half of a picture is ever seen.
        self._stream.write(f"{up}{text}\x1b[J")
        self._stream.flush()
        self._drawn = len(drawn)

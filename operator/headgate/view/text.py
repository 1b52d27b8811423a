"""Lines of styled text: wrapped to a width, drawn plainly or with a terminal's colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """What a piece of text means; the value is the terminal's code for it."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    GOOD = "32"
    BAD = "1;31"
    WAITING = "33"
    MOVING = "36"


@dataclass(frozen=True)
class Piece:
    """Some text in one style."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True)
class Line:
    """One line of pieces. When it is too long, `hanging` begins each line that it goes on in; one
    that is `whole`, as the row of a table, is left to the terminal."""

    pieces: tuple[Piece, ...]
    hanging: str = ""
    whole: bool = False

    @property
    def plain(self) -> str:
        """The text without its styles."""
        return "".join(piece.text for piece in self.pieces)


def line(*pieces: str | Piece, hanging: str = "") -> Line:
    """A line of these pieces; a string is a plain piece."""
    made = (piece if isinstance(piece, Piece) else Piece(piece) for piece in pieces)
    return Line(tuple(piece for piece in made if piece.text), hanging)


def wrap(long: Line, width: int) -> list[Line]:
    """The line in lines of at most `width` characters, broken between words where that is
    possible."""
    if long.whole:
        return [long]
    styled = [(character, piece.style) for piece in long.pieces for character in piece.text]
    # Where hanging would leave little or no room, the text would never come to its end.
    indent = long.hanging if len(long.hanging) <= width // 2 else "  "
    hanging = [(character, Style.FAINT) for character in indent]
    wrapped: list[Line] = []
    while len(styled) > width:
        start = len(hanging) if wrapped else 0
        spaces = (at for at in range(width, start, -1) if styled[at][0] == " ")
        at = next(spaces, 0)
        # A break before the text has begun would leave an empty line, and break there forever.
        if not at or not "".join(each for each, _ in styled[start:at]).strip():
            at = width
        rest = styled[at:]
        while rest and rest[0][0] == " ":
            rest = rest[1:]
        wrapped.append(_line(styled[:at]))
        if not rest:
            return wrapped
        styled = [*hanging, *rest]
    return [*wrapped, _line(styled)]


def _line(styled: Sequence[tuple[str, Style]]) -> Line:
    pieces: list[Piece] = []
    for character, style in styled:
        if pieces and pieces[-1].style is style:
            pieces[-1] = Piece(pieces[-1].text + character, style)
        else:
            pieces.append(Piece(character, style))
    return Line(tuple(pieces))


def draw(lines: Iterable[Line], width: int, colour: bool) -> list[str]:
    """The lines as they are printed."""
    return [
        "".join(_drawn(piece, colour) for piece in part.pieces).rstrip()
        for each in lines
        for part in wrap(each, width)
    ]


def _drawn(piece: Piece, colour: bool) -> str:
    if not colour or piece.style is Style.PLAIN:
        return piece.text
    return f"\x1b[{piece.style.value}m{piece.text}\x1b[0m"


def columns(rows: Sequence[Sequence[str | Piece]]) -> list[Line]:
    """Rows of cells as aligned lines, two spaces between; the last cell hangs below itself."""
    cells = [[cell if isinstance(cell, Piece) else Piece(cell) for cell in row] for row in rows]
    widths = [max(len(row[at].text) for row in cells) for at in range(len(cells[0]))]
    hanging = " " * sum(width + 2 for width in widths[:-1])
    return [
        line(
            *(
                piece
                for cell, width in zip(row[:-1], widths, strict=False)
                for piece in (cell, " " * (width + 2 - len(cell.text)))
            ),
            row[-1],
            hanging=hanging,
        )
        for row in cells
    ]

"""Results in a document: tables, and a section that each run of a benchmark writes anew."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines)


def insert(text: str, name: str, title: str, section: str) -> str:
    """A document with the section between the marks of `make NAME`; at its end if it has none."""
    begin, end = f"<!-- {name}: written by `make {name}` -->", f"<!-- {name}: end -->"
    marked = f"{begin}\n\n{section}\n{end}"
    if begin in text:
        before, _, rest = text.partition(begin)
        return before + marked + rest.partition(end)[2]
    return f"{text.rstrip()}\n\n## {title}\n\n{marked}\n"


def write(file: Path, name: str, title: str, section: str) -> None:
    """Put the section into a file."""
    file.write_text(insert(file.read_text() if file.exists() else "", name, title, section))


def machine() -> str:
    """What it was measured on."""
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {system}"

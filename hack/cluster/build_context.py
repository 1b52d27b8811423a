"""What an image is made from, as a digest: the Dockerfile and every file that the build can see.

The rules of .dockerignore are Docker's: a pattern names a path or a directory with all below it,
`**` stands for any number of directories, `!` takes a path back in, and the last match wins.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
_ARGUMENT = re.compile(r"^\s*ARG\s+(\w+)=(\S+)", re.IGNORECASE | re.MULTILINE)


def context_digest(context: Path, dockerfile: Path, also: Sequence[str] = ()) -> str:
    """Give a short digest of the build's inputs; `also` adds inputs that are not files."""
    content = hashlib.sha256()
    for word in (dockerfile.read_text(), *also):
        content.update(word.encode() + b"\0")
    for path in visible_files(context):
        content.update(path.relative_to(context).as_posix().encode() + b"\0")
        if path.is_symlink():
            content.update(b"link" + str(path.readlink()).encode())
        else:
            # Whether a file is executable counts, who owns it and when it was written do not.
            content.update(b"x" if os.access(path, os.X_OK) else b"-")
            content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:12]


def visible_files(context: Path) -> list[Path]:
    """Give the files and symbolic links of `context` that .dockerignore lets through, sorted."""
    file = context / ".dockerignore"
    rules = parse_ignore(file.read_text()) if file.exists() else []
    return sorted(_walk(context, context, rules))


def base_images(dockerfile: Path) -> list[str]:
    """Give the images that a Dockerfile begins from, without its own earlier stages."""
    text = dockerfile.read_text()
    arguments = {match[1]: match[2].strip("\"'") for match in _ARGUMENT.finditer(text)}
    stages: set[str] = set()
    found: list[str] = []
    for match in _FROM.finditer(text):
        image = re.sub(r"\$\{?(\w+)\}?", lambda name: arguments.get(name[1], name[0]), match[1])
        if image not in stages and image != "scratch" and image not in found:
            found.append(image)
        if match[2]:
            stages.add(match[2])
    return found


IgnoreRule = tuple[bool, re.Pattern[str]]


def parse_ignore(text: str) -> list[IgnoreRule]:
    """Give the rules of a .dockerignore file: (ignored or taken back in, pattern of paths)."""
    rules: list[IgnoreRule] = []
    for line in text.splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        taken_back = rule.startswith("!")
        rule = os.path.normpath(rule.removeprefix("!").strip().lstrip("/"))
        rules.append((not taken_back, re.compile(_pattern(rule) + r"(/.*)?", re.DOTALL)))
    return rules


def is_ignored(path: str, rules: Sequence[IgnoreRule]) -> bool:
    """Say whether a path relative to the context, with forward slashes, is left out."""
    ignored = False
    for ignores, pattern in rules:
        if ignores != ignored and pattern.fullmatch(path):
            ignored = ignores
    return ignored


def _walk(directory: Path, context: Path, rules: Sequence[IgnoreRule]) -> Iterator[Path]:
    some_taken_back = any(not ignores for ignores, _ in rules)
    for entry in directory.iterdir():
        ignored = is_ignored(entry.relative_to(context).as_posix(), rules)
        if entry.is_dir() and not entry.is_symlink():
            # Something below an ignored directory may be taken back in.
            if not ignored or some_taken_back:
                yield from _walk(entry, context, rules)
        elif not ignored and (entry.is_file() or entry.is_symlink()):
            yield entry


def _pattern(rule: str) -> str:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", rule)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(
        meaning.get(piece) or (piece if piece.startswith("[") else re.escape(piece))
        for piece in pieces
    )

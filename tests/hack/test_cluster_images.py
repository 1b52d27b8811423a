"""Images are built again exactly when what goes into them has changed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from hack.cluster import images
from hack.cluster.build_context import (
    base_images,
    context_digest,
    is_ignored,
    parse_ignore,
    visible_files,
)
from hack.cluster.errors import ClusterError
from hack.cluster.image_archive import pack_program
from hack.cluster.images import (
    BASE_IMAGES,
    build_anew,
    build_archive,
    full_name,
    pip_settings,
)

PYTHON = "docker.io/library/python:3.11-slim-bookworm"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A directory with a Dockerfile, a program and things that .dockerignore leaves out."""
    root = tmp_path / "context"
    for file, content in {
        "Dockerfile": f"FROM {PYTHON}\nCOPY . /\n",
        ".dockerignore": ".git\n**/__pycache__\n*.md\n!README.md\n",
        "app/main.py": "print(1)\n",
        "app/__pycache__/main.pyc": "compiled",
        ".git/HEAD": "ref",
        "NOTES.md": "",
        "README.md": "",
    }.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(content)
    return root


def digest(context: Path) -> str:
    return context_digest(context, context / "Dockerfile")


def test_only_what_the_build_sees_is_looked_at(context: Path) -> None:
    seen = [path.relative_to(context).as_posix() for path in visible_files(context)]
    assert seen == [".dockerignore", "Dockerfile", "README.md", "app/main.py"]


def test_a_change_of_content_name_mode_or_link_changes_the_digest(context: Path) -> None:
    seen = {digest(context)}
    (context / "app/main.py").write_text("print(2)\n")
    seen.add(digest(context))
    (context / "app/main.py").chmod(0o755)
    seen.add(digest(context))
    (context / "app/main.py").rename(context / "app/other.py")
    seen.add(digest(context))
    (context / "link").symlink_to("app/other.py")
    seen.add(digest(context))
    (context / "Dockerfile").write_text(f"FROM {PYTHON}\n")
    seen.add(digest(context))
    assert len(seen) == 6


def test_a_change_of_what_is_left_out_or_of_times_changes_nothing(context: Path) -> None:
    before = digest(context)
    (context / ".git/HEAD").write_text("another")
    (context / "app/__pycache__/new.pyc").write_text("x")
    (context / "app/main.py").touch()
    assert digest(context) == before


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        ("build", "build", True),
        ("build", "build/deep/file", True),
        ("build", "src/build", False),
        ("**/build", "src/build/file", True),
        ("**/build", "build", True),
        ("*.md", "a.md", True),
        ("*.md", "docs/a.md", False),
        ("docs/**/*.md", "docs/a/b/c.md", True),
        ("docs/**", "docs/a/b", True),
        ("/build/", "build/x", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].txt", "b.txt", True),
        ("*\n!keep", "keep/this", False),
        ("*\n!keep\nkeep/not", "keep/not", True),
        ("# build\n\n", "build", False),
        ("a.b", "aXb", False),
    ],
)
def test_dockerignore_means_what_docker_means(rules: str, path: str, ignored: bool) -> None:
    assert is_ignored(path, parse_ignore(rules)) is ignored


def test_the_images_that_a_dockerfile_begins_from(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(
        "ARG BASE=python:3.11-slim-bookworm\n"
        "FROM --platform=linux/amd64 ${BASE} AS build\n"
        "from build as test\n"
        "FROM scratch\nCOPY --from=build / /\n"
        "FROM debian:bookworm-slim\n"
    )
    assert base_images(file) == ["python:3.11-slim-bookworm", "debian:bookworm-slim"]


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("debian:12", "docker.io/library/debian:12"),
        ("someone/thing", "docker.io/someone/thing"),
        ("headgate.local/x:1", "headgate.local/x:1"),
        ("localhost/x", "localhost/x"),
        (PYTHON, PYTHON),
    ],
)
def test_short_names_of_images_mean_what_docker_means(short: str, full: str) -> None:
    assert full_name(short) == full


def test_a_base_image_that_nobody_can_make_is_refused_before_any_build(context: Path) -> None:
    (context / "Dockerfile").write_text("FROM alpine:3\n")
    with pytest.raises(ClusterError) as refusal:
        build_archive(context, context / "Dockerfile", "headgate.local/x:1")
    assert "docker.io/library/alpine:3" in str(refusal.value)
    assert all(image in str(refusal.value) for image in BASE_IMAGES)


def test_pip_in_a_build_asks_what_pip_here_asks() -> None:
    environment = {"PIP_INDEX_URL": "https://mirror.example/simple", "PIP_TIMEOUT": "", "HOME": "/"}
    assert pip_settings(environment) == "[global]\nindex-url = https://mirror.example/simple\n"


def test_a_build_is_done_once_and_its_successor_replaces_it(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path / "cache"))
    calls: list[str] = []
    arguments: list[str] = []

    def run(argv: Sequence[object], **_: object) -> str:
        words = [str(word) for word in argv]
        calls.extend(word for word in ("mmdebstrap", "bud", "push") if word in words)
        arguments.extend(word for word in words if word.startswith("--build-arg"))
        for word in words:
            if word.startswith("docker-archive:"):
                Path(word.split(":")[1]).write_text("an image")
        if "mmdebstrap" in words:
            Path(words[-1]).write_text("a root file system")
        return "container\n"

    monkeypatch.setattr(images, "run", run)
    monkeypatch.setattr(images, "on_overlay", lambda _: False)

    def build(**build_args: str) -> Path:
        return build_archive(context, context / "Dockerfile", "headgate.local/x:1.0", build_args)

    first = build()
    assert calls == ["mmdebstrap", "bud", "push"]
    assert build() == first
    assert calls == ["mmdebstrap", "bud", "push"], "nothing had changed"
    (context / "app/main.py").write_text("print(2)\n")
    other = first.parent / "headgate.local-x-1.0.1-0123456789ab.tar"
    other.touch()
    second = build()
    assert calls == ["mmdebstrap", "bud", "push", "bud", "push"], "the base image was there"
    assert second != first
    assert not first.exists()
    assert other.exists(), "an archive of another tag"
    assert build(VERSION="2") != second, "arguments are inputs too"
    assert arguments == ["--build-arg=VERSION=2"]


def test_a_build_anew_uses_and_leaves_nothing_and_knows_no_time(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path / "cache"))
    calls: list[list[str]] = []
    there = {"sha256:base", "sha256:cached"}

    def run(argv: Sequence[object], **_: object) -> str:
        words = [str(word) for word in argv]
        calls.append(words)
        if "bud" in words:
            there.update(("sha256:step", "sha256:built"))
        if "mmdebstrap" in words:
            Path(words[-1]).write_text("a root file system")
        return "\n".join(sorted(there)) if "images" in words else "container\n"

    monkeypatch.setattr(images, "run", run)
    with images.passing(context / "Dockerfile"):
        build_anew(context, context / "Dockerfile", "headgate.local/x:1.0", tmp_path / "x.tar")
    (build,) = (words for words in calls if "bud" in words)
    assert "--no-cache" in build
    assert build[build.index("--timestamp") + 1] == "0"
    assert calls[-1][-2:] == ["sha256:built", "sha256:step"]
    assert "rmi" in calls[-1]


def test_a_packed_program_is_an_image_that_names_its_parts_by_digest(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_bytes(b"static")
    archive = tmp_path / "tool.tar"
    pack_program(program, "headgate.local/tool:1", archive, ("--flag",))
    first = archive.read_bytes()
    pack_program(program, "headgate.local/tool:1", archive, ("--flag",))
    assert archive.read_bytes() == first
    with tarfile.open(archive) as packed:
        blobs = {
            member.name: packed.extractfile(member).read()  # type: ignore[union-attr]
            for member in packed.getmembers()
        }
    for name, content in blobs.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    (entry,) = json.loads(blobs["index.json"])["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "headgate.local/tool:1"
    manifest = json.loads(blobs[f"blobs/{entry['digest'].replace(':', '/')}"])
    config = json.loads(blobs[f"blobs/{manifest['config']['digest'].replace(':', '/')}"])
    assert config["config"]["Entrypoint"] == ["/tool", "--flag"]
    layer = tmp_path / "layer.tar"
    layer.write_bytes(blobs[f"blobs/{manifest['layers'][0]['digest'].replace(':', '/')}"])
    listing = subprocess.run(
        ["tar", "-tvf", layer], capture_output=True, text=True, timeout=30, check=True
    )
    assert listing.stdout.startswith("-rwxr-xr-x")

"""Build container images from Dockerfiles without a Docker engine and without an image registry.

buildah builds; its store lies in our cache, apart from the user's. Base images that a Dockerfile
names are made from Debian packages under that very name, so the same Dockerfile works unchanged
where a registry can be reached. What is built is kept as an archive under a digest of all inputs.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from hack.cluster import progress
from hack.cluster.build_context import base_images, context_digest
from hack.cluster.commands import run
from hack.cluster.errors import ClusterError
from hack.cluster.locks import exclusive
from hack.cluster.paths import cache_directory, on_overlay

_BUILD_SECONDS = 1200
_BOOTSTRAP_SECONDS = 600
_RUN_SECONDS = 120
_CERTIFICATES = Path("/etc/ssl/certs")
_SUITE = "bookworm"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What upstream's slim images leave out as well.
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")

# What the images of these names hold, as far as our Dockerfiles use it, in Debian's packages.
BASE_IMAGES: Mapping[str, tuple[str, ...]] = {
    "docker.io/library/python:3.11-slim-bookworm": (
        "ca-certificates",
        "python-is-python3",
        "python3",
        "python3-pip",
        "python3-venv",
    ),
    "docker.io/library/debian:bookworm-slim": ("ca-certificates",),
}
# Otherwise an essential package takes in usrmerge, and with it all of Perl.
_MERGED_USR = ("--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", "--include=usr-is-merged")


def build_archive(
    context: Path, dockerfile: Path, tag: str, build_args: Mapping[str, str] | None = None
) -> Path:
    """Build the image `tag` and give its archive, from the cache if nothing has changed.

    `dockerfile` may lie outside `context`, the directory that COPY takes from; `build_args` are
    the values of its ARGs.
    """
    chosen = build_args or {}
    context, dockerfile = context.resolve(), dockerfile.resolve()
    bases = _bases(dockerfile)
    inputs = [tag, *(f"{key}={value}" for key, value in sorted(chosen.items()))]
    inputs += [_base_digest(base) for base in bases]
    archives = cache_directory() / "images"
    stem = re.sub(r"[^a-z0-9.]+", "-", tag)
    archive = archives / f"{stem}-{context_digest(context, dockerfile, inputs)}.tar"
    if archive.exists():
        return archive
    archives.mkdir(parents=True, exist_ok=True)
    with _builder():
        if not archive.exists():
            for base in bases:
                _make_base(base)
            with progress.step(f"building image {tag}"):
                part = archive.with_suffix(".part")
                _build(build_command(context, dockerfile, tag, chosen), tag, part)
                part.rename(archive)
            _drop_older(archive, stem)
    return archive


@contextmanager
def passing(dockerfile: Path) -> Iterator[None]:
    """Keep the builder for the body; what is built in it is gone at the end, bases excepted."""
    with _builder():
        for base in _bases(dockerfile):
            _make_base(base)
        known = _images()
        try:
            yield
        finally:
            if made := _images() - known:
                run(builder_command("rmi", "--force", *sorted(made)), timeout=_BUILD_SECONDS)


def build_anew(context: Path, dockerfile: Path, tag: str, archive: Path) -> None:
    """Build the image `tag` from nothing but its bases, all its times set to 1970, into `archive`:
    the same inputs should give the same bytes. Only within `passing`."""
    _build(build_command(context, dockerfile, tag, anew=True), tag, archive)


def run_in(tag: str, argv: Sequence[str]) -> str:
    """Run a program in a new container of the image `tag`, as its user, and give its output."""
    container = run(builder_command("from", "--pull-never", tag)).strip()
    try:
        isolation = ("--isolation", "chroot")
        return run(builder_command("run", *isolation, container, "--", *argv), timeout=_RUN_SECONDS)
    finally:
        run(builder_command("rm", container))


def full_name(image: str) -> str:
    """Give the full name that Docker and buildah mean by a short one such as "debian:12"."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def builder_command(*arguments: str | Path) -> list[str | Path]:
    """Give a buildah command line that uses our own store."""
    return [
        *("buildah", "--root", _store() / "storage", "--runroot", _store() / "run"),
        # overlay builds a changed source in 8 s, vfs (a full copy for each step) in 42 s.
        *("--storage-driver", "vfs" if on_overlay(_store()) else "overlay"),
        *arguments,
    ]


def build_command(
    context: Path,
    dockerfile: Path,
    tag: str,
    build_args: Mapping[str, str] | None = None,
    *,
    anew: bool = False,
) -> list[str | Path]:
    """Give the command line of a build."""
    return builder_command(
        *("bud", "--isolation", "chroot", "--network", "host", "--pull-never"),
        # Keeping the steps makes the next build of a changed source as short as the change.
        "--layers",
        *(("--no-cache", "--timestamp", "0") if anew else ()),
        *_mounts(),
        *(f"--build-arg={key}={value}" for key, value in sorted((build_args or {}).items())),
        *("--file", dockerfile, "--tag", tag),
        context,
    )


def pip_settings(environment: Mapping[str, str]) -> str:
    """Give a pip.conf that says what pip's variables of this environment (PIP_...) say.

    A file, because variables would stay in the image.
    """
    settings = {
        key.removeprefix("PIP_").lower().replace("_", "-"): value
        for key, value in sorted(environment.items())
        if key.startswith("PIP_") and value
    }
    lines = [f"{key} = {value}" for key, value in settings.items()]
    return "\n".join(("[global]", *lines, ""))


def _mounts() -> list[str | Path]:
    # A build uses the host's network, so it must trust and ask what the host trusts and asks.
    settings = _store() / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(pip_settings(os.environ))
    mounts: list[str | Path] = ["--volume", f"{settings}:/etc/pip.conf:ro"]
    if _CERTIFICATES.is_dir():
        mounts += ["--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro"]
    return mounts


def _store() -> Path:
    return cache_directory() / "buildah"


def _builder() -> AbstractContextManager[None]:
    return exclusive(cache_directory() / "locks" / "images", "the image builder", 3600)


def _images() -> set[str]:
    return set(run(builder_command("images", "--all", "--quiet", "--no-trunc")).split())


def _bases(dockerfile: Path) -> list[str]:
    bases = [full_name(image) for image in base_images(dockerfile)]
    unknown = [image for image in bases if image not in BASE_IMAGES]
    if unknown:
        raise ClusterError(
            f"{dockerfile} begins from {', '.join(unknown)}. No registry is used here; images that "
            f"can be made locally: {', '.join(BASE_IMAGES)}"
        )
    return bases


def _build(command: Sequence[str | Path], tag: str, archive: Path) -> None:
    run(command, timeout=_BUILD_SECONDS)
    archive.unlink(missing_ok=True)
    run(builder_command("push", tag, f"docker-archive:{archive}:{tag}"), timeout=_BUILD_SECONDS)


def _make_base(image: str) -> None:
    marker = _store() / f"base-{_base_digest(image)}"
    if marker.exists():
        return
    root = _store() / "base.tar"
    root.parent.mkdir(parents=True, exist_ok=True)
    with progress.step(f"making base image {image} from Debian packages"):
        run(bootstrap_command(BASE_IMAGES[image], root), timeout=_BOOTSTRAP_SECONDS)
        container = run(builder_command("from", "scratch")).strip()
        run(builder_command("add", container, root, "/"), timeout=_BUILD_SECONDS)
        run(builder_command("config", "--cmd", "bash", "--env", f"PATH={_PATH}", container))
        run(builder_command("commit", "--rm", container, image), timeout=_BUILD_SECONDS)
    root.unlink()
    marker.touch()


def _base_digest(image: str) -> str:
    command = bootstrap_command(BASE_IMAGES[image], Path("base.tar"))
    return hashlib.sha256(" ".join((image, *map(str, command))).encode()).hexdigest()[:12]


def bootstrap_command(packages: Iterable[str], root: Path) -> list[str | Path]:
    """Give the command line that packs a minimal Debian with `packages` as a tar file."""
    return [
        *("mmdebstrap", "--mode=root", "--variant=minbase", "--quiet"),
        *_MERGED_USR,
        f"--include={','.join(packages)}",
        *(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT),
        # Upstream's Python image lets pip install system-wide; Debian's marker file forbids it.
        "--customize-hook=rm -f $1/usr/lib/python3*/EXTERNALLY-MANAGED",
        # Nobody needs the half-unpacked image of a machine that lost power.
        "--dpkgopt=force-unsafe-io",
        *(_SUITE, root),
    ]


def _drop_older(archive: Path, stem: str) -> None:
    same_tag = re.compile(re.escape(stem) + r"-[0-9a-f]{12}\.tar")
    for other in archive.parent.iterdir():
        if other != archive and same_tag.fullmatch(other.name):
            other.unlink()

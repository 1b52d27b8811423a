"""Build container images from Dockerfiles without a Docker engine and without an image registry.

buildah builds; its store lies in our cache, apart from the user's. Base images that a Dockerfile
names are made from Debian packages under that very name, so the same Dockerfile works unchanged
where a registry can be reached. What is built is kept as an archive under a digest of all inputs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from hack.cluster import progress
from hack.cluster.build_context import base_images, context_digest
from hack.cluster.commands import run
from hack.cluster.errors import ClusterError
from hack.cluster.locks import exclusive
from hack.cluster.paths import cache_directory

_BUILD_SECONDS = 1200
_BOOTSTRAP_SECONDS = 600
_CERTIFICATES = Path("/etc/ssl/certs")
_SUITE = "bookworm"

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


def build_archive(context: Path, dockerfile: Path, tag: str) -> Path:
    """Build the image `tag` and give its archive, from the cache if nothing has changed.

    `dockerfile` may lie outside `context`, the directory that COPY takes from.
    """
    context, dockerfile = context.resolve(), dockerfile.resolve()
    bases = [full_name(image) for image in base_images(dockerfile)]
    unknown = [image for image in bases if image not in BASE_IMAGES]
    if unknown:
        raise ClusterError(
            f"{dockerfile} begins from {', '.join(unknown)}. No registry is used here; images that "
            f"can be made locally: {', '.join(BASE_IMAGES)}"
        )
    inputs = [tag, *(word for base in bases for word in (base, *BASE_IMAGES[base]))]
    archives = cache_directory() / "images"
    stem = re.sub(r"[^a-z0-9.]+", "-", tag)
    archive = archives / f"{stem}-{context_digest(context, dockerfile, inputs)}.tar"
    if archive.exists():
        return archive
    archives.mkdir(parents=True, exist_ok=True)
    with exclusive(cache_directory() / "locks" / "images", "the image builder", 3600):
        if not archive.exists():
            for base in bases:
                _make_base(base)
            with progress.step(f"building image {tag}"):
                _build(context, dockerfile, tag, archive)
            _drop_older(archive, stem)
    return archive


def full_name(image: str) -> str:
    """Give the full name that Docker and buildah mean by a short one such as "debian:12"."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def builder_command(*arguments: str | Path) -> list[str | Path]:
    """Give a buildah command line that uses our own store."""
    store = cache_directory() / "buildah"
    return [
        *("buildah", "--root", store / "storage", "--runroot", store / "run"),
        *("--storage-driver", _STORAGE_DRIVER),
        *arguments,
    ]


def build_command(context: Path, dockerfile: Path, tag: str) -> list[str | Path]:
    """Give the command line of a build."""
    return builder_command(
        *("bud", "--isolation", "chroot", "--network", "host", "--pull-never"),
        # Keeping the steps makes the next build of a changed source as short as the change.
        "--layers",
        *_mounts(),
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
    settings = cache_directory() / "buildah" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(pip_settings(os.environ))
    mounts: list[str | Path] = ["--volume", f"{settings}:/etc/pip.conf:ro"]
    if _CERTIFICATES.is_dir():
        mounts += ["--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro"]
    return mounts


def _build(context: Path, dockerfile: Path, tag: str, archive: Path) -> None:
    run(build_command(context, dockerfile, tag), timeout=_BUILD_SECONDS)
    part = archive.with_suffix(".part")
    part.unlink(missing_ok=True)
    run(builder_command("push", tag, f"docker-archive:{part}:{tag}"), timeout=_BUILD_SECONDS)
    part.rename(archive)


def _make_base(image: str) -> None:
    packages = BASE_IMAGES[image]
    label = ",".join((_SUITE, *packages))
    if label in run(
        builder_command("images", "--format", "{{.Name}}:{{.Tag}}", "--noheading")
    ).splitlines():
        return
    store = cache_directory() / "buildah"
    root = store / "base.tar"
    with progress.step(f"making base image {image} from Debian packages"):
        run(
            [
                *("mmdebstrap", "--mode=root", "--variant=minbase", "--quiet"),
                f"--include={','.join(packages)}",
                # Upstream's Python image lets pip install system-wide; Debian's marker forbids it.
                "--customize-hook=rm -f $1/usr/lib/python3*/EXTERNALLY-MANAGED",
                *(_SUITE, root),
            ],
            timeout=_BOOTSTRAP_SECONDS,
        )
    root.unlink()


def _drop_older(archive: Path, stem: str) -> None:
    for other in archive.parent.glob(f"{stem}-????????????.tar"):
        if other != archive:
            other.unlink()

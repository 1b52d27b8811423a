"""What is said of the image is what its archive holds, and what is not as promised is named."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hack import sbom
from hack.bench import image, image_contents
from hack.bench.image import Results, Starts
from hack.cluster import cluster_unavailable_reason
from hack.cluster.images import build_archive
from hack.cluster.prerequisites import docker_answers
from hack.demo.installing import OPERATOR_IMAGE, ROOT

SITE = "opt/headgate/lib/python3.11/site-packages"
DEPENDENCIES = {
    f"{SITE}/some_thing/__init__.py": b"s" * 10,
    f"{SITE}/some_thing/__pycache__/__init__.cpython-311.pyc": b"b" * 7,
    f"{SITE}/some_thing/fast.cpython-311-x86_64-linux-gnu.so": b"n" * 5,
    f"{SITE}/some_thing.libs/libfast.so.5.0.0": b"n" * 4,
    f"{SITE}/some_thing-2.0.dist-info/RECORD": (
        b"some_thing/__init__.py,sha256=x,10\n"
        b"some_thing/fast.cpython-311-x86_64-linux-gnu.so,,\n"
        b"some_thing.libs/libfast.so.5.0.0,,\n"
        b"../../../bin/thing,,\n"
        b"some_thing-2.0.dist-info/RECORD,,\n"
    ),
    "opt/headgate/bin/thing": b"#!" * 3,
    "opt/headgate/pyvenv.cfg": b"home",
}
OWN = {
    f"{SITE}/headgate/__init__.py": b"h",
    f"{SITE}/headgate-0.1.0.dist-info/RECORD": (
        b"headgate/__init__.py,,\nheadgate-0.1.0.dist-info/RECORD,,\n"
    ),
}
BASE = {f"{SITE}/of_the_base-1.0.dist-info/RECORD": b""}


def packed(files: Mapping[str, bytes]) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return into.getvalue()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """As buildah writes one."""
    layers = [packed(files) for files in (BASE, DEPENDENCIES, OWN)]
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
    configuration = {
        "config": {"User": "10001:10001"},
        "rootfs": {"diff_ids": [f"sha256:{digest}" for digest in digests]},
    }
    names = [f"{digest}.tar" for digest in digests]
    manifest = [{"Config": "c.json", "RepoTags": ["x:1"], "Layers": names}]
    file = tmp_path / "image.tar"
    file.write_bytes(
        packed(
            {
                **dict(zip(names, layers, strict=True)),
                "c.json": json.dumps(configuration).encode(),
                "manifest.json": json.dumps(manifest).encode(),
            }
        )
    )
    return file


def test_files_belong_to_the_distribution_that_recorded_them_and_bytecode_to_its_source(
    archive: Path,
) -> None:
    contents = image_contents.read(archive, own=2)
    assert sorted(contents.distributions) == ["headgate", "some-thing"]
    thing = contents.distributions["some-thing"]
    record = len(DEPENDENCIES[f"{SITE}/some_thing-2.0.dist-info/RECORD"])
    assert thing.version == "2.0"
    assert thing.sizes == {"source": 10, "bytecode": 7, "native": 9, "other": 6 + record}
    assert contents.others == len(b"home")
    assert contents.user == "10001:10001"


def test_layers_are_measured_as_they_are_and_as_registries_keep_them(archive: Path) -> None:
    base, dependencies, _ = image_contents.weigh(archive)
    layer = packed(DEPENDENCIES)
    assert dependencies.digest == f"sha256:{hashlib.sha256(layer).hexdigest()}"
    assert dependencies.size == len(layer)
    assert dependencies.compressed == pytest.approx(len(gzip.compress(layer, 6)), abs=2)
    own = image_contents.read(archive, own=2).digests
    assert (own[0], base.digest in own) == (dependencies.digest, False)


@pytest.fixture
def good(archive: Path) -> Results:
    """Of an image as promised."""
    layers, contents = image_contents.weigh(archive), image_contents.read(archive, own=2)
    listed = {"some-thing": "2.0", "headgate": "0.1.0"}
    return Results(layers, contents, contents, Starts(300, (), 10001, 0.5), listed)


def test_an_image_as_promised_has_no_fault(good: Results) -> None:
    assert good.faults() == []
    said = image.markdown(good, "in 1 min", "2 cores")
    assert "gave the same layers" in said
    assert "| some-thing 2.0 | 0.0 |" in said


def test_each_broken_promise_is_named(good: Results) -> None:
    base, *own = good.layers
    first, second = good.contents.digests
    other = replace(good.contents, digests=(first, "sha256:other"))
    for fault, bad in {
        f"the layer {second} was sha256:other in a second build": replace(good, again=other),
        "it has 300.0 MB compressed": replace(
            good, layers=(replace(base, compressed=300_000_000 - 600), *own)
        ),
        "some-thing 2.0 stands in only one of image and bill of materials": replace(
            good, listed={"headgate": "0.1.0"}
        ),
        "each start compiles some.module": replace(
            good, starts=replace(good.starts, lacking=("some.module",))
        ),
        "it runs as root": replace(good, starts=replace(good.starts, user=0)),
    }.items():
        assert bad.faults() == [fault]


@pytest.mark.cluster
def test_the_image_has_exactly_what_the_bill_of_materials_names_and_no_root(
    tmp_path: Path,
) -> None:
    """The very image of the end-to-end stories."""
    if reason := cluster_unavailable_reason():
        pytest.skip(reason)
    if docker_answers():
        pytest.skip("a Docker engine keeps its archives in another form")
    built = build_archive(ROOT, ROOT / "Dockerfile", OPERATOR_IMAGE)
    contents = image_contents.read(built, image.OWN_LAYERS)
    bill = tmp_path / "sbom.json"
    sbom.write(bill)
    installed = {each.name: each.version for each in contents.distributions.values()}
    assert installed == sbom.distributions(bill)
    assert contents.user == "10001:10001"

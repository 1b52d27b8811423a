"""Image archives that are joined hold every image, and every shared layer once."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from hack.cluster.merged_archive import write_merged


def archive(path: Path, tag: str, layers: dict[str, bytes]) -> Path:
    config = f"{tag}.json"
    manifest = [{"Config": config, "RepoTags": [tag], "Layers": list(layers)}]
    files = {**layers, config: tag.encode(), "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo(f"{tag}/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, f"../{next(iter(layers))}"
        tar.addfile(link)
    return path


def test_all_images_are_there_and_shared_layers_are_written_once(tmp_path: Path) -> None:
    one = archive(tmp_path / "one.tar", "one", {"base.tar": b"base", "a.tar": b"a"})
    two = archive(tmp_path / "two.tar", "two", {"base.tar": b"base", "b.tar": b"b"})
    into = io.BytesIO()
    write_merged([one, two], into)
    into.seek(0)
    with tarfile.open(fileobj=into) as merged:
        names = merged.getnames()
        assert sorted(names) == sorted(set(names))
        listed = merged.extractfile("manifest.json")
        assert listed is not None
        images = json.load(listed)
        assert [image["RepoTags"] for image in images] == [["one"], ["two"]]
        for image in images:
            assert {image["Config"], *image["Layers"]} <= set(names)
        content = merged.extractfile("b.tar")
        assert content is not None
        assert content.read() == b"b"
        assert merged.getmember("two/layer.tar").linkname == "../base.tar"


def test_an_archive_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w"):
        pass
    with pytest.raises(KeyError):
        write_merged([other], io.BytesIO())

"""The operator's image: what it weighs and holds, whether a second build of the same sources is the
same, and whether it starts without compiling anything.

It is built twice from nothing, the second time from a copy of the sources with other time stamps in
another place.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack import sbom
from hack.bench import image_contents
from hack.bench.control_plane import REPOSITORY
from hack.bench.document import table
from hack.bench.image_contents import KINDS, Contents, Layer
from hack.cluster import images
from hack.cluster.build_context import visible_files

NAME = "bench-image"
TITLE = "The image"
OWN_LAYERS = 2
"""Of the Dockerfile: the dependencies and Headgate."""

MOST_COMPRESSED = 250e6
SHOWN = 12
STARTS = 5
_TAG = "headgate.local/headgate:bench"
_START = """\
import json, os, sys, time
began = time.process_time()
import headgate.integrations.notification, headgate.runtime.operator
took = time.process_time() - began
modules = [each for each in list(sys.modules.values()) if getattr(each, "__cached__", None)]
own = [each for each in modules if each.__file__.startswith("/opt/headgate/")]
lacking = [each.__name__ for each in own if not os.path.exists(each.__cached__)]
print(json.dumps({"took": took, "modules": len(own), "lacking": lacking, "user": os.getuid()}))
"""


@dataclass(frozen=True)
class Starts:
    """What the operator imports when it starts, in the image: how many modules, those among them
    that it has to compile first, and the median of the seconds of a core that this takes."""

    modules: int
    lacking: tuple[str, ...]
    user: int
    seconds: float


@dataclass(frozen=True)
class Results:
    """`again` is what the second build came to; `listed` is the bill of materials."""

    layers: tuple[Layer, ...]
    contents: Contents
    again: Contents
    starts: Starts
    listed: dict[str, str]

    @property
    def same(self) -> bool:
        """Whether both builds came to the same layers."""
        return self.contents.digests == self.again.digests

    @property
    def compressed(self) -> int:
        """What a node pulls that has nothing of it."""
        return sum(layer.compressed for layer in self.layers)

    def faults(self) -> list[str]:
        """What is not as the image promises, a sentence each."""
        found = []
        for digest, other in zip(self.contents.digests, self.again.digests, strict=True):
            if digest != other:
                found.append(f"the layer {digest} was {other} in a second build")
        if self.compressed > MOST_COMPRESSED:
            found.append(f"it has {_mb(self.compressed)} MB compressed")
        installed = {each.name: each.version for each in self.contents.distributions.values()}
        for name, version in installed.items() ^ self.listed.items():
            found.append(f"{name} {version} stands in only one of image and bill of materials")
        if self.starts.lacking:
            found.append(f"each start compiles {', '.join(self.starts.lacking)}")
        if self.starts.user == 0:
            found.append("it runs as root")
        return found


def measure(tell: Callable[[str], None]) -> Results:
    """Build, read and start it."""
    with (
        images.passing(REPOSITORY / "Dockerfile"),
        tempfile.TemporaryDirectory(prefix="headgate-image-") as directory,
    ):
        archive, bill = Path(directory) / "image.tar", Path(directory) / "sbom.json"
        tell("building it from nothing")
        sources = _copied(REPOSITORY, Path(directory) / "sources")
        images.build_anew(sources, sources / "Dockerfile", _TAG, archive)
        tell("reading and starting it")
        layers = image_contents.weigh(archive)
        contents = image_contents.read(archive, OWN_LAYERS)
        starts = _starts()
        tell("building it once more, from a copy of the sources")
        copy = _copied(sources, Path(directory) / "copy")
        images.build_anew(copy, copy / "Dockerfile", _TAG, archive)
        again = image_contents.read(archive, OWN_LAYERS)
        sbom.write(bill)
        return Results(layers, contents, again, starts, sbom.distributions(bill))


def _copied(sources: Path, target: Path) -> Path:
    """What a build sees, so that nobody's edits meanwhile make a difference."""
    for file in {*visible_files(sources), sources / "Dockerfile"}:
        copied = target / file.relative_to(sources)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copied)
    return target


def _starts() -> Starts:
    said = [json.loads(images.run_in(_TAG, ["python3", "-c", _START])) for _ in range(STARTS)]
    return Starts(
        modules=said[0]["modules"],
        lacking=tuple(said[0]["lacking"]),
        user=said[0]["user"],
        seconds=statistics.median(each["took"] for each in said),
    )


def markdown(results: Results, took: str, machine: str) -> str:
    """All of it, for people and for `docs/measurements.md`."""
    contents, starts = results.contents, results.starts
    second = "the same layers" if results.same else "OTHER LAYERS"
    return f"""\
Built twice from nothing {took} on {machine}. The base here is made from Debian's packages
under the official image's name, because no registry is asked; the official one was not weighed.

{_layers(results.layers)}

In megabytes; compressed as gzip does it, which registries count and nodes pull. The second build,
from a copy of the sources in another place with other time stamps, gave {second}.

What the layers on top of the base hold, in megabytes:

{_distributions(contents)}

These are {len(contents.distributions)} distributions; `make sbom` names {len(results.listed)}.
It runs as user {starts.user}. A start imports {starts.modules} modules from these layers, has to
compile {len(starts.lacking)} of them, and takes {starts.seconds:.2f} s of a core for it.
"""


def _layers(layers: Sequence[Layer]) -> str:
    names = ["base"] * (len(layers) - OWN_LAYERS) + ["dependencies", "Headgate"]
    rows = [
        (name, _mb(layer.size), _mb(layer.compressed))
        for name, layer in zip(names, layers, strict=True)
    ]
    size = sum(layer.size for layer in layers)
    rows.append(("all", _mb(size), _mb(sum(layer.compressed for layer in layers))))
    return table(("layer", "size", "compressed"), rows)


def _distributions(contents: Contents) -> str:
    largest = sorted(contents.distributions.values(), key=lambda each: -each.sizes.total())
    rest: Counter[str] = Counter()
    for each in largest[SHOWN:]:
        rest += each.sizes
    rows = [_row(f"{each.name} {each.version}", each.sizes) for each in largest[:SHOWN]]
    rows.append(_row(f"{len(largest[SHOWN:])} others", rest))
    rows.append(_row("the environment itself", Counter(other=contents.others)))
    return table(("distribution", *KINDS, "together"), rows)


def _row(name: str, sizes: Counter[str]) -> tuple[str, ...]:
    return (name, *(_mb(sizes[kind]) for kind in KINDS), _mb(sizes.total()))


def _mb(size: float) -> str:
    return f"{size / 1e6:.1f}"

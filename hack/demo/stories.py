"""What the demonstration plays: which versions, with which strategy, and what must come of each.

At the bottom of the package, pure. A story is one ModelDeployment; its manifest stands in
`manifests`, and a later version of it differs by nothing but the version.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
NAMESPACE = "headgate-demo"
FIRST = "1.0.0"
IMAGE = "headgate.local/digits-server"

PROMOTED = "Promoted"
REVERTED = "Reverted"


@dataclass(frozen=True)
class Release:
    """A version to release and the outcome that is the right one: `PROMOTED` or `REVERTED`."""

    version: str
    right: str
    what: str
    crashes: bool = False

    @property
    def good(self) -> bool:
        """Whether this version is to stay."""
        return self.right == PROMOTED


@dataclass(frozen=True)
class Story:
    """One ModelDeployment and the releases that follow its first version."""

    name: str
    strategy: str
    releases: tuple[Release, ...]

    @property
    def manifest(self) -> Path:
        """The file with its first version."""
        return HERE / "manifests" / f"{self.name}.yaml"

    def at(self, version: str) -> str:
        """The manifest of a version, as YAML."""
        return self.manifest.read_text().replace(FIRST, version)

    def command(self, version: str) -> str:
        """The command with which a person would apply that."""
        path = f"hack/demo/manifests/{self.name}.yaml"
        if version == FIRST:
            return f"kubectl apply -f {path}"
        return f"sed s/{FIRST}/{version}/ {path} | kubectl apply -f -"


BETTER = Release("2.0.0", PROMOTED, "a better model")
FAILING = Release("3.0.0", REVERTED, "fails on a part of the real rows, and is slow")
CRASHING = Release("4.0.0", REVERTED, "crashes 15 s after its first live prediction", crashes=True)

STORIES = (
    Story("canary", "Canary", (BETTER, FAILING)),
    Story("blue-green", "BlueGreen", (BETTER, CRASHING)),
    Story("rolling", "Rolling", (BETTER, FAILING)),
)
VERSIONS = (FIRST, BETTER.version, FAILING.version, CRASHING.version)


def chosen(names: list[str]) -> tuple[Story, ...]:
    """The stories of these names; all of them when there are none."""
    return tuple(story for story in STORIES if not names or story.name in names)

"""The bill of materials of the operator's image, as CycloneDX: Headgate and every locked
distribution, with its hashes.

It is made from the lock file alone, so it needs no image and no network; a test compares it with
what the image has. `make sbom` writes it, and a release signs it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hack.cluster.commands import run

ROOT = Path(__file__).parents[1]
_PROGRAM = Path(sys.executable).with_name("cyclonedx-py")
_SECONDS = 120


def write(file: Path) -> None:
    """Write the document; the same lock file gives the same bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    run(
        [
            *(_PROGRAM, "requirements", "--pyproject", ROOT / "pyproject.toml"),
            *("--mc-type", "application", "--output-reproducible", "--validate"),
            *("--output-format", "JSON", "--output-file", file),
            ROOT / "requirements.txt",
        ],
        timeout=_SECONDS,
    )


def distributions(file: Path) -> dict[str, str]:
    """The version of each distribution that the document names, Headgate among them."""
    document = json.loads(file.read_text())
    named = [document["metadata"]["component"], *document["components"]]
    return {each["name"]: each["version"] for each in named}


if __name__ == "__main__":
    write(Path(sys.argv[1]))

"""Writes every generated file of the repository, or with --check says which ones are stale."""

import argparse
import sys
from pathlib import Path

from hack import argocd, chart_values, editor_schema, fields
from headgate.api.crd import manifest
from headgate.cli.page import page

ROOT = Path(__file__).parents[1]
CRD = "modeldeployments.headgate.dev.yaml"
HEAD = "# Written by hack/generate.py from operator/headgate/api; edit the models instead.\n"


def generated() -> dict[Path, str]:
    """Every generated file, by its path in the repository."""
    crd = HEAD + manifest()
    return {
        Path("crds") / CRD: crd,
        Path("charts/headgate/files") / CRD: crd,
        Path("charts/headgate/README.md"): chart_values.page(),
        Path("docs/commands.md"): page(),
        Path("docs/fields.md"): fields.page(),
        Path("docs/schema/modeldeployment_v1alpha1.json"): editor_schema.document(),
        **{Path("examples/argocd") / name: text for name, text in argocd.files().items()},
    }


def stale(root: Path) -> list[Path]:
    """The generated files under `root` that are missing or differ from what would be written."""
    return [
        path
        for path, text in generated().items()
        if not (root / path).is_file() or (root / path).read_text("utf-8") != text
    ]


def write(root: Path) -> None:
    """Write every generated file under `root`."""
    for path, text in generated().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


def main() -> int:
    """Exit status 1 when --check finds a stale file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, report stale files")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    arguments = parser.parse_args()
    if not arguments.check:
        write(arguments.root)
        return 0
    found = stale(arguments.root)
    for path in found:
        print(f"{path} is stale: run make generate", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

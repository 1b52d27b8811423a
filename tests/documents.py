"""The documents as tests read them: their blocks, the commands in those, and the manifests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    each
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "charts/**/*.md")
    for each in ROOT.glob(pattern)
)
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_PROMPT = "$ "
_IN_A_SENTENCE = re.compile(r"`((?:kubectl|headgate|helm|git|pip) [^`]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block of a document, without the indent of the list that it stands in."""

    document: str
    place: int
    text: str

    def __str__(self) -> str:
        """As the id of a test."""
        return f"{self.document}:{self.place}"


def name(path: Path) -> str:
    """A document's path in the repository."""
    return str(path.relative_to(ROOT))


def blocks(language: str) -> list[Block]:
    """All blocks of a language, in the order of the documents."""
    found = []
    for document in DOCUMENTS:
        for place, each in enumerate(_BLOCK.finditer(document.read_text("utf-8"))):
            if each[2] == language:
                lines = "\n".join(line[len(each[1]) :] for line in each[3].splitlines())
                found.append(Block(name(document), place, lines))
    return found


def sentences(document: str) -> list[str]:
    """The commands in the sentences of a document, each once."""
    prose = _BLOCK.sub("", (ROOT / document).read_text("utf-8"))
    return list(dict.fromkeys(_IN_A_SENTENCE.findall(prose)))


def commands(console: str) -> list[str]:
    """The commands of a console block. Where some stand behind a prompt, the rest is printed."""
    lines = console.replace("\\\n", " ").splitlines()
    prompted = [line.removeprefix(_PROMPT) for line in lines if line.startswith(_PROMPT)]
    return prompted or [line for line in lines if line.strip()]


def objects(text: str) -> list[dict[str, Any]]:
    """The objects of a yaml block, as a cluster takes them: around a part of one stands the least
    that makes it whole."""
    return [_whole(each) for each in yaml.safe_load_all(text)]


def _whole(found: dict[str, Any]) -> dict[str, Any]:
    if "kind" in found:
        return found
    if "scaleTargetRef" in found:
        return {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "fraud", "namespace": "risk"},
            "spec": {"maxReplicas": 9, **found},
        }
    part = found["spec"] if found.keys() == {"spec"} else found
    server = {"name": "server", "image": "registry.example/fraud-server:2.2.0"}
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "fraud", "namespace": "risk"},
        "spec": {
            "model": {"name": "fraud", "version": "2.2.0"},
            "template": {"spec": {"containers": [server]}},
            **part,
        },
    }

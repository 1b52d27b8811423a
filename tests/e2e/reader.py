"""A reader who does what a document says, from its top, at a shell on the end-to-end cluster.

Two tables say where this differs from what stands there: what is put in place of a text, and what
is left out. `tests/quality/test_documents.py` fails when a row of them is needed no longer.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from hack.cluster import Cluster
from hack.cluster.binaries import HELM, build, program
from tests.documents import ROOT, Block, blocks, commands, sentences
from tests.e2e.model import manifest

_SECONDS = 150
"""Time limit of one command."""

INSTEAD = (
    (r"\brisk\b", "{namespace}", "each story has a namespace of its own, side by side"),
    (r"\S+/fraud-server:2\.[12]\.0", "headgate.local/digits-server:1.0.0", "no such image"),
    (r"\S+/fraud-server:2\.3\.0", "headgate.local/digits-server:2.0.0", "no such image"),
    (r"replicas: 10\b", "replicas: 2", "room for ten is not on every machine"),
    (r"(?<=hold: )5m", "3s", "nobody waits for it"),
    (r"(?<=weight: 10, hold: )30m", "3s", "nobody waits for it"),
    (r"(?<=latencyP99: \{max: )1s", "5s", "a busy machine is slow at times"),
    (r"^.* -w$", r"timeout --preserve-status --signal=INT 10 \g<0>", "a person ends it by Ctrl-C"),
    (r"http://localhost:9090", "{prometheus}", "the port of a port-forward is any free one"),
    (r"\bREVISION\b", "{revision}", "stands for what the status says"),
    (r"/etc/bash_completion\.d", "{directory}", "this machine's shells are not ours"),
    (r"^pip install", "{pip} install --dry-run --no-build-isolation", "tests run in what is there"),
)
"""What a document says, what is put in its place here, and why."""

LEFT_OUT = {
    r"(\w+=\d )?docker .*": "no engine, no registry; conftest.py builds the Dockerfile by itself",
    r"make demo\b.*": "a cluster of its own, and minutes; tests/hack holds its parts",
    r"make test.*": "the tests would run themselves",
}
"""Commands that no story runs, and why."""

NAMED = {
    r"(kubectl|helm|git|headgate) [a-z]+": "the command as such is meant",
    r"kubectl (headgate( [a-z]+|…)|rollout restart)": "the command as such is meant",
    r".* NAME( .*)?|.*[…].*": "stands for what the reader puts there",
    r"kubectl wait --for=condition=Ready": "of any object; first-release.md waits by it",
    r"pip install 'headgate\[.*": "no index has it before its first release",
}
"""What in a sentence only names a command, or cannot run, and why."""

LOOKS = re.compile(
    r"kubectl (-n \S+ )?(get|describe|explain|logs) .*"
    r"|(kubectl )?headgate (get|explain|history|approve .*--dry-run)\b.*|.* --help"
)
"""Commands that change nothing, so that a story runs all of a document at once."""

WITHOUT_NODES = re.compile(
    r"helm (install|upgrade) |kubectl (patch configmap argocd-cm|delete crd) "
)
"""Commands that would change what all stories share: they have an API server to themselves, which
keeps every object and starts no pod."""


def left_out(command: str) -> bool:
    """Whether a command is one of those that cannot run here."""
    return any(re.fullmatch(pattern, command) for pattern in LEFT_OUT)


def spoken(document: str) -> list[str]:
    """The commands in the sentences of a document that a reader can type as they stand there, and
    that stand in none of its console blocks."""
    typed = {
        each.split("#")[0].strip()
        for block in blocks("console")
        if block.document == document
        for each in commands(block.text)
    }
    return [
        each
        for each in sentences(document)
        if each not in typed and not any(re.fullmatch(pattern, each) for pattern in NAMED)
    ]


def shown(document: str) -> list[Block]:
    """The console blocks of a document of which anything can run."""
    return [
        each
        for each in blocks("console")
        if each.document == document and not all(map(left_out, commands(each.text)))
    ]


def _put(instead: str, known: Mapping[str, str], found: re.Match[str]) -> str:
    return found.expand(instead.format_map(known))


@dataclass
class Desk:
    """Where the reader sits: a copy of the repository, programs, and a namespace."""

    directory: Path
    namespace: str
    cluster: Cluster
    without_nodes: Cluster | None = None
    known: dict[str, str] = field(default_factory=dict)
    """What some of INSTEAD stands for."""

    def __post_init__(self) -> None:
        """Lay out what a checkout and a PATH have."""
        for each in ROOT.iterdir():
            if not each.name.startswith("."):
                (self.directory / each.name).symlink_to(each)
        build([HELM])
        tools = Path(sys.executable).parent
        (self.directory / ".bin").mkdir()
        for name, path in {
            "kubectl": self.cluster.kubectl_program,
            "helm": program(HELM, "helm"),
            "headgate": tools / "headgate",
            "kubectl-headgate": tools / "kubectl-headgate",
        }.items():
            (self.directory / ".bin" / name).symlink_to(path)
        self.known |= {
            "namespace": self.namespace,
            "directory": str(self.directory),
            "pip": f"{sys.executable} -m pip",
        }

    def here(self, text: str) -> str:
        """A text of a document, as it is meant on this machine."""
        for pattern, instead, _ in INSTEAD:
            put = partial(_put, instead, self.known)
            text = re.sub(pattern, put, text, flags=re.MULTILINE)
        return text

    def run(self, command: str, namespace: str) -> str:
        """Run a command of a document, in a shell whose context has a namespace."""
        cluster = self.cluster
        if WITHOUT_NODES.match(command):
            assert self.without_nodes is not None, f"{command} changes what all stories share"
            cluster = self.without_nodes
        kubeconfig = self.directory / ".kubeconfig"
        kubeconfig.write_bytes(cluster.kubeconfig.read_bytes())
        environment = cluster.client_environment() | {
            "KUBECONFIG": str(kubeconfig),
            "PATH": f"{self.directory / '.bin'}:{os.environ['PATH']}",
        }
        chosen = f"kubectl config set-context --current --namespace={namespace} >/dev/null"
        done = subprocess.run(
            # With a limit of its own, which ends what the shell has started, too.
            [
                *("timeout", "--kill-after=5", str(_SECONDS)),
                *("bash", "-euo", "pipefail", "-c", f"{chosen}; {self.here(command)}"),
            ],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS + 10,
            check=False,
        )
        assert done.returncode == 0, f"exit code {done.returncode}: {command}\n{done.stdout}"
        return done.stdout


@dataclass
class Page:
    """A document that is read from its top."""

    document: str
    desk: Desk
    left: list[Block] = field(init=False)
    """The console blocks that are still to come."""
    unsaid: list[str] = field(init=False)
    """The commands in sentences that nobody has typed yet."""

    def __post_init__(self) -> None:
        """Open it."""
        self.left = shown(self.document)
        self.unsaid = spoken(self.document)

    def run(self) -> str:
        """Run the next console block, and give what it printed. A document whose manifests name a
        namespace has to name it in its commands, too."""
        block = self.left.pop(0)
        return "".join(self._run(each) for each in commands(block.text) if not left_out(each))

    def look(self) -> None:
        """Run the commands in the sentences that only look."""
        for each in filter(LOOKS.fullmatch, list(self.unsaid)):
            self.type(each)

    def type(self, command: str) -> str:
        """Run a command that stands in a sentence, and give what it printed."""
        self.unsaid.remove(command)
        return self._run(command)

    def _run(self, command: str) -> str:
        names_it = any("risk" in text for text in self.manifests())
        return self.desk.run(command, "default" if names_it else self.desk.namespace)

    def manifests(self) -> list[str]:
        """The yaml blocks, as they stand there."""
        return [each.text for each in blocks("yaml") if each.document == self.document]

    def save(self, name: str, version: str | None = None, **parts: Any) -> None:
        """Save the document's first manifest into a file, or the same with another version and
        other parts."""
        text = self.manifests()[0]
        if version is not None:
            text = re.sub(r"\b2\.[123]\.0\b", version, text)
        found = yaml.safe_load(self.desk.here(text))
        found["spec"] = for_the_digits_server({**found["spec"], **parts})
        (self.desk.directory / name).write_text(yaml.safe_dump(found))


def for_the_digits_server(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec of a document, with what this server, this Prometheus and this machine need besides:
    where the model is, annotations to be found by, little memory, fewer samples, a short watch."""
    ours = manifest("1.0.0")
    (container,) = spec["template"]["spec"]["containers"]
    (digits,) = ours["template"]["spec"]["containers"]
    return {
        **spec,
        "template": {
            "metadata": ours["template"]["metadata"],
            "spec": {"containers": [{**digits, **container}]},
        },
        "analysis": {
            **spec["analysis"],
            **{each: ours["analysis"][each] for each in ("interval", "comparison")},
        },
        "watch": {"duration": "3s"},
    }

"""The commands of the release workflow run as they stand there: they sign image, bill of materials
and chart in a registry on this machine, and the chart names the very image.

What GitHub gives is played: its expressions, the image that its action has pushed, a `gh` that
notes what it is asked, and a key in the place of the identity that it vouches for.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack import checkers, sbom
from hack.cluster import ClusterUnavailableError
from hack.cluster.certificates import Authority, Identity

ROOT = Path(__file__).parents[2]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)[1]  # type: ignore[index]
PATIENCE = 120.0

ELSEWHERE = {
    "make wheel sbom": "the Makefile's own; tests/quality and tests/chart use both",
    'make test-wheel WHEEL="$(echo dist/*.whl)"': "these tests would run themselves",
    "bash .ci/run": "these tests would run themselves",
}
"""Commands of the workflow that are not run here, and why."""


@dataclass(frozen=True)
class Step:
    """What one step runs, and with what GitHub puts into its environment."""

    job: str
    run: str
    shell: str
    env: dict[str, str]

    @classmethod
    def of(cls, job: str, step: dict[str, Any]) -> Step:
        """By the defaults that GitHub documents."""
        env = {**WORKFLOW.get("env", {}), **step.get("env", {})}
        return cls(job, step["run"], step.get("shell", ""), {k: str(v) for k, v in env.items()})

    @property
    def command(self) -> list[str]:
        """The shell as GitHub calls it: only one that is named fails in the middle of a pipe."""
        named = ["--noprofile", "--norc", "-o", "pipefail"] if self.shell == "bash" else []
        return ["bash", *named, "-e", "-c", self.run]


def steps() -> list[Step]:
    return [
        Step.of(name, step)
        for name, job in WORKFLOW["jobs"].items()
        for step in job["steps"]
        if "run" in step and step["run"].strip() not in ELSEWHERE
    ]


@dataclass
class Release:
    """A checkout with a registry and the programs that the workflow calls."""

    directory: Path
    registry: str
    environment: dict[str, str]
    cosign: Path

    @property
    def image(self) -> str:
        return f"{self.registry}/headgate/headgate"

    @property
    def chart(self) -> str:
        return f"{self.registry}/headgate/charts/headgate"

    def run(self, *command: str | Path, **environment: str) -> str:
        """Run a program; what it printed."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout

    def follow(self, digest: str) -> None:
        """Run the steps of all jobs, in their order."""
        given = {
            "vars.REGISTRY": self.registry,
            "github.repository": "headgate/headgate",
            "github.repository_owner": "headgate",
            "github.ref_name": f"v{VERSION}",
            "secrets.GITHUB_TOKEN": "token",
            "steps.build.outputs.digest": digest,
            "needs.image.outputs.digest": digest,
        }

        def put(text: str) -> str:
            return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: given[found[1]], text)

        for step in steps():
            environment = {name: put(value) for name, value in step.env.items()}
            self.run(*map(put, step.command), **environment)


def digest_in(printed: str) -> str:
    found: list[str] = re.findall(r"sha256:[0-9a-f]{64}", printed)
    return found[-1]


def program(name: str) -> Path:
    try:
        return checkers.program(name)
    except ClusterUnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a registry by TLS, and the certificate that vouches for it."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl on this machine")
    authority = Authority(tmp_path / "certificates")
    authority.create([Identity("registry", "registry", hosts=("localhost",))])
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    settings = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {
            "addr": f"127.0.0.1:{port}",
            "tls": {
                "certificate": str(authority.certificate("registry")),
                "key": str(authority.key("registry")),
            },
        },
    }
    config = tmp_path / "registry.yaml"
    config.write_text(yaml.safe_dump(settings))
    log = (tmp_path / "registry.log").open("wb")
    serving = subprocess.Popen(
        [program("registry"), "serve", config], stdout=log, stderr=subprocess.STDOUT
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert serving.poll() is None, (tmp_path / "registry.log").read_text()
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield f"localhost:{port}", authority.certificate("ca")
    finally:
        serving.kill()
        serving.wait()
        log.close()


@pytest.fixture
def release(registry: tuple[str, Path], helm: Path, tmp_path: Path) -> Release:
    """A checkout of what the workflow reads, before its first step."""
    address, trusted = registry
    directory, tools = tmp_path / "checkout", tmp_path / "tools"
    for name in ("charts", "crds"):
        shutil.copytree(ROOT / name, directory / name)
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, directory)
    sbom.write(directory / "dist" / "headgate.cdx.json")
    tools.mkdir()
    (tools / "helm").symlink_to(helm)
    cosign = program("cosign")
    for name, text in {
        # Neither GitHub's identity nor the public log is to be had: a key, and no log.
        "cosign": f'verb=$1; shift; exec {cosign} "$verb" --key {directory}/cosign.key '
        '--tlog-upload=false "$@"',
        "gh": f'printf "%s\\n" "$@" > {directory}/asked-of-github',
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SSL_CERT_FILE": str(trusted),
        "COSIGN_PASSWORD": "",
        # cosign would ask the public root of trust, although a key needs none.
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    made = Release(directory, address, environment, cosign)
    made.run(cosign, "generate-key-pair")
    return made


def test_what_is_not_run_here_stands_in_the_workflow() -> None:
    every = [
        step.get("run", "").strip() for job in WORKFLOW["jobs"].values() for step in job["steps"]
    ]
    assert set(ELSEWHERE) <= set(every)


def test_a_release_is_signed_and_its_chart_names_the_image(release: Release) -> None:
    layer = release.directory / "layer"
    layer.write_text("what the action of the workflow has built")
    pushed = release.run(
        release.cosign, "upload", "blob", "-f", layer, f"{release.image}:v{VERSION}"
    )
    digest = digest_in(pushed)
    verify = ("--key", "cosign.pub", "--insecure-ignore-tlog=true")

    release.follow(digest)

    image = f"{release.image}@{digest}"
    release.run(release.cosign, "verify", *verify, image)
    attested = ("verify-attestation", "--type", "cyclonedx")
    told = release.run(release.cosign, *attested, *verify, image)
    assert '"payloadType":"application/vnd.in-toto+json"' in told

    (release.directory / "pulled").mkdir()
    pulled = release.run(
        *("helm", "pull", f"oci://{release.chart}", "--version", VERSION, "--destination", "pulled")
    )
    release.run(release.cosign, "verify", *verify, f"{release.chart}@{digest_in(pulled)}")
    with tarfile.open(release.directory / "pulled" / f"headgate-{VERSION}.tgz") as packed:
        values = yaml.safe_load(packed.extractfile("headgate/values.yaml") or b"")
    assert values["image"]["repository"] == release.image
    assert values["image"]["digest"] == digest

    asked = (release.directory / "asked-of-github").read_text().splitlines()
    assert asked[:3] == ["release", "create", f"v{VERSION}"]
    attached = {Path(each).name for each in asked if each.startswith("dist/")}
    assert attached == {
        "headgate.cdx.json",
        f"headgate-{VERSION}.tgz",
        "modeldeployments.headgate.dev.yaml",
        "checksums.txt",
    }
    release.run("bash", "-c", "cd dist && sha256sum --check --strict checksums.txt")


def test_nothing_is_signed_by_another_key(release: Release) -> None:
    """Or the test above would tell nothing."""
    layer = release.directory / "layer"
    layer.write_text("an image")
    pushed = release.run(
        release.cosign, "upload", "blob", "-f", layer, f"{release.image}:v{VERSION}"
    )
    image = f"{release.image}@{digest_in(pushed)}"
    release.run("cosign", "sign", "--yes", image)
    other = release.directory / "other"
    other.mkdir()
    release.run("bash", "-c", f"cd {other} && {release.cosign} generate-key-pair")
    with pytest.raises(AssertionError, match="signature"):
        release.run(
            *(release.cosign, "verify", "--key", other / "cosign.pub"),
            *("--insecure-ignore-tlog=true", image),
        )

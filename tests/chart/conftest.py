"""Renders the chart with Helm, as an installation would."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.cluster import cluster_unavailable_reason
from hack.cluster.binaries import HELM, build, program

CHART = Path(__file__).parents[2] / "charts" / "headgate"

Object = dict[str, Any]
Render = Callable[..., list[Object]]


class _Strict(yaml.CSafeLoader):
    """As the API server reads: no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [each.value for each, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key twice: {keys}"
        return super().construct_mapping(node, deep)


def _as_text(loader: _Strict, node: yaml.ScalarNode) -> str:
    return str(node.value)


# Two texts that only the reader of Python takes for something else.
for tag in ("value", "merge"):
    _Strict.add_constructor(f"tag:yaml.org,2002:{tag}", _as_text)


def parse(text: str) -> list[Object]:
    """The objects that Helm wrote."""
    return [each for each in yaml.load_all(text, _Strict) if each]


@pytest.fixture(scope="session")
def helm() -> Path:
    """The Helm program: that of the local cluster, or the one on the path."""
    reason = cluster_unavailable_reason(control_plane_only=True)
    if reason is None:
        build([HELM])
        return program(HELM, "helm")
    found = shutil.which("helm")
    if found is None:
        pytest.skip(f"no Helm on this machine, and none can be built: {reason}")
    return Path(found)


@pytest.fixture(scope="session")
def run_helm(helm: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a Helm command that needs no cluster."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(helm), *arguments], capture_output=True, text=True, timeout=120, check=False
        )

    return run


@pytest.fixture(scope="session")
def render(run_helm: Callable[..., subprocess.CompletedProcess[str]]) -> Render:
    """The objects that an installation with these `--set` values makes."""

    def rendered(*values: str) -> list[Object]:
        settings = [argument for value in values for argument in ("--set", value)]
        done = run_helm("template", "headgate", str(CHART), "-n", "headgate-system", *settings)
        assert done.returncode == 0, done.stderr
        return parse(done.stdout)

    return rendered

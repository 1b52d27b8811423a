"""What Argo CD is told of ModelDeployments, from the Lua files in `examples/argocd/lua`.

Argo CD reads it from its ConfigMap `argocd-cm`; its Helm chart writes that from values.
`hack.generate` writes both files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

LUA = Path(__file__).parents[1] / "examples" / "argocd" / "lua"
ACTIONS = ("approve", "promote", "abort", "retry", "pause", "resume", "restart")
KIND = "headgate.dev_ModelDeployment"

_HEAD = "# Written by hack/generate.py from examples/argocd/lua; edit those instead.\n"
_HOW = {
    "argocd-cm.yaml": (
        "# kubectl patch configmap argocd-cm --namespace argocd --patch-file argocd-cm.yaml\n"
    ),
    "helm-values.yaml": (
        "# Values of Argo CD's own chart: helm upgrade argocd … --values helm-values.yaml\n"
    ),
}


class _Lines(str):
    """Text of several lines, to be written as such."""


def _as_lines(dumper: yaml.SafeDumper, text: _Lines) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Lines, _as_lines)


def customizations() -> dict[str, str]:
    """The keys of `argocd-cm`: health and actions of a ModelDeployment."""
    actions: dict[str, Any] = {
        "discovery.lua": _lua("discovery"),
        "definitions": [{"name": name, "action.lua": _lua(name)} for name in ACTIONS],
    }
    return {
        f"resource.customizations.health.{KIND}": _lua("health"),
        f"resource.customizations.actions.{KIND}": _Lines(_dump(actions)),
    }


def files() -> dict[str, str]:
    """Both files, by their names in `examples/argocd`."""
    documents: dict[str, Any] = {
        "argocd-cm.yaml": {"data": customizations()},
        "helm-values.yaml": {"configs": {"cm": customizations()}},
    }
    return {name: _HEAD + _HOW[name] + _dump(each) for name, each in documents.items()}


def _lua(name: str) -> _Lines:
    return _Lines((LUA / f"{name}.lua").read_text("utf-8"))


def _dump(document: Any) -> str:
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000)
    return text

"""Which ConfigMaps a pod template uses: their content belongs to what its author wrote.

`headgate.core.revision` hashes it, and `headgate.render.config_maps` points the kept template to
copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST_CONFIG_MAPS = 16
"""How many a template may use: each is copied for every revision that is kept."""


def config_maps_of(template: Mapping[str, Any]) -> dict[str, bool]:
    """Names of the ConfigMaps that a pod template uses, in order, and whether each may be missing:
    only if every place that uses it says `optional`."""
    found: dict[str, bool] = {}
    for reference in references(template):
        name = reference.get("name")
        if isinstance(name, str) and name:
            found[name] = found.get(name, True) and reference.get("optional") is True
    return dict(sorted(found.items()))


def references(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object inside a pod template that names a ConfigMap in its field `name`."""
    pod = template.get("spec")
    for volume in _each(pod, "volumes"):
        yield from _object(volume, "configMap")
        for projected in _object(volume, "projected"):
            for source in _each(projected, "sources"):
                yield from _object(source, "configMap")
    for kind in ("initContainers", "containers"):
        for container in _each(pod, kind):
            for source in _each(container, "envFrom"):
                yield from _object(source, "configMapRef")
            for variable in _each(container, "env"):
                for value in _object(variable, "valueFrom"):
                    yield from _object(value, "configMapKeyRef")


def _each(parent: object, field: str) -> list[Any]:
    found = parent.get(field) if isinstance(parent, dict) else None
    return found if isinstance(found, list) else []


def _object(parent: object, field: str) -> list[dict[str, Any]]:
    found = parent.get(field) if isinstance(parent, dict) else None
    return [found] if isinstance(found, dict) else []

"""Whether a live object still is what was rendered.

The API server fills in defaults and others may set fields of their own; neither matters. The
comparison has the meaning of a server-side apply: it is false exactly when applying the rendered
object once more would change something, so restoring comes to an end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headgate.render.quantities import amount

KEYED = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "ports": ("containerPort", "port", "protocol"),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "resourceClaims": ("name",),
    "claims": ("name",),
    "schedulingGates": ("name",),
    "ownerReferences": ("uid",),
}
"""Lists that server-side apply merges by keys; all others it replaces whole."""

WHOLE = frozenset({"selector", "matchLabels", "nodeSelector"})
"""Mappings that server-side apply replaces whole."""

QUANTITIES = frozenset({"requests", "limits", "overhead", "sizeLimit", "divisor", "storage"})


def covers(rendered: object, live: object, field: str = "", quantity: bool = False) -> bool:
    """Whether `live` has everything that `rendered` says. `field` is the name of the field they
    stand in."""
    quantity = quantity or field in QUANTITIES
    if isinstance(rendered, Mapping):
        found = live if isinstance(live, Mapping) else {}
        if field in WHOLE and set(found) - set(rendered):
            return False
        return all(
            covers(value, found.get(key), str(key), quantity) for key, value in rendered.items()
        )
    if isinstance(rendered, list):
        elements = live if isinstance(live, list) else []
        if field in KEYED:
            return _covers_by_key(rendered, elements, KEYED[field], quantity)
        return len(rendered) == len(elements) and all(
            covers(one, other, "", quantity) for one, other in zip(rendered, elements, strict=True)
        )
    if rendered == live:
        return True
    if quantity and live is not None:
        number = amount(rendered)
        return number is not None and number == amount(live)
    # The API server leaves out what says nothing: 0, false, "".
    return live is None and not rendered


def _covers_by_key(
    rendered: Sequence[Any], live: Sequence[Any], keys: Sequence[str], quantity: bool
) -> bool:
    found = {_key(each, keys): each for each in live}
    return all(
        covers(each, found[_key(each, keys)], "", quantity) if _key(each, keys) in found else False
        for each in rendered
    )


def _key(element: Any, keys: Sequence[str]) -> tuple[object, ...]:
    if not isinstance(element, Mapping):
        return (element,)
    return tuple(element.get(key, "TCP" if key == "protocol" else None) for key in keys)

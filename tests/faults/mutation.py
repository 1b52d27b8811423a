"""Manifests with something changed at random: some of them valid, most of them not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

Path = tuple[str | int, ...]

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2, 3, 101, 1.5, 2**31, 2**63, "", "0s", "1s", "300ms", "9999999h", "-5m",
    "1", "0%", "25%", "100%", "101%", "no", "Ünïcode", "a b", "x" * 300, "../../etc", "{{ }}",
    "NaN", [], {}, [{}], {"x": 1}, [None], "Canary", "BlueGreen", "Rolling", "dev", "production",
)  # fmt: skip

ADDED: tuple[tuple[Path, Any], ...] = (
    (("suspend",), True),
    (("environment",), "production"),
    (("historyLimit",), 1),
    (("strategy", "maxSurge"), 0),
    (("strategy", "maxSurge"), 100_000),
    (("strategy", "maxSurge"), "100%"),
    (("strategy", "maxUnavailable"), 1),
    (("strategy", "maxUnavailable"), "100%"),
    (("rollback", "revertFloor"), 0),
    (("rollback", "conditions"), []),
    (("smoke", "requests"), [{"path": "/predict", "body": {"x": [1]}}]),
    (("smoke", "timeout"), "1ms"),
    (("watch", "keepPrevious"), 0),
    (("watch", "duration"), "0s"),
    (("progressDeadline",), "1ms"),
    (("analysis", "provider"), "nowhere"),
    (("analysis", "runtime"), "unheard-of"),
    (("template", "spec", "nodeSelector"), {"gpu": "yes"}),
    (("template", "spec", "containers", 0, "env"), [{"name": "A", "value": "1"}] * 2),
    (("template", "spec", "containers", 0, "ports"), [{"name": "x", "containerPort": 1}]),
    (("template", "spec", "containers", 0, "resources"), {"limits": {"cpu": "-1"}}),
    (("template", "spec", "containers", 0, "name"), "Not A Name"),
    (("template", "spec", "volumes"), [{"name": "v"}]),
    (("template", "spec", "terminationGracePeriodSeconds"), -1),
    (("template", "metadata", "labels"), {"headgate.dev/revision": "mine"}),
    (("template", "metadata", "labels"), {"not a label": "no"}),
    (("model", "version"), "2.3.0+cu121"),
    (("model", "version"), "-"),
    (("unknown",), {"deep": [1]}),
)
MOST_REPLICAS = 5
"""More would only keep the played kubelet busy."""


def mutations(spec: dict[str, Any], chance: random.Random) -> Iterator[dict[str, Any]]:
    """Changed copies of a spec, one to three changes each, without end."""
    while True:
        changed = deepcopy(spec)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            _mutate(changed, chance)
        replicas = changed.get("replicas")
        if not isinstance(replicas, int) or not MOST_REPLICAS < replicas <= 100_000:
            yield changed


def _mutate(spec: dict[str, Any], chance: random.Random) -> None:
    kind = chance.random()
    if kind < 0.35:
        path, value = chance.choice(ADDED)
        _set(spec, path, deepcopy(value))
        return
    paths = list(_paths(spec))
    path = chance.choice(paths)
    if kind < 0.5:
        _remove(spec, path)
    elif kind < 0.6:
        _set(spec, ("replicas",), chance.randint(0, MOST_REPLICAS))
    else:
        _set(spec, path, deepcopy(chance.choice(ODD)))


def _paths(found: Any, here: Path = ()) -> Iterator[Path]:
    pairs: Any = ()
    if isinstance(found, dict):
        pairs = found.items()
    elif isinstance(found, list):
        pairs = enumerate(found)
    for key, value in pairs:
        yield (*here, key)
        yield from _paths(value, (*here, key))


def _set(spec: Any, path: Path, value: Any) -> None:
    for key in path[:-1]:
        try:
            spec = spec[key]
        except (KeyError, IndexError):
            spec[key] = {}
            spec = spec[key]
        except TypeError:
            return
    try:
        spec[path[-1]] = value
    except (TypeError, IndexError):
        return


def _remove(spec: Any, path: Path) -> None:
    for key in path[:-1]:
        spec = spec[key]
    del spec[path[-1]]

"""The chart's README: its values, with what `values.yaml` says of each.

A comment right above a key is about that key. `hack.generate` writes the page.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "charts" / "headgate"

_KEY = re.compile(r"( *)([A-Za-z][\w-]*):")
_INDENT = 2

_HEAD = """\
<!-- Written by hack/generate.py from values.yaml; edit that instead. -->
# The Headgate chart

Installs the operator, the definition of `ModelDeployment`, and the rights that both need.

```console
helm install headgate charts/headgate --namespace headgate-system --create-namespace \\
  --set image.repository=registry.example/headgate \\
  --set providers.default.url=http://prometheus.monitoring:9090
helm test headgate --namespace headgate-system
```

`helm upgrade` renews the definition of `ModelDeployment` as well; a release under way goes on.
`helm uninstall` leaves the definition, every `ModelDeployment` and its model servers as they are:
nothing is released or reverted until an operator is there again. To remove them too, delete the
`ModelDeployments` first and then `kubectl delete crd modeldeployments.headgate.dev`.

**For some namespaces only**, by somebody who has rights in them alone: a cluster administrator
applies `crds/` of the repository once, and the chart gets

```console
helm install headgate charts/headgate --namespace risk \\
  --set crds.enabled=false --set 'watchNamespaces={risk}'
```

Nothing cluster-scoped is installed then, and a Role in each namespace is all that the operator has.

## Values

| value | default | |
|---|---|---|
"""


def page() -> str:
    """The README as Markdown."""
    rows = table((CHART / "values.yaml").read_text("utf-8"))
    return _HEAD + "".join(f"| `{name}` | {default} | {said} |\n" for name, default, said in rows)


def table(text: str) -> list[tuple[str, str, str]]:
    """Of each value with a comment its path, its default as Markdown and what the comment says. A
    group whose members have comments of their own has no default, one without has all of them."""
    values = yaml.safe_load(text)
    said: dict[tuple[str, ...], str] = {}
    path: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            comment.append(stripped.removeprefix("#").strip())
            continue
        key = _KEY.match(line)
        if key is not None:
            path = [*path[: len(key[1]) // _INDENT], key[2]]
            if comment:
                said[tuple(path)] = " ".join(comment).replace("|", "\\|")
        comment = []
    groups = {path[:depth] for path in said for depth in range(1, len(path))}
    return [
        (
            ".".join(path),
            "" if path in groups else f"`{json.dumps(_at(values, path), ensure_ascii=False)}`",
            words,
        )
        for path, words in said.items()
    ]


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values[name]
    return values

"""Writes operator/headgate/api/pod_template.yaml: Kubernetes' own pod template as a CRD schema.

Run by hand when the supported Kubernetes line moves. Reads the OpenAPI file of the Go module
k8s.io/kubernetes, drops descriptions, and keeps what server-side apply needs (list types and keys).
"""

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

KUBERNETES = "v1.35.4"
TARGET = Path(__file__).parents[1] / "operator/headgate/api/pod_template.yaml"
ROOT = "io.k8s.api.core.v1.PodTemplateSpec"

# The pattern that Kubernetes' own tools put on a quantity in a CRD.
QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
REPLACED: dict[str, dict[str, Any]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "x-kubernetes-int-or-string": True,
        "pattern": QUANTITY,
    },
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"x-kubernetes-int-or-string": True},
}
KEPT = {
    "type",
    "format",
    "required",
    "enum",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
}
METADATA = ("name", "generateName", "namespace", "labels", "annotations", "finalizers")
# CEL rules on the template must have a bounded cost.
MOST_CONTAINERS = 64
MOST_LABELS = 128


def openapi_definitions(version: str) -> dict[str, Any]:
    """The definitions of the OpenAPI file in the Go module of Kubernetes, downloaded if needed."""
    answer = subprocess.run(
        ["go", "mod", "download", "-json", f"k8s.io/kubernetes@{version}"],
        check=True,
        capture_output=True,
        timeout=600,
        cwd="/",
    )
    module = Path(json.loads(answer.stdout)["Dir"])
    document = json.loads((module / "api/openapi-spec/swagger.json").read_text("utf-8"))
    definitions: dict[str, Any] = document["definitions"]
    return definitions


def convert(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """One OpenAPI node as a structural schema. No type that a pod template uses is recursive."""
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        if name in REPLACED:
            return dict(REPLACED[name])
        return convert(definitions[name], definitions)
    result = {key: value for key, value in node.items() if key in KEPT}
    if "properties" in node:
        result["properties"] = {
            name: convert(child, definitions) for name, child in node["properties"].items()
        }
    if "items" in node:
        result["items"] = convert(node["items"], definitions)
    if "additionalProperties" in node:
        result["additionalProperties"] = convert(node["additionalProperties"], definitions)
    return _with_keys(result)


def _with_keys(node: dict[str, Any]) -> dict[str, Any]:
    """A key of a list must be required or have a default: a port's protocol has one, TCP."""
    for key in node.get("x-kubernetes-list-map-keys", ()):
        items = node["items"]
        if key in items.get("required", ()):
            continue
        if key == "protocol":
            items["properties"][key]["default"] = "TCP"
        else:
            items["required"] = sorted([*items.get("required", ()), key])
    return node


def pod_template(definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a pod template, without what only the system writes."""
    schema = convert(definitions[ROOT], definitions)
    metadata = schema["properties"]["metadata"]
    metadata["properties"] = {name: metadata["properties"][name] for name in METADATA}
    metadata["properties"]["labels"]["maxProperties"] = MOST_LABELS
    # Programs that print a template write `creationTimestamp: null` into it.
    metadata["properties"]["creationTimestamp"] = {"type": "string", "nullable": True}
    spec = schema["properties"]["spec"]
    # Only a running pod can have them.
    del spec["properties"]["ephemeralContainers"]
    spec["properties"]["containers"]["maxItems"] = MOST_CONTAINERS
    schema["required"] = ["spec"]
    return schema


class _Dumper(yaml.SafeDumper):
    """Writes shared parts out instead of pointing at them with YAML aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def main() -> None:
    """Write the file for the version given, or for the one that is supported."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubernetes", default=KUBERNETES)
    version = parser.parse_args().kubernetes
    schema = pod_template(openapi_definitions(version))
    head = f"# Pod template of Kubernetes {version}, written by hack/generate_pod_template.py.\n"
    TARGET.write_text(head + yaml.dump(schema, Dumper=_Dumper, sort_keys=True, width=100), "utf-8")


if __name__ == "__main__":
    main()

"""The CustomResourceDefinition of ModelDeployment, made from the models of this package.

`headgate crd` prints it, and `hack/generate.py` keeps the committed copies fresh.
"""

from typing import Any

import yaml

from headgate.api import pod_template
from headgate.api.base import GROUP, KIND, NAME_EXPRESSION, NAME_MESSAGE, PLURAL, VERSION
from headgate.api.spec import TEMPLATE_MARK, ModelDeploymentSpec
from headgate.api.status import Status
from headgate.api.structural import structural_schema

_COLUMNS = (
    ("Phase", "string", ".status.phase", "What the release is doing."),
    ("Step", "string", ".status.step", "Step of the release, such as 3/5."),
    ("Weight", "string", ".status.weight", "Share of live traffic that the candidate gets."),
    ("Stable", "string", ".status.stable.version", "Version that serves."),
    ("Candidate", "string", ".status.candidate.version", "Version that is being released."),
    ("Verdict", "string", ".status.verdict", "What the measurements say of the candidate."),
    ("Age", "date", ".metadata.creationTimestamp", "Time since it was created."),
)


def definition() -> dict[str, Any]:
    """The CRD as the API server takes it."""
    spec = structural_schema(ModelDeploymentSpec, {TEMPLATE_MARK: pod_template.schema})
    status = structural_schema(Status)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["mdep"],
                "categories": ["headgate"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": [
                        {"name": name, "type": kind, "jsonPath": path, "description": text}
                        for name, kind, path, text in _COLUMNS
                    ],
                    "subresources": {
                        "status": {},
                        "scale": {
                            "specReplicasPath": ".spec.replicas",
                            "statusReplicasPath": ".status.replicas",
                            "labelSelectorPath": ".status.selector",
                        },
                    },
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "description": (
                                "A model that is served, and how its next version is released:"
                                " brought up beside the one that serves, checked, given live"
                                " traffic step by step, and taken back when it is worse."
                            ),
                            "required": ["spec"],
                            "properties": {
                                "apiVersion": {"type": "string"},
                                "kind": {"type": "string"},
                                "metadata": {"type": "object"},
                                "spec": spec,
                                "status": status,
                            },
                            "x-kubernetes-validations": [
                                {"rule": NAME_EXPRESSION, "message": NAME_MESSAGE}
                            ],
                        }
                    },
                }
            ],
        },
    }


class _Dumper(yaml.SafeDumper):
    """Writes shared parts out instead of pointing at them with YAML aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def manifest() -> str:
    """The CRD as YAML, the same text for the same models."""
    return yaml.dump(
        definition(), Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True, indent=2
    )

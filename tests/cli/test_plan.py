"""`headgate plan` as a person and as a script use it, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MANIFEST = """
apiVersion: headgate.dev/v1alpha1
kind: ModelDeployment
metadata: {name: fraud, namespace: risk}
spec:
  model: {name: fraud, version: "2.3.0"}
  replicas: 5
  template:
    spec:
      containers: [{name: server, image: "fraud:2.3.0"}]
  strategy:
    type: Canary
    canary:
      steps:
        - {weight: 5, hold: 30m}
        - {approval: {}}
        - {weight: 50, hold: 90s}
"""


def headgate(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "headgate", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_json_form_has_one_entry_for_each_step(tmp_path: Path) -> None:
    file = tmp_path / "fraud.yaml"
    file.write_text(MANIFEST)
    done = headgate("plan", "-f", str(file), "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "steps": [
            {
                "index": 0,
                "kind": "weight",
                "weight": 5,
                "stable": 5,
                "candidate": 1,
                "effectiveWeight": 16.67,
                "approximated": True,
                "hold": "30m",
            },
            {
                "index": 1,
                "kind": "approval",
                "weight": 5,
                "stable": 5,
                "candidate": 1,
                "effectiveWeight": 16.67,
                "approximated": True,
                "hold": "0s",
            },
            {
                "index": 2,
                "kind": "weight",
                "weight": 50,
                "stable": 3,
                "candidate": 3,
                "effectiveWeight": 50,
                "approximated": False,
                "hold": "1m30s",
            },
            {
                "index": 3,
                "kind": "promotion",
                "weight": 100,
                "stable": 0,
                "candidate": 5,
                "effectiveWeight": 100,
                "approximated": False,
                "hold": "0s",
            },
        ]
    }


def test_the_table_is_read_from_standard_input_too() -> None:
    done = headgate("plan", "-f", "-", text=MANIFEST)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "fraud 2.3.0 · Canary",
        "STEP  WEIGHT  STABLE  CANDIDATE  EFFECTIVE  HOLD",
        "1     5%      5       1          ~16.67%    30m",
        "2     5%      5       1          ~16.67%    approval",
        "3     50%     3       3          50%        1m30s",
        "4     100%    0       5          100%       watch",
    ]


EVERY_KIND = """
        - {scale: 2}
        - {hold: 1m}
        - {approval: {timeout: 4h}}
        - {weight: 20}
        - {analysis: {for: 10m}}
"""


def test_the_table_says_of_every_step_what_ends_it() -> None:
    head, _, _ = MANIFEST.partition("        - {weight: 5")
    done = headgate("plan", "-f", "-", text=head + EVERY_KIND.lstrip("\n"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[2:] == [
        "1     0%      5       2          0%         until ready",
        "2     0%      5       2          0%         1m",
        "3     0%      5       2          0%         approval within 4h",
        "4     20%     4       1          20%        30m",
        "5     20%     4       1          20%        Good for 10m",
        "6     100%    0       5          100%       watch",
    ]


SWAPPED = (
    "Pods are swapped: never more than 1, never fewer ready than 0; none of the version before"
    " is kept."
)
ALONE = (
    "With 1 replica swapped nothing serves until the new pod is ready, and no step but an"
    " approval can be taken before 100 %."
)


def test_the_manifest_of_the_readme_is_planned_as_it_says() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text()
    manifest = text.split("```yaml\n", 1)[1].split("```", 1)[0]
    shown = text.split("$ headgate plan -f fraud.yaml\n", 1)[1].split("```", 1)[0]
    assert headgate("plan", "-f", "-", text=manifest).stdout == shown


def test_swapping_one_pod_is_said_below_the_table() -> None:
    text = MANIFEST.replace("replicas: 5", "replicas: 1").replace(
        "type: Canary", "type: Canary\n    capacity: Swap"
    )
    done = headgate("plan", "-f", "-", text=text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[2:] == [
        "1     0%      1       0          0%         approval",
        "2     100%    0       1          100%       watch",
        SWAPPED,
        ALONE,
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MANIFEST.replace("weight: 50", "weigth: 50"), "spec.strategy.canary.steps[2].weigth"),
        (MANIFEST.replace("weight: 50", "weight: 150"), "spec.strategy.canary.steps[2].weight"),
        (MANIFEST.replace("hold: 90s", "hold: 90"), "spec.strategy.canary.steps[2].hold"),
        (MANIFEST.replace("ModelDeployment", "Deployment"), "no ModelDeployment in it"),
        (MANIFEST.replace("name: fraud, namespace", "namespace"), "metadata.name is missing"),
        ("a: [", "not YAML"),
        ("- a list", "begins with apiVersion"),
    ],
)
def test_bad_input_names_the_field_and_ends_with_2(text: str, said: str) -> None:
    done = headgate("plan", "-f", "-", text=text)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_named() -> None:
    done = headgate("plan", "-f", "nowhere.yaml")
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr


def test_crd_prints_what_is_committed() -> None:
    committed = Path(__file__).parents[2] / "crds" / "modeldeployments.headgate.dev.yaml"
    written_by, _, definition = committed.read_text().partition("\n")
    assert written_by.startswith("#")
    assert headgate("crd").stdout == definition

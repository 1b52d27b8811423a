"""One ModelDeployment on the real cluster, as a person with kubectl and users with HTTP see it.

Waiting is always for a condition with a generous limit, and says what was seen last when the limit
is reached. Everything of a story lives in a namespace of its own.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import CustomObjectsApi
from kubernetes.config import new_client_from_config

from hack.cluster import Cluster
from hack.load.answers import Answer, read
from headgate.api.base import GROUP, PLURAL, VERSION

ROOT = Path(__file__).parents[2]
LONG = 150.0
"""Seconds for what takes seconds on a quiet machine; CI has two busy cores."""

SMOKE_ROW = [0, 0, 5, 13, 9, 1, 0, 0] * 8


def manifest(version: str, **changes: Any) -> dict[str, Any]:
    """A spec with short holds for the digits server; `changes` replace whole parts of it."""
    spec: dict[str, Any] = {
        "model": {"name": "digits", "version": version},
        "replicas": 3,
        "template": {
            "metadata": {
                "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
            },
            "spec": {
                "containers": [
                    {
                        "name": "server",
                        "image": f"headgate.local/digits-server:{version}",
                        "imagePullPolicy": "Never",
                        "env": [{"name": "MODEL_PATH", "value": "/models/model.joblib"}],
                        "resources": {
                            "requests": {"cpu": "20m", "memory": "96Mi"},
                            "limits": {"cpu": "1", "memory": "384Mi"},
                        },
                        "startupProbe": {
                            "httpGet": {"path": "/ready", "port": 8080},
                            "periodSeconds": 1,
                            "timeoutSeconds": 2,
                            "failureThreshold": 240,
                        },
                        "readinessProbe": {
                            "httpGet": {"path": "/ready", "port": 8080},
                            "periodSeconds": 2,
                            "timeoutSeconds": 2,
                        },
                        # A crash shall be the server's own, not a probe's on a busy machine.
                        "livenessProbe": {
                            "httpGet": {"path": "/health", "port": 8080},
                            "periodSeconds": 30,
                            "timeoutSeconds": 10,
                            "failureThreshold": 10,
                        },
                    }
                ]
            },
        },
        "service": {"port": 80, "targetPort": 8080},
        "strategy": {
            "type": "Canary",
            "canary": {"steps": [{"weight": 25, "hold": "8s"}, {"weight": 50, "hold": "6s"}]},
        },
        "smoke": {
            "requests": [
                {
                    "path": "/predict",
                    "body": {"instances": [SMOKE_ROW]},
                    "expect": {"status": 200, "field": "predictions", "type": "array"},
                }
            ],
            "timeout": "10s",
        },
        "analysis": {
            "provider": "default",
            "level": "detailed",
            "interval": "3s",
            "unknownTimeout": "10m",
            # A busy machine is slow at times; only version 3.0.0 is slower than this.
            "rules": {"errorRate": {"max": 0.05}, "latencyP99": {"max": "5s"}},
            "comparison": {"minSamples": 30},
        },
        "rollback": {"conditions": []},
        "watch": {"duration": "6s"},
        "progressDeadline": "5m",
    }
    return {**spec, **changes}


BLUE_GREEN: dict[str, Any] = {"type": "BlueGreen", "blueGreen": {"hold": "1s"}}
ROLLING: dict[str, Any] = {"type": "Rolling", "rolling": {"hold": "3s"}}


@cache
def _objects(kubeconfig: Path) -> CustomObjectsApi:
    connected = new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
    return CustomObjectsApi(connected)


@dataclass
class Model:
    """The ModelDeployment `digits` in a namespace."""

    cluster: Cluster
    namespace: str
    directory: Path
    name: str = "digits"
    written: dict[str, Any] = field(default_factory=dict)

    def apply(self, version: str, **changes: Any) -> None:
        """kubectl apply."""
        self.written = manifest(version, **changes)
        self.apply_object(self.name, self.written)

    def again(self, version: str | None = None, **changes: Any) -> None:
        """kubectl apply of what was applied last, with another version or other parts."""
        if version is not None:
            fresh = manifest(version)
            changes = {"model": fresh["model"], "template": fresh["template"], **changes}
        self.written = {**self.written, **changes}
        self.apply_object(self.name, self.written)

    def apply_object(self, name: str, spec: dict[str, Any]) -> str:
        """kubectl apply of a ModelDeployment of any name."""
        document = {
            "apiVersion": "headgate.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }
        return self.kubectl("apply", "-f", "-", input=yaml.safe_dump(document))

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        """kubectl in the model's namespace."""
        return self.cluster.kubectl("-n", self.namespace, *arguments, input=input, timeout=120)

    def get(self, kind: str, name: str | None = None) -> dict[str, Any]:
        """An object, or a list of a kind."""
        names = [name] if name else []
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, *names, "-o", "json"))
        return found

    def status(self) -> dict[str, Any]:
        """The status as it stands; empty before the first. Asked for again and again, so by a
        connection that stays: a kubectl for each would take a third of the machine."""
        found: Any = _objects(self.cluster.kubeconfig).get_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURAL, self.name
        )
        return found.get("status") or {}

    def wait(
        self, what: str, holds: Callable[[dict[str, Any]], bool], seconds: float = LONG
    ) -> dict[str, Any]:
        """The status as soon as `holds(status)`; fails with what was seen last."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.status()
            if status and holds(status):
                return status
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds:.0f} s\n{self.told(status)}")
            time.sleep(0.3)

    def wait_for_phase(self, phase: str, seconds: float = LONG) -> dict[str, Any]:
        """The status as soon as it is in a phase, for the spec as it was applied last."""
        generation = self.get("mdep", self.name)["metadata"]["generation"]
        return self.wait(
            f"phase {phase}",
            lambda status: status["observedGeneration"] == generation and status["phase"] == phase,
            seconds,
        )

    def wait_until_stable(self, version: str, seconds: float = LONG) -> dict[str, Any]:
        """The status as soon as a version serves and nothing is under way."""
        return self.wait(
            f"{version} stable",
            lambda status: (
                status["phase"] == "Stable"
                and status["stable"]["version"] == version
                and status["stable"]["ready"] == self.written["replicas"]
            ),
            seconds,
        )

    def told(self, status: dict[str, Any]) -> str:
        """Everything that helps to understand a story that went wrong."""
        parts = [yaml.safe_dump(status)]
        for arguments in (
            ("get", "pods,deployments,services", "-o", "wide"),
            ("get", "events", "--sort-by=.lastTimestamp"),
        ):
            with contextlib.suppress(Exception):
                parts.append(self.kubectl(*arguments))
        with contextlib.suppress(Exception):
            parts.append(
                self.cluster.kubectl(
                    *("-n", "headgate-system", "logs", "deployment/headgate"),
                    *("--all-pods", "--prefix", "--tail=60"),
                )
            )
        return "\n".join(parts)

    def live_selector(self) -> dict[str, str]:
        """What the live Service selects."""
        selector: dict[str, str] = self.get("service", self.name)["spec"]["selector"]
        return selector

    def address(self) -> str:
        """The live Service's own address."""
        return str(self.get("service", self.name)["spec"]["clusterIP"])

    def reasons(self) -> list[str]:
        """The reasons of this ModelDeployment's Events, oldest first."""
        found = json.loads(
            self.kubectl(
                "get",
                "events",
                "--field-selector",
                f"involvedObject.name={self.name},involvedObject.kind=ModelDeployment",
                "-o",
                "json",
            )
        )["items"]
        return [each["reason"] for each in found]

    @contextlib.contextmanager
    def users(self, rate: float = 20.0) -> Iterator[Users]:
        """Users who send real rows to the live Service until the block ends."""
        users = Users(self, rate)
        try:
            users.wait_for_answers(10)
            yield users
        finally:
            users.stop()


class Users:
    """A load generator in a process of its own, and its record of every answer."""

    def __init__(self, model: Model, rate: float) -> None:
        self.record = model.directory / f"{model.namespace}-{time.monotonic_ns()}.jsonl"
        self._process = model.cluster.start_process(
            [
                sys.executable,
                "-m",
                "hack.load",
                "--url",
                f"http://{model.address()}",
                "--rate",
                str(rate),
                "--duration",
                "900",
                "--record",
                str(self.record),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )

    def answers(self) -> list[Answer]:
        """Everything answered so far."""
        return read(self.record) if self.record.exists() else []

    def wait_for_answers(self, count: int, version: str | None = None) -> None:
        """Until so many requests (of a version) were answered."""
        deadline = time.monotonic() + LONG
        while True:
            answered = [each for each in self.answers() if version in (None, each.version)]
            if len(answered) >= count:
                return
            assert self._process.poll() is None, "the load generator has ended"
            assert time.monotonic() < deadline, f"only {len(answered)} answers of {version}"
            time.sleep(0.2)

    def stop(self) -> None:
        """No further request; those under way are recorded."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=10)

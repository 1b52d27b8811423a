"""Objects that are meant to do harm, beside a good one of the same operator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headgate.kube.client import MODEL_DEPLOYMENT
from tests.runtime.fakes import model_deployment
from tests.runtime.place import PATIENT, Place

DEEPEST = 9_900
"""Levels of a JSON value; the API server reads 10,000, those around it included."""

LARGEST = 1_300_000
"""Bytes; etcd takes a million and a half."""

AT_ONCE = {"type": "BlueGreen", "blueGreen": {"hold": "0s"}}


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def create(place: Place, name: str, text: str) -> None:
    """By hand: our own client need not be able to write this."""
    path = f"/apis/headgate.dev/v1alpha1/namespaces/{place.namespace}/modeldeployments"
    file = place.directory / f"{name}.json"
    file.write_text(text.replace('"namespace": "risk"', f'"namespace": "{place.namespace}"'))
    place.cluster.kubectl("create", "--raw", path, "-f", str(file))


def deep(name: str) -> str:
    body = model_deployment(name, smoke={"requests": [{"body": "HERE"}]})
    return json.dumps(body).replace('"HERE"', nested(DEEPEST))


def large(name: str) -> str:
    text = "x" * 1000
    env = [{"name": f"E{number}", "value": text} for number in range(LARGEST // 1000)]
    server: dict[str, Any] = {"name": "server", "image": "registry.example/m:1", "env": env}
    return json.dumps(model_deployment(name, template={"spec": {"containers": [server]}}))


@pytest.mark.control_plane
async def test_a_deep_and_a_large_object_hold_up_nobody_else(place: Place) -> None:
    first = await place.start(PATIENT)
    await place.until(first.leads)
    await place.apply("1", strategy=AT_ONCE)
    await place.until_status(lambda status: status.get("phase") == "Stable")
    create(place, "deep", deep("deep"))
    create(place, "large", large("large"))
    # The first one meets them in its watch, the next one in its first list.
    await place.apply("2", strategy=AT_ONCE)
    await place.until_status(lambda status: released(status, "2"))
    first.process.terminate()
    assert await first.exit_code() == 0
    second = await place.start(PATIENT)
    await place.until(second.leads)
    await place.apply("3", strategy=AT_ONCE)
    await place.until_status(lambda status: released(status, "3"))
    assert second.process.returncode is None
    for name in ("deep", "large"):
        stored = await place.client.get(MODEL_DEPLOYMENT, place.namespace, name)
        assert len(json.dumps(stored.get("status") or {})) < 64 * 1024
        await place.client.delete(MODEL_DEPLOYMENT, place.namespace, name)


def released(status: dict[str, Any], version: str) -> bool:
    return status.get("phase") == "Stable" and status["stable"]["version"] == version

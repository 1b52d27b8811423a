"""Pod Security of the namespace holds for a model's pods, and what it says is told at once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from headgate.core.plan import plan
from headgate.kube.apply import carry_out, write_status
from headgate.kube.client import POD, Conflict
from headgate.kube.observe import build
from tests.kube.conftest import World

pytestmark = pytest.mark.control_plane

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
PATIENCE = 30.0


async def release(world: World, **security: Any) -> None:
    """Apply a model whose container has this security context, in a restricted namespace."""
    level = "pod-security.kubernetes.io/enforce=restricted"
    world.kubectl("label", "namespace", world.namespace, level, "--overwrite")
    server = {"name": "server", "image": "registry.example/f:1", "securityContext": security}
    await world.put(template={"spec": {"containers": [server]}})


async def passes(world: World) -> None:
    """What the operator does, until it has its say or the pods are there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            snapshot = await world.read()
            planned = plan(build(snapshot), time.time())
            try:
                await carry_out(world.client, snapshot, planned.intents)
                status = planned.status.model_dump(mode="json", by_alias=True, exclude_none=True)
                await write_status(world.client, snapshot, status)
            except Conflict:
                continue
            if planned.status.phase == "Failing" or await world.client.list(POD, world.namespace):
                return
            await asyncio.sleep(0.1)


async def test_a_privileged_pod_is_refused_and_the_status_says_why(world: World) -> None:
    await release(world, privileged=True)
    await passes(world)
    status = (await world.read()).status
    assert status.phase == "Failing"
    assert 'violates PodSecurity "restricted' in status.message
    assert "must not set securityContext.privileged=true" in status.message
    assert await world.client.list(POD, world.namespace) == []


async def test_what_headgate_fills_in_keeps_a_restricted_pod_restricted(world: World) -> None:
    await release(world, **RESTRICTED)
    await passes(world)
    pods = await world.client.list(POD, world.namespace)
    assert len(pods) == 1
    assert (await world.read()).status.phase == "Initializing"

"""PodDisruptionBudgets on a real API server: one for each revision, none beside an author's."""

import json

import pytest

from headgate.core.intents import DropDisruptionBudget, KeepRevision, SetDisruptionBudget
from headgate.kube.apply import carry_out
from headgate.kube.client import DISRUPTION_BUDGET
from headgate.kube.observe import build
from tests.kube.conftest import World

pytestmark = pytest.mark.control_plane


async def guarded(world: World) -> str:
    """A kept revision with its budget."""
    snapshot = await world.read()
    revision = build(snapshot).revision
    await carry_out(
        world.client, snapshot, [KeepRevision(revision, "1", 1), SetDisruptionBudget(revision)]
    )
    return revision


async def test_a_budget_is_written_seen_intact_and_deleted(world: World) -> None:
    revision = await guarded(world)
    name = f"fraud-{revision}"
    stored = await world.client.get(DISRUPTION_BUDGET, world.namespace, name)
    assert stored["spec"]["maxUnavailable"] == 1
    assert stored["spec"]["selector"]["matchLabels"]["headgate.dev/revision"] == revision
    assert stored["metadata"]["ownerReferences"][0]["kind"] == "ModelDeployment"
    found = build(await world.read())
    assert (found.budgets, found.guarded) == ({revision: True}, frozenset())
    await carry_out(world.client, await world.read(), [DropDisruptionBudget(revision)])
    assert build(await world.read()).budgets == {}


@pytest.mark.parametrize(
    "patch", ['{"spec": {"maxUnavailable": 9}}', '{"metadata": {"ownerReferences": null}}']
)
async def test_one_edited_by_hand_is_restored(world: World, patch: str) -> None:
    revision = await guarded(world)
    world.kubectl("patch", "pdb", f"fraud-{revision}", "--type=merge", f"--patch={patch}")
    assert build(await world.read()).budgets == {revision: False}
    await carry_out(world.client, await world.read(), [SetDisruptionBudget(revision)])
    assert build(await world.read()).budgets == {revision: True}


async def test_a_budget_follows_the_manifest(world: World) -> None:
    revision = await guarded(world)
    await world.put(disruptionBudget={"maxUnavailable": "25%"})
    found = build(await world.read())
    assert (found.revision, found.budgets) == (revision, {revision: False})
    await carry_out(world.client, await world.read(), [SetDisruptionBudget(revision)])
    stored = await world.client.get(DISRUPTION_BUDGET, world.namespace, f"fraud-{revision}")
    assert stored["spec"]["maxUnavailable"] == "25%"


async def test_an_authors_own_is_noticed_when_it_selects_the_pods(world: World) -> None:
    labels = {"metadata": {"labels": {"team": "risk"}}}
    template = {"spec": {"containers": [{"name": "server", "image": "registry.example/f:1"}]}}
    await world.put(template={**template, **labels})
    revision = await guarded(world)
    for team, seen in (("other", frozenset()), ("risk", frozenset({revision}))):
        body = {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "mine"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"team": team}}},
        }
        world.kubectl("apply", "-f", "-", input=json.dumps(body))
        assert build(await world.read()).guarded == seen

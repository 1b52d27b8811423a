"""ConfigMaps that templates use: read once, noticed when they change, never kept."""

from typing import Any

from headgate.core.revision import content_digest
from headgate.kube.client import Forbidden, Object, Unavailable
from headgate.render.names import OWNED_BY
from tests.runtime.fakes import Call, model_deployment
from tests.runtime.test_reconcile import CANARY
from tests.runtime.world import FRAUD, World

READ: Call = ("get", "ConfigMap", "settings")
USING: dict[str, Any] = {
    **CANARY,
    "template": {
        "spec": {
            "containers": [
                {
                    "name": "server",
                    "image": "registry.example/m:1",
                    "envFrom": [{"configMapRef": {"name": "settings"}}],
                }
            ]
        }
    },
}


def settings(content: str, name: str = "settings") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "risk"},
        "data": {"threshold": content},
    }


def copies(world: World) -> dict[str, str]:
    """Content of the copies, by the revision they belong to."""
    return {
        each["metadata"]["labels"]["headgate.dev/revision"]: each["data"]["threshold"]
        for each in world.server.of_kind("ConfigMap")
        if OWNED_BY in each["metadata"].get("labels", {}) and "threshold" in each["data"]
    }


def phase(world: World) -> str:
    return str(world.server.status("fraud")["phase"])


async def using(content: str = "low") -> World:
    world = World()
    world.server.put(settings(content))
    await world.serve("1", **USING)
    return world


def stable(world: World) -> str:
    return str(world.server.status("fraud")["stable"]["revision"])


async def test_at_rest_a_config_map_costs_no_request() -> None:
    world = await using()
    world.server.calls.clear()
    assert await world.reconciler.reconcile(FRAUD) is None
    world.sync()
    assert await world.reconciler.reconcile(FRAUD) is None
    assert world.server.calls == []


async def test_a_new_process_reads_it_once_and_finds_nothing_to_do() -> None:
    world = await using()
    world.server.calls.clear()
    world.start()
    assert await world.settle() is None
    assert world.server.calls == [READ]


async def test_a_change_is_a_release_and_putting_it_back_ends_it() -> None:
    world = await using()
    first = stable(world)
    world.server.put(settings("high"))
    world.sync()
    await world.settle()
    assert phase(world) == "Starting"
    candidate = world.server.status("fraud")["candidate"]["revision"]
    assert copies(world) == {first: "low", candidate: "high"}
    used = world.server.objects["Deployment", "risk", f"fraud-{candidate}"]
    (server,) = used["spec"]["template"]["spec"]["containers"]
    assert server["envFrom"] == [{"configMapRef": {"name": f"fraud-{candidate}-settings"}}]
    world.server.put(settings("low"))
    world.sync()
    await world.until("Stable")
    assert stable(world) == first
    assert [each["outcome"] for each in world.server.status("fraud")["releases"]] == [
        "Promoted",
        "Aborted",
    ]


async def test_only_its_users_are_told_and_only_of_news() -> None:
    world = await using()
    told = world.cache.put
    assert told(world.server.put(settings("1", "of-others"))) == frozenset()
    assert told(world.server.objects["ConfigMap", "risk", "settings"]) == frozenset()
    assert told(world.server.put(settings("high"))) == {FRAUD}
    assert len(world.cache.config_maps) == 1


async def test_who_does_not_use_it_any_more_is_not_told() -> None:
    world = await using()
    world.apply("2", **CANARY)
    await world.settle()
    assert world.cache.put(world.server.put(settings("high"))) == frozenset()
    assert len(world.cache.config_maps) == 0


async def test_of_a_model_deployment_that_is_gone_nothing_is_kept() -> None:
    world = await using()
    world.cache.drop(world.server.remove("ModelDeployment", "fraud"))
    await world.reconciler.reconcile(FRAUD)
    assert len(world.cache.config_maps) == 0


async def test_a_change_that_arrives_while_it_is_read_is_not_lost() -> None:
    world = World()
    old = world.server.put(settings("low"))
    world.apply("1", **USING)
    snapshot = world.cache.snapshot(FRAUD)
    assert snapshot is not None

    def change() -> None:
        # The watch is faster than the answer under way, which still is the older one.
        world.cache.put(world.server.put(settings("high")))
        world.server.objects["ConfigMap", "risk", "settings"] = old

    world.server.before[READ] = change
    digests = world.cache.config_maps
    await digests.complete(world.server, snapshot)
    new = world.server.put(settings("high"))
    looked = (await digests.complete(world.server, snapshot)).config_maps
    assert looked is not None
    assert looked.digests == {"settings": content_digest(new)}


async def test_a_change_just_before_it_is_copied_is_planned_anew() -> None:
    world = World()
    world.server.put(settings("low"))
    world.apply("1", **USING)

    def change() -> None:
        world.server.before[READ] = lambda: world.server.put(settings("high"))

    world.server.before[READ] = change
    await world.until("Stable")
    assert copies(world) == {stable(world): "high"}


async def test_without_it_nothing_is_released_and_status_says_which_one() -> None:
    world = World()
    world.apply("1", **USING)
    await world.settle()
    status = world.server.status("fraud")
    assert status["phase"] == "Pending"
    assert status["message"] == (
        "1 is not released: ConfigMap settings, which its template uses, does not exist."
    )
    assert [each["reason"] for each in world.server.events] == ["ConfigMapMissing"]
    assert world.server.of_kind("Deployment") == []
    assert world.cache.put(world.server.put(settings("low"))) == {FRAUD}
    await world.until("Stable")


async def test_deleting_it_hurts_neither_what_serves_nor_what_is_being_released() -> None:
    world = await using()
    first = stable(world)
    world.server.put(settings("high"))
    world.sync()
    await world.settle()
    world.cache.drop(world.server.remove("ConfigMap", "settings"))
    await world.settle()
    assert phase(world) == "Starting"
    status = world.server.status("fraud")
    assert set(copies(world)) == {first, status["candidate"]["revision"]}
    await world.until("Progressing")


async def test_while_it_cannot_be_read_what_is_under_way_goes_on() -> None:
    world = await using()
    world.server.put(settings("high"))
    world.sync()
    await world.settle()
    candidate = world.server.status("fraud")["candidate"]["revision"]
    world.start()
    world.server.faults[READ] = [Unavailable("no answer"), Forbidden("not you")] * 20
    await world.until("Progressing")
    assert world.server.status("fraud")["candidate"]["revision"] == candidate


async def test_copies_go_with_their_revision() -> None:
    world = World()
    world.server.put(settings("0"))
    await world.serve("1", **{**USING, "historyLimit": 1})
    for content in range(1, 4):
        world.server.put(settings(str(content)))
        world.server.put(model_deployment("fraud", str(content), **world_spec(content)))
        world.sync()
        await world.until("Stable")
    kept = {
        each["metadata"]["labels"]["headgate.dev/revision"]
        for each in world.server.of_kind("ControllerRevision")
    }
    assert set(copies(world)) == kept
    assert sorted(copies(world).values()) == ["2", "3"]


def world_spec(content: int) -> dict[str, Any]:
    """Blue/green at once, so that versions follow each other quickly."""
    return {
        **USING,
        "watch": {"duration": "0s"},
        "historyLimit": 1,
        "strategy": {"type": "BlueGreen", "blueGreen": {"hold": "0s"}},
    }

"""Carries out a plan's intents, one request after the other.

One arm per intent; how a candidate's pods are taken away at once stands in
`headgate.kube.removal`.
"""

from __future__ import annotations

from collections.abc import Iterable

from headgate.core.intents import (
    DropDisruptionBudget,
    DropRevision,
    Intent,
    KeepRevision,
    MarkRevision,
    RemoveAdopted,
    RemoveWorkload,
    RestartWorkload,
    RunSmoke,
    SetDisruptionBudget,
    SetReplicas,
    SetRole,
    SetTraffic,
    SetWarm,
    SetWorkload,
    ShrinkWorkload,
    WarmUp,
)
from headgate.core.observation import INHERITED
from headgate.kube.adoption import own_fields, remove_adopted
from headgate.kube.client import (
    CONTROLLER_REVISION,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    MODEL_DEPLOYMENT,
    SERVICE,
    Conflict,
    KubeClient,
    NotFound,
    Object,
)
from headgate.kube.config_maps import UsedConfigMaps, copy_config_maps, drop_copies
from headgate.kube.removal import remove_workload
from headgate.kube.snapshot import Snapshot, port_names_of, revision_label
from headgate.kube.warming import set_warm
from headgate.render import service
from headgate.render.disruption_budget import disruption_budget
from headgate.render.names import LIVE, service_name, workload_name
from headgate.render.revision import (
    ONCE_STABLE,
    REJECTED,
    Kept,
    controller_revision,
    keep,
)
from headgate.render.workload import deployment, pace_of, restarted_at


async def carry_out(
    client: KubeClient, snapshot: Snapshot, intents: Iterable[Intent]
) -> list[Object]:
    """Do what a plan wants, in its order; the objects as written.

    `snapshot` is the one that the plan was made from, read live if an intent says so. The first
    failure ends it and is raised (`Conflict`: read and plan again at once). `RunSmoke` and
    `WarmUp` are skipped: the runtime sends requests to pods beside the pass.
    """
    writer = _Writer(client, snapshot)
    written = []
    for intent in intents:
        answer = await writer.write(intent)
        if answer is not None:
            written.append(answer)
    return written


async def write_status(
    client: KubeClient, snapshot: Snapshot, status: dict[str, object]
) -> Object | None:
    """Replace the status (camelCase JSON) with the snapshot's resourceVersion; None when it is the
    stored one already. Raises `Conflict` when the ModelDeployment has changed since.

    The API server takes nothing but the status from this request, so the spec stays at home.
    """
    stored = snapshot.model_deployment
    if stored.get("status") == status:
        return None
    kept = ("name", "namespace", "uid", "resourceVersion")
    body: Object = {
        "apiVersion": stored["apiVersion"],
        "kind": stored["kind"],
        "metadata": {key: snapshot.metadata[key] for key in kept},
        "status": status,
    }
    return await client.replace_status(body)


class _Writer:
    """One pass: the snapshot, and the revision that this pass itself has kept."""

    def __init__(self, client: KubeClient, snapshot: Snapshot) -> None:
        self._client = client
        self._snapshot = snapshot
        self._kept = dict(snapshot.kept)

    async def write(self, intent: Intent) -> Object | None:
        match intent:
            case KeepRevision():
                return await self._keep(intent)
            case MarkRevision():
                return await self._mark(intent)
            case DropRevision(revision):
                await self._drop(revision)
                return None
            case SetWorkload(revision, replicas):
                return await self._set_workload(revision, replicas)
            case RestartWorkload():
                return await self._restart(intent)
            case ShrinkWorkload(revision, replicas):
                return await self._shrink(revision, replicas)
            case RemoveWorkload(revision, at_once):
                await remove_workload(self._client, self._snapshot, revision, at_once)
                return None
            case RemoveAdopted(uid):
                await remove_adopted(self._client, self._snapshot, uid)
                return None
            case SetTraffic():
                return await self._set_traffic(intent)
            case SetRole(role, revision):
                return await self._set_role(role, revision)
            case SetWarm():
                return await set_warm(self._client, self._snapshot, intent)
            case SetDisruptionBudget(revision):
                return await self._set_budget(revision)
            case DropDisruptionBudget(revision):
                await self._drop_budget(revision)
                return None
            case SetReplicas(replicas):
                return await self._set_replicas(replicas)
            case RunSmoke() | WarmUp():
                return None
        raise TypeError(f"{intent!r} is no intent that can be carried out")

    def _name(self, revision: str) -> str:
        return workload_name(self._snapshot.name, revision)

    def _port_name(self, *revisions: str | None) -> str:
        for revision in revisions:
            if revision is not None and revision in self._kept:
                return self._kept[revision].port
        return self._snapshot.port_name()

    async def _keep(self, intent: KeepRevision) -> Object:
        snapshot = self._snapshot
        stored = next(
            (each for each in snapshot.revisions if revision_label(each) == intent.revision), None
        )
        # What was kept once is never rendered again: it may come from an older operator.
        kept = self._kept.get(intent.revision) or self._render(intent.revision)
        body = controller_revision(
            kept, snapshot.namespace, snapshot.name, snapshot.owner, intent.number
        )
        if stored is None:
            # Before the revision counts as kept: its pods could not start without them.
            await copy_config_maps(
                self._client, kept, snapshot.namespace, snapshot.name, snapshot.owner
            )
        answer = await self._client.apply(body, force=stored is not None)
        self._kept[intent.revision] = kept
        return answer

    def _render(self, revision: str) -> Kept:
        looked = self._snapshot.config_maps or UsedConfigMaps()
        kept = keep(self._snapshot.spec, self._snapshot.name, looked.digests)
        if kept.revision != revision:
            raise Conflict(f"the spec now describes {kept.revision}, not {revision} any more")
        return kept

    async def _drop(self, revision: str) -> None:
        snapshot = self._snapshot
        kept = snapshot.kept.get(revision)
        if kept is not None and kept.config_maps:
            await drop_copies(self._client, snapshot.namespace, snapshot.name, revision)
        await self._client.delete(CONTROLLER_REVISION, snapshot.namespace, self._name(revision))

    async def _mark(self, intent: MarkRevision) -> Object | None:
        marks = {ONCE_STABLE: intent.once_stable, REJECTED: intent.rejected}
        annotations = {
            name: "true" if mark else None for name, mark in marks.items() if mark is not None
        }
        try:
            return await self._client.patch(
                CONTROLLER_REVISION,
                self._snapshot.namespace,
                self._name(intent.revision),
                {"metadata": {"annotations": annotations}},
            )
        except NotFound:
            # Deleted by hand: there is nothing left to go back to, so nothing to mark.
            return None

    async def _set_workload(self, revision: str, replicas: int) -> Object:
        snapshot = self._snapshot
        stored = snapshot.deployment(revision)
        kept = self._kept.get(revision)
        version = None if stored is None else _version_if_scaled(stored, replicas)
        if kept is None:
            if stored is None:
                raise NotFound(f"the template of revision {revision} is not kept any more")
            return await self._client.patch(
                DEPLOYMENT,
                snapshot.namespace,
                self._name(revision),
                {"spec": {"replicas": replicas}},
                resource_version=version,
            )
        # Left out, a restart would be taken back, which restarts everything once more. A Deployment
        # that is only made now has nothing to restart.
        restarted = restarted_at(stored) if stored is not None else (snapshot.spec.restart_at or "")
        pace = pace_of(stored) if stored is not None else None
        body = deployment(
            kept, snapshot.namespace, snapshot.name, snapshot.owner, replicas, restarted, pace
        )
        if stored is None:
            return await self._client.apply(body, force=False)
        # Without the uid, an apply onto a Deployment that was deleted since would create it: a
        # rejected version would get pods again.
        body["metadata"]["uid"] = stored["metadata"]["uid"]
        return await self._client.apply(body, resource_version=version)

    async def _restart(self, intent: RestartWorkload) -> Object | None:
        snapshot = self._snapshot
        stored, kept = snapshot.deployment(intent.revision), self._kept.get(intent.revision)
        if stored is None or kept is None:
            return None
        replicas = int(stored["spec"].get("replicas", 1))
        body = deployment(
            *(kept, snapshot.namespace, snapshot.name, snapshot.owner),
            *(replicas, intent.at, intent.pace),
        )
        version = stored["metadata"]["resourceVersion"]
        # Without the uid, an apply onto a Deployment that was deleted since would create it.
        body["metadata"]["uid"] = stored["metadata"]["uid"]
        return await self._client.apply(body, resource_version=version)

    async def _shrink(self, revision: str, replicas: int) -> Object | None:
        stored = self._snapshot.deployment(revision)
        if stored is None:
            return None
        return await self._client.patch(
            DEPLOYMENT,
            self._snapshot.namespace,
            self._name(revision),
            {"spec": {"replicas": replicas}},
            resource_version=stored["metadata"]["resourceVersion"],
        )

    async def _set_traffic(self, intent: SetTraffic) -> Object:
        snapshot = self._snapshot
        decisions = {key: getattr(intent, key) for key in service.DECISIONS}
        port_name = self._port_name(intent.revision, intent.stable)
        names = port_names_of(self._kept, intent.revision, intent.stable)
        body = service.live(snapshot.address, intent.revision, port_name, decisions, names)
        name = service_name(snapshot.name, LIVE)
        stored = snapshot.service(name)
        if intent.revision == INHERITED:
            stored = stored or snapshot.stranger(SERVICE, name)
            del body["spec"]
        if stored is None:
            return await self._create_service(body)
        # Without the uid, an apply onto a Service that was deleted since would create it.
        body["metadata"]["uid"] = stored["metadata"]["uid"]
        version = stored["metadata"]["resourceVersion"]
        if intent.revision != INHERITED:
            body = service.with_names_kept(body, stored)
            if service.is_inherited(stored):
                version = await own_fields(self._client, stored)
        return await self._client.apply(body, resource_version=version)

    async def _set_role(self, role: str, revision: str) -> Object:
        snapshot = self._snapshot
        names = port_names_of(self._kept, revision)
        body = service.role(snapshot.address, role, revision, self._port_name(revision), names)
        if snapshot.service(service_name(snapshot.name, role)) is None:
            return await self._create_service(body)
        return await self._client.apply(body)

    async def _set_budget(self, revision: str) -> Object:
        snapshot = self._snapshot
        body = disruption_budget(
            self._kept[revision],
            snapshot.namespace,
            snapshot.name,
            snapshot.owner,
            snapshot.spec.disruption_budget.max_unavailable,
        )
        return await self._client.apply(body, force=snapshot.budget(revision) is not None)

    async def _drop_budget(self, revision: str) -> None:
        stored = self._snapshot.budget(revision)
        if stored is not None:
            uid = stored["metadata"]["uid"]
            namespace, name = self._snapshot.namespace, self._name(revision)
            await self._client.delete(DISRUPTION_BUDGET, namespace, name, uid=uid)

    async def _set_replicas(self, replicas: int) -> Object:
        """The ModelDeployment as it is afterwards. On the version that was seen: an autoscaler may
        have been faster."""
        stored = self._snapshot.model_deployment
        metadata = stored["metadata"]
        answer = await self._client.patch(
            MODEL_DEPLOYMENT,
            self._snapshot.namespace,
            self._snapshot.name,
            {"spec": {"replicas": replicas}},
            resource_version=metadata["resourceVersion"],
            subresource="scale",
        )
        changed = {
            "resourceVersion": answer["metadata"]["resourceVersion"],
            "generation": int(metadata.get("generation") or 0) + 1,
        }
        spec = {**stored["spec"], "replicas": replicas}
        return {**stored, "metadata": {**metadata, **changed}, "spec": spec}

    async def _create_service(self, body: Object) -> Object:
        """Create a Service, and never take one that exists from its owner.

        Two ModelDeployments can want the same name (`fraud` with its role stable, and
        `fraud-stable`). Both write as the same field manager, so an apply alone would not fail.
        """
        name = body["metadata"]["name"]
        try:
            await self._client.get(SERVICE, self._snapshot.namespace, name)
        except NotFound:
            return await self._client.apply(body, force=False)
        raise Conflict(f"a Service {name} exists, which was not seen before")


def _version_if_scaled(stored: Object, replicas: int) -> str | None:
    """The version that a write must find when it changes the ratio of the pods, and so moves
    traffic. Anything else only restores a template, whatever happened since."""
    if (stored.get("spec") or {}).get("replicas") == replicas:
        return None
    return str(stored["metadata"]["resourceVersion"])

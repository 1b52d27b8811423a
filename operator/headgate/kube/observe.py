"""From the API server's objects to the planner's `Observation`.

`read` fetches the objects of one ModelDeployment live; a snapshot made of cached objects serves as
well where nothing destructive follows. `build` is pure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from headgate.core.observation import (
    KnownRevision,
    LiveService,
    Observation,
    SmokeResult,
    Workload,
)
from headgate.core.revision import revision_of
from headgate.judge import Sample
from headgate.kube.client import (
    CONTROLLER_REVISION,
    DEPLOYMENT,
    MODEL_DEPLOYMENT,
    POD,
    SERVICE,
    Kind,
    KubeClient,
    NotFound,
    Object,
)
from headgate.kube.pods import read_pods
from headgate.kube.snapshot import KINDS, Broken, Snapshot, revision_label
from headgate.render import service
from headgate.render.compare import covers
from headgate.render.names import (
    CANDIDATE,
    LIVE,
    OWNED_BY,
    REVISION,
    STABLE,
    service_name,
    workload_name,
)
from headgate.render.owner import controller_of
from headgate.render.revision import ONCE_STABLE, REJECTED
from headgate.render.workload import deployment

__all__ = ["KINDS", "Broken", "Snapshot", "build", "read"]


async def read(
    client: KubeClient, namespace: str, name: str, known: Snapshot | None = None
) -> Snapshot | None:
    """The objects of one ModelDeployment as they are now; None when it does not exist.

    With `known`, an earlier snapshot, only what traffic hangs on is read again (Deployments,
    Services, Pods: three requests); the ModelDeployment and its ControllerRevisions are taken
    from it. After a `Conflict` read without it: that also looks for objects of others that have
    the names we need.
    """
    labels = f"{OWNED_BY}={name}"
    if known is not None:
        deployments, services, pods = await asyncio.gather(
            client.list(DEPLOYMENT, namespace, labels),
            client.list(SERVICE, namespace, labels),
            client.list(POD, namespace, labels),
        )
        return Snapshot(
            model_deployment=known.model_deployment,
            deployments=tuple(deployments),
            services=tuple(services),
            pods=tuple(pods),
            revisions=known.revisions,
        )
    try:
        model_deployment = await client.get(MODEL_DEPLOYMENT, namespace, name)
    except NotFound:
        return None
    deployments, services, pods, revisions = await asyncio.gather(
        client.list(DEPLOYMENT, namespace, labels),
        client.list(SERVICE, namespace, labels),
        client.list(POD, namespace, labels),
        client.list(CONTROLLER_REVISION, namespace, labels),
    )
    found = Snapshot(
        model_deployment=model_deployment,
        deployments=tuple(deployments),
        services=tuple(services),
        pods=tuple(pods),
        revisions=tuple(revisions),
    )
    listed = {
        (each["kind"], each["metadata"]["name"]) for each in (*deployments, *services, *revisions)
    }
    missing = [
        (kind, needed) for kind, needed in _needed(found) if (kind.name, needed) not in listed
    ]
    foreign = await asyncio.gather(
        *(_find(client, kind, namespace, each) for kind, each in missing)
    )
    return Snapshot(
        model_deployment=model_deployment,
        deployments=found.deployments,
        services=found.services,
        pods=found.pods,
        revisions=found.revisions,
        foreign=tuple(each for each in foreign if each is not None),
    )


async def _find(client: KubeClient, kind: Kind, namespace: str, name: str) -> Object | None:
    try:
        return {"apiVersion": kind.api_version, "kind": kind.name} | await client.get(
            kind, namespace, name
        )
    except NotFound:
        return None


def _needed(snapshot: Snapshot) -> Iterator[tuple[Kind, str]]:
    for role in (LIVE, STABLE, CANDIDATE):
        yield SERVICE, service_name(snapshot.name, role)
    try:
        name = workload_name(snapshot.name, revision_of(snapshot.spec))
    except Broken:
        return
    yield DEPLOYMENT, name
    yield CONTROLLER_REVISION, name


def build(
    snapshot: Snapshot, sample: Sample | None = None, smoke: SmokeResult | None = None
) -> Observation:
    """What the planner sees. Raises `Broken` for a ModelDeployment that cannot be read."""
    spec = snapshot.spec
    return Observation(
        namespace=snapshot.namespace,
        name=snapshot.name,
        generation=int(snapshot.metadata.get("generation") or 0),
        spec=spec,
        revision=revision_of(spec),
        status=snapshot.status,
        workloads=tuple(_workloads(snapshot)),
        pods=read_pods(snapshot.pods),
        live=_live(snapshot),
        roles=dict(_roles(snapshot)),
        revisions=tuple(_revisions(snapshot)),
        sample=sample,
        smoke=smoke,
        conflict=_conflict(snapshot),
    )


def _workloads(snapshot: Snapshot) -> Iterator[Workload]:
    for stored in snapshot.deployments:
        revision = revision_label(stored)
        if not revision or not snapshot.owns(stored):
            continue
        replicas = int(stored["spec"].get("replicas", 1))
        kept = snapshot.kept.get(revision)
        intact = controller_of(stored) is not None
        if kept is not None:
            rendered = deployment(kept, snapshot.namespace, snapshot.name, snapshot.owner, replicas)
            intact = covers(rendered, stored)
        yield Workload(revision=revision, replicas=replicas, intact=intact)


def _selected(stored: Object) -> str | None:
    selected = (stored["spec"].get("selector") or {}).get(REVISION)
    return None if selected is None else str(selected)


def _live(snapshot: Snapshot) -> LiveService | None:
    stored = snapshot.service(service_name(snapshot.name, LIVE))
    if stored is None:
        return None
    annotations = stored["metadata"].get("annotations") or {}
    decisions = {key: annotations.get(name) for key, name in service.DECISIONS.items()}
    revision = _selected(stored)
    port_name = snapshot.port_name(revision, decisions["stable"])
    rendered = service.live(snapshot.address, revision, port_name, decisions)
    return LiveService(revision=revision, intact=covers(rendered, stored), **decisions)


def _roles(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    for role in (STABLE, CANDIDATE):
        stored = snapshot.service(service_name(snapshot.name, role))
        revision = None if stored is None else _selected(stored)
        if revision is not None:
            port_name = snapshot.port_name(revision)
            rendered = service.role(snapshot.address, role, revision, port_name)
            if covers(rendered, stored):
                yield role, revision


def _revisions(snapshot: Snapshot) -> Iterator[KnownRevision]:
    for stored in snapshot.revisions:
        kept = snapshot.kept.get(revision_label(stored))
        if kept is None or not snapshot.owns(stored):
            continue
        annotations = stored["metadata"].get("annotations") or {}
        yield KnownRevision(
            revision=kept.revision,
            version=kept.version,
            number=int(stored.get("revision") or 0),
            once_stable=annotations.get(ONCE_STABLE) == "true",
            rejected=annotations.get(REJECTED) == "true",
            warm_up=kept.warm_up is not None,
        )


def _conflict(snapshot: Snapshot) -> str | None:
    needed = {(kind.name, name) for kind, name in _needed(snapshot)}
    found = [
        *((str(each["kind"]), each) for each in snapshot.foreign),
        *((SERVICE.name, each) for each in snapshot.services),
        *((DEPLOYMENT.name, each) for each in snapshot.deployments),
        *((CONTROLLER_REVISION.name, each) for each in snapshot.revisions),
    ]
    for kind, each in found:
        name = str(each["metadata"]["name"])
        if (kind, name) not in needed or snapshot.owns(each):
            continue
        controller = controller_of(each)
        holder = (
            "to nobody"
            if controller is None
            else f"to {controller['kind']} {controller['name']} (uid {controller['uid']})"
        )
        return (
            f"{kind} {name} exists and belongs {holder}: delete it,"
            f" or give this ModelDeployment another name."
        )
    return None

"""From the API server's objects to the planner's `Observation`.

`read` fetches the objects of one ModelDeployment live; a snapshot made of cached objects serves as
well where nothing destructive follows. `build` is pure.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace

from headgate.api.quantities import parse_duration
from headgate.core.observation import (
    INHERITED,
    KnownRevision,
    LiveService,
    Observation,
    SmokeResult,
    Workload,
)
from headgate.core.settings import DEFAULT_SCRAPE_INTERVAL
from headgate.judge import Sample
from headgate.kube.adoption import inherited, is_adoptable, refusal
from headgate.kube.client import (
    CONTROLLER_REVISION,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    MODEL_DEPLOYMENT,
    POD,
    SERVICE,
    Kind,
    KubeClient,
    NotFound,
    Object,
)
from headgate.kube.config_maps import look_at_all
from headgate.kube.pods import bounded, read_pods
from headgate.kube.snapshot import KINDS, Broken, Snapshot, port_names_of, revision_label
from headgate.render import service
from headgate.render.compare import covers
from headgate.render.disruption_budget import disruption_budget, guards
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
from headgate.render.workload import deployment, pace_of, restarted_at

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
        return replace(
            known,
            deployments=tuple(deployments),
            services=tuple(services),
            pods=tuple(pods),
            foreign=(),
        )
    try:
        model_deployment = await client.get(MODEL_DEPLOYMENT, namespace, name)
    except NotFound:
        return None
    deployments, services, pods, revisions, budgets = await asyncio.gather(
        client.list(DEPLOYMENT, namespace, labels),
        client.list(SERVICE, namespace, labels),
        client.list(POD, namespace, labels),
        client.list(CONTROLLER_REVISION, namespace, labels),
        client.list(DISRUPTION_BUDGET, namespace),
    )
    found = Snapshot(
        model_deployment=model_deployment,
        deployments=tuple(deployments),
        services=tuple(services),
        pods=tuple(pods),
        revisions=tuple(revisions),
        budgets=tuple(budgets),
    )
    with contextlib.suppress(Broken):
        found = replace(found, config_maps=await look_at_all(client, namespace, found.spec))
    listed = {
        (each["kind"], each["metadata"]["name"]) for each in (*deployments, *services, *revisions)
    }
    missing = [
        (kind, needed)
        for kind, needed in (*_needed(found), *_adopted(found))
        if (kind.name, needed) not in listed
    ]
    foreign = await asyncio.gather(
        *(_find(client, kind, namespace, each) for kind, each in missing)
    )
    return replace(found, foreign=tuple(each for each in foreign if each is not None))


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
        name = workload_name(snapshot.name, snapshot.revision)
    except Broken:
        return
    yield DEPLOYMENT, name
    yield CONTROLLER_REVISION, name


def _adopted(snapshot: Snapshot) -> Iterator[tuple[Kind, str]]:
    with contextlib.suppress(Broken):
        if snapshot.spec.adopt:
            yield DEPLOYMENT, snapshot.name


def build(
    snapshot: Snapshot,
    sample: Sample | None = None,
    smoke: SmokeResult | None = None,
    scrape_interval: float = DEFAULT_SCRAPE_INTERVAL,
) -> Observation:
    """What the planner sees. Raises `Broken` for a ModelDeployment that cannot be read."""
    spec = snapshot.spec
    return Observation(
        namespace=snapshot.namespace,
        name=snapshot.name,
        generation=int(snapshot.metadata.get("generation") or 0),
        spec=spec,
        revision=snapshot.revision,
        status=snapshot.status,
        workloads=tuple(_workloads(snapshot)),
        pods=read_pods(snapshot.pods),
        live=_live(snapshot),
        roles=dict(_roles(snapshot)),
        revisions=tuple(_revisions(snapshot)),
        sample=sample,
        smoke=smoke,
        conflict=_conflict(snapshot),
        adoptable=is_adoptable(snapshot),
        inherited=inherited(snapshot),
        missing=snapshot.missing,
        budgets=dict(_budgets(snapshot)),
        guarded=frozenset(_guarded(snapshot)),
        replicas_left_out=snapshot.model_deployment["spec"].get("replicas") is None,
        scrape_interval=scrape_interval,
    )


def with_pods(seen: Observation, snapshot: Snapshot) -> Observation:
    """What the planner sees when of all objects only the pods were read anew."""
    return replace(seen, pods=read_pods(snapshot.pods))


def _workloads(snapshot: Snapshot) -> Iterator[Workload]:
    for stored in snapshot.deployments:
        revision = revision_label(stored)
        if not revision or not snapshot.owns(stored):
            continue
        replicas = int(stored["spec"].get("replicas", 1))
        kept = snapshot.kept.get(revision)
        intact = controller_of(stored) is not None
        if kept is not None:
            rendered = deployment(
                kept,
                snapshot.namespace,
                snapshot.name,
                snapshot.owner,
                replicas,
                restarted_at(stored),
                pace_of(stored),
            )
            intact = covers(rendered, stored)
        yield Workload(
            revision=revision,
            replicas=replicas,
            intact=intact,
            failure=_failure(stored),
            restarted=restarted_at(stored),
            pace=pace_of(stored),
            rolling=_is_rolling(stored),
        )


def _failure(stored: Object) -> str:
    """Why a Deployment cannot create its pods, when its status speaks of its present spec."""
    status = stored.get("status") or {}
    if status.get("observedGeneration") != stored["metadata"].get("generation"):
        return ""
    for condition in status.get("conditions") or []:
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return bounded(str(condition.get("message") or condition.get("reason") or ""))
    return ""


def _is_rolling(stored: Object) -> bool:
    """Whether a Deployment that was restarted still has pods of before."""
    status = stored.get("status") or {}
    seen = status.get("observedGeneration") == stored["metadata"].get("generation")
    old = int(status.get("replicas") or 0) - int(status.get("updatedReplicas") or 0)
    return bool(restarted_at(stored)) and (not seen or old > 0)


def _budgets(snapshot: Snapshot) -> Iterator[tuple[str, bool]]:
    unavailable = snapshot.spec.disruption_budget.max_unavailable
    for stored in snapshot.budgets:
        revision = revision_label(stored)
        if not revision or not snapshot.owns(stored):
            continue
        kept = snapshot.kept.get(revision)
        intact = kept is None or covers(
            disruption_budget(kept, snapshot.namespace, snapshot.name, snapshot.owner, unavailable),
            stored,
        )
        yield revision, intact


def _guarded(snapshot: Snapshot) -> Iterator[str]:
    """The revisions whose pods a budget of somebody else selects."""
    others = [each for each in snapshot.budgets if not snapshot.owns(each)]
    for revision, kept in snapshot.kept.items():
        labels = (kept.template.get("metadata") or {}).get("labels") or {}
        if any(guards(each, labels) for each in others):
            yield revision


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
    names = port_names_of(snapshot.kept, revision, decisions["stable"])
    rendered = service.live(snapshot.address, revision, port_name, decisions, names)
    if service.is_inherited(stored):
        revision = INHERITED
        del rendered["spec"]
    else:
        rendered = service.with_names_kept(rendered, stored)
    # An annotation that the manifest has no more is to go; `covers` only sees what is to be there.
    stale = service.ANNOTATED in annotations and not snapshot.address.annotations
    intact = covers(rendered, stored) and not stale
    return LiveService(revision=revision, intact=intact, **decisions)


def _roles(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    for role in (STABLE, CANDIDATE):
        stored = snapshot.service(service_name(snapshot.name, role))
        revision = None if stored is None else _selected(stored)
        if revision is not None:
            port_name = snapshot.port_name(revision)
            names = port_names_of(snapshot.kept, revision)
            rendered = service.role(snapshot.address, role, revision, port_name, names)
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
            warm_up=None if kept.warm_up is None else parse_duration(kept.warm_up.timeout),
        )


def _conflict(snapshot: Snapshot) -> str | None:
    refused = refusal(snapshot)
    if refused is not None:
        return refused
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
        live = (kind, name) == (SERVICE.name, service_name(snapshot.name, LIVE))
        if live and is_adoptable(snapshot):
            continue
        controller = controller_of(each)
        holder = (
            "to nobody"
            if controller is None
            else f"to {controller['kind']} {controller['name']} (uid {controller['uid']})"
        )
        adopt = ""
        if live and controller is None and snapshot.status.stable is None:
            adopt = " set spec.adopt to true to take it over, or"
        return (
            f"{kind} {name} exists and belongs {holder}:{adopt} delete it,"
            f" or give this ModelDeployment another name."
        )
    return None

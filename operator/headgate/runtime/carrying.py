"""Carries out a plan's intents one by one, and decides what a failure among them means.

A Service of a role is for people and tests, a disruption budget for the draining of nodes: failing
to write them must not hold up what moves live traffic. Any other failure ends the pass, as later
intents build on earlier ones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from headgate.core.intents import (
    DropDisruptionBudget,
    DropRevision,
    Intent,
    RemoveWorkload,
    RunSmoke,
    SetDisruptionBudget,
    SetRole,
    WarmUp,
)
from headgate.kube.apply import carry_out
from headgate.kube.client import (
    CONTROLLER_REVISION,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    MODEL_DEPLOYMENT,
    SERVICE,
    Conflict,
    Forbidden,
    KubeClient,
    KubeError,
    NotFound,
    NotLeader,
    Object,
)
from headgate.kube.snapshot import Snapshot, revision_label

MINOR = (SetRole, SetDisruptionBudget, DropDisruptionBudget)

_log = logging.getLogger(__name__)


TERMINATED = "because it is being terminated"
"""What the API server says of a namespace that is being deleted, in every version so far."""


class NamespaceGoing(Exception):  # noqa: N818 - a state of the world, not an error
    """The namespace is being deleted: children vanish one by one, and none is to be restored."""


@dataclass(frozen=True)
class Outcome:
    """How many intents were carried out, the first failure, if any, and the snapshot with what was
    written."""

    snapshot: Snapshot
    written: int = 0
    failure: KubeError | None = None
    failed: Intent | None = None

    @property
    def sentence(self) -> str:
        """The failure as a person reads it."""
        return f"{type(self.failed).__name__} failed: {self.failure}"


async def carry_out_each(
    client: KubeClient,
    snapshot: Snapshot,
    intents: Sequence[Intent],
    keep: Callable[[Object], object],
    drop: Callable[[Object], object],
) -> Outcome:
    """Do what a plan wants, in its order; `keep` is called with each object as written, `drop`
    with each that was deleted. Raises `NamespaceGoing`, `NotLeader`, and `Conflict` at once when
    what the plan was made from has changed or is gone."""
    outcome = Outcome(snapshot)
    for intent in intents:
        if isinstance(intent, RunSmoke | WarmUp):
            continue
        try:
            written = await carry_out(client, snapshot, [intent])
        except NotLeader:
            # Nothing about this object has failed, and nothing can be told any more.
            raise
        except KubeError as error:
            if isinstance(error, Forbidden) and TERMINATED in str(error):
                raise NamespaceGoing(snapshot.namespace) from error
            minor = isinstance(intent, MINOR)
            if isinstance(error, Conflict | NotFound) and not minor:
                raise Conflict(str(error)) from error
            _log.warning("%s/%s: %s failed: %s", snapshot.namespace, snapshot.name, intent, error)
            if outcome.failure is None:
                outcome = replace(outcome, failure=error, failed=intent)
            if not minor:
                return outcome
            continue
        for each in written:
            keep(each)
            snapshot = _with(snapshot, each)
        for each in _deleted(snapshot, intent):
            drop(each)
        outcome = replace(outcome, snapshot=snapshot, written=outcome.written + 1)
    return outcome


def _deleted(snapshot: Snapshot, intent: Intent) -> list[Object]:
    match intent:
        case RemoveWorkload(revision):
            stored = snapshot.deployment(revision)
            return [] if stored is None else [stored]
        case DropDisruptionBudget(revision):
            stored = snapshot.budget(revision)
            return [] if stored is None else [stored]
        case DropRevision(revision):
            return [each for each in snapshot.revisions if revision_label(each) == revision]
    return []


def _with(snapshot: Snapshot, written: Object) -> Snapshot:
    """The snapshot as later intents of the same pass have to see it."""
    match written["kind"]:
        case MODEL_DEPLOYMENT.name:
            return replace(snapshot, model_deployment=written)
        case CONTROLLER_REVISION.name:
            return replace(snapshot, revisions=_put(snapshot.revisions, written))
        case DEPLOYMENT.name:
            return replace(snapshot, deployments=_put(snapshot.deployments, written))
        case DISRUPTION_BUDGET.name:
            return replace(snapshot, budgets=_put(snapshot.budgets, written))
        case SERVICE.name:
            return replace(snapshot, services=_put(snapshot.services, written))
    return snapshot


def _put(known: tuple[Object, ...], written: Object) -> tuple[Object, ...]:
    name = written["metadata"]["name"]
    return (*(each for each in known if each["metadata"]["name"] != name), written)

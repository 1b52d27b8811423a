"""What must hold at every resourceVersion, whatever happens to the operator.

The versions of all objects are played back in the order in which etcd took them; no clock and no
delivery of a watch has a say in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.observation import INHERITED, NOWHERE
from headgate.core.steps import steps_of
from headgate.kube.client import DEPLOYMENT, MODEL_DEPLOYMENT, POD, SERVICE, Object
from headgate.render.names import OWNED_BY, REVISION
from headgate.render.service import DECISIONS
from tests.faults.history import Version
from tests.faults.stories import NAME


def violations(
    versions: Iterable[Version],
    names: Mapping[str, str],
    checked: Mapping[str, int],
    given_up: Mapping[str, int],
) -> list[str]:
    """Everything that was not right, as sentences. `names` are the versions by revision, `checked`
    the resourceVersion before which each revision had not passed its smoke checks, `given_up` the
    one after which it was decided to take it back."""
    playback = _Playback(names, checked, given_up)
    found = [
        f"at {version.number}: {each}" for version in versions for each in playback.add(version)
    ]
    return list(dict.fromkeys(found))


class _Playback:
    def __init__(
        self, names: Mapping[str, str], checked: Mapping[str, int], given_up: Mapping[str, int]
    ) -> None:
        self._given_up = given_up
        self._names = names
        self._checked = checked
        self._pods: dict[str, Object] = {}
        self._deployments: dict[str, Object] = {}
        self._live: Object | None = None
        self._owner: Object | None = None
        self._home: str | None = ""
        self._taken_back: set[str] = set()
        self._adopted = False

    def add(self, version: Version) -> Iterator[str]:
        body, before = version.body, None
        if version.kind == POD.name:
            self._keep(self._pods, version)
        elif version.kind == DEPLOYMENT.name:
            before = self._deployments.get(version.name)
            self._keep(self._deployments, version)
            if not version.deleted:
                yield from self._rejected_stays_away(body, before)
                yield from self._previous_is_kept(body)
        elif version.kind == MODEL_DEPLOYMENT.name:
            if self._owner is not None and not version.deleted:
                yield from _goes_on(self._owner.get("status") or {}, body.get("status") or {})
            self._owner = None if version.deleted else body
            return
        elif version.kind == SERVICE.name and version.name == NAME:
            self._notice_return(body, version.number)
            before, self._live = self._live, None if version.deleted else body
            if self._live is not None and _selected(self._live) != _selected(before):
                yield from self._somebody_is_ready()
        else:
            return
        if self._live is not None:
            yield from self._only_checked(version.number)
            yield from self._never_three()
            yield from self._not_again()
            yield from self._share_is_planned()
            yield from self._adopted_without_a_gap()

    @staticmethod
    def _keep(known: dict[str, Object], version: Version) -> None:
        if version.deleted:
            known.pop(version.name, None)
        else:
            known[version.name] = version.body

    def _name(self, revision: str) -> str:
        return self._names.get(revision, revision)

    def _only_checked(self, number: int) -> Iterator[str]:
        """The live Service never reaches a pod of a revision whose checks had not passed."""
        for pod in self._reached():
            revision = pod["metadata"]["labels"].get(REVISION)
            if revision is not None and self._checked.get(revision, number + 1) > number:
                yield f"the live Service reaches {self._name(revision)}, which is unchecked"

    def _never_three(self) -> Iterator[str]:
        """It never reaches pods of a third revision, terminating ones included."""
        reached = {str(each["metadata"]["labels"].get(REVISION)) for each in self._reached()}
        if len(reached) > 2:
            yield f"the live Service reaches {' and '.join(sorted(map(self._name, reached)))}"

    def _notice_return(self, after: Object, number: int) -> None:
        """Remember what was given up, once traffic goes back to where it came from. (Without such
        a decision it may: to check again what no status tells the checks of.)"""
        before, now = _selected(self._live), _selected(after)
        if before == now:
            return
        if now is not None and now == self._home:
            reached = {str(each["metadata"]["labels"].get(REVISION)) for each in self._reached()}
            self._taken_back |= {
                each for each in reached - {now} if self._given_up.get(each, number) < number
            }
        if before:
            self._home = before

    def _not_again(self) -> Iterator[str]:
        """What traffic was taken back from gets none again; in no story does a person ask for
        that."""
        for pod in self._reached():
            revision = str(pod["metadata"]["labels"].get(REVISION))
            if revision in self._taken_back and not pod["metadata"].get("deletionTimestamp"):
                yield f"{self._name(revision)} gets traffic again that was taken from it"

    def _reached(self) -> list[Object]:
        selector = self._live["spec"]["selector"] if self._live is not None else {}
        return [
            each
            for each in self._pods.values()
            if selector.items() <= each["metadata"]["labels"].items()
        ]

    def _somebody_is_ready(self) -> Iterator[str]:
        """It is never pointed at a side without a ready pod."""
        selected = _selected(self._live)
        if selected not in (NOWHERE, INHERITED) and not any(map(is_ready, self._reached())):
            where = "everything" if selected is None else self._name(selected)
            yield f"the live Service was pointed at {where}, which has no ready pod"

    def _adopted_without_a_gap(self) -> Iterator[str]:
        """A Service that had ready pods before it was taken over is never without one."""
        ready = any(map(is_ready, self._reached()))
        self._adopted |= ready and _selected(self._live) == INHERITED
        if self._adopted and not ready:
            yield "what was adopted has no ready pod any more"

    def _share_is_planned(self) -> Iterator[str]:
        """While traffic is shared, the candidate has no more pods than the plan's step gives."""
        assert self._live is not None
        if _selected(self._live) is not None or self._owner is None:
            return
        stable = (self._live["metadata"].get("annotations") or {}).get(DECISIONS["stable"])
        replicas = {
            str(each["metadata"]["labels"].get(REVISION)): int(each["spec"]["replicas"])
            for each in self._deployments.values()
        }
        whole = sum(replicas.values())
        if whole == 0:
            return
        share = 100 * (whole - replicas.get(str(stable), 0)) / whole
        most = _most(self._owner)
        if share > most + 1e-6:
            yield f"the candidate has {share:.1f} % of the pods, {most:.1f} % are planned"

    def _rejected_stays_away(self, body: Object, before: Object | None) -> Iterator[str]:
        """A rejected revision gets no further pod."""
        annotations = (self._live or {"metadata": {}})["metadata"].get("annotations") or {}
        revision = body["metadata"]["labels"].get(REVISION)
        if revision is None or annotations.get(DECISIONS["rejected"]) != revision:
            return
        had = 0 if before is None else int(before["spec"]["replicas"])
        if int(body["spec"]["replicas"]) > had:
            yield f"{self._name(revision)} is rejected and gets {body['spec']['replicas']} pods"

    def _previous_is_kept(self, body: Object) -> Iterator[str]:
        """The version to go back to keeps pods until it is removed."""
        annotations = (self._live or {"metadata": {}})["metadata"].get("annotations") or {}
        revision = body["metadata"]["labels"].get(REVISION)
        previous = revision is not None and annotations.get(DECISIONS["previous"]) == revision
        if previous and not body["spec"]["replicas"]:
            yield f"{self._name(revision)} is kept to go back to, without a pod"


def _selected(live: Object | None) -> str | None:
    """The revision that the Service selects; None for all, "" when there is no Service, and
    `INHERITED` while it selects what it did before it was taken over."""
    if live is None:
        return ""
    if OWNED_BY not in live["spec"]["selector"]:
        return INHERITED
    found = live["spec"]["selector"].get(REVISION)
    return None if found is None else str(found)


def is_ready(pod: Object) -> bool:
    """Whether a pod gets requests of a Service that selects it."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _most(owner: Object) -> float:
    """The largest share that may stand before the next status: that of the next step."""
    release = (owner.get("status") or {}).get("release")
    if release is None:
        return 0.0
    if release["stage"] in ("Promoting", "Watching") or release.get("direct"):
        return 100.0
    shares = [
        step.effective_weight
        for step in steps_of(resolve(ModelDeploymentSpec.model_validate(owner["spec"])))
    ]
    step = int(release.get("step", 0))
    if release["stage"] == "Stepping":
        # The pods of a step are written before the status that tells of it.
        step += 1
    return shares[min(step, len(shares) - 1)]


def _goes_on(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """No status goes back: to an earlier step of the same release, to a shorter history."""
    if len(after.get("releases") or ()) < len(before.get("releases") or ()):
        yield "the history of releases got shorter"
    old, new = before.get("release"), after.get("release")
    if old is None or new is None:
        return
    same = (old["revision"], old["started"]) == (new["revision"], new["started"])
    if same and _progress(new) < _progress(old):
        yield f"the release went back from {_progress(old)} to {_progress(new)}"


STAGES = ("Starting", "Stepping", "Promoting", "Watching", "Reverting")


def _progress(release: dict[str, Any]) -> tuple[int, int]:
    stage = STAGES.index(release.get("stage", "Starting"))
    return stage, int(release.get("step", 0))

"""What the cache believes when versions arrive in any order."""

from typing import Any

from headgate.kube.client import Object
from headgate.runtime.cache import TOMBSTONE_SECONDS, Cache, identity_of
from tests.runtime.fakes import model_deployment, pod

KEY = ("risk", "fraud")


def at(body: Object, version: int, uid: str = "u1", **metadata: Any) -> Object:
    return {
        **body,
        "metadata": {**body["metadata"], "resourceVersion": str(version), "uid": uid, **metadata},
    }


OWNER = at(model_deployment(), 5)
POD = pod("fraud", "aaaa", 1)


def pods(cache: Cache) -> list[str]:
    snapshot = cache.snapshot(KEY)
    assert snapshot is not None
    return [str(each["metadata"]["resourceVersion"]) for each in snapshot.pods]


def test_an_older_version_changes_nothing() -> None:
    cache = Cache()
    cache.put(OWNER)
    assert cache.put(at(POD, 9)) == {KEY}
    assert not cache.put(at(POD, 9))
    assert not cache.put(at(POD, 8))
    assert cache.put(at(POD, 10)) == {KEY}
    assert pods(cache) == ["10"]


def test_versions_are_numbers_and_not_text() -> None:
    cache = Cache()
    cache.put(OWNER)
    cache.put(at(POD, 99))
    assert cache.put(at(POD, 100))


def test_what_was_deleted_does_not_come_back_by_a_late_event() -> None:
    cache = Cache()
    cache.put(OWNER)
    cache.put(at(POD, 9))
    assert cache.drop(at(POD, 12)) == {KEY}
    assert not cache.put(at(POD, 11))
    assert pods(cache) == []


def test_a_successor_of_the_same_name_does() -> None:
    cache = Cache()
    cache.put(OWNER)
    cache.put(at(POD, 9))
    cache.drop(at(POD, 12))
    assert cache.put(at(POD, 13, uid="u2"))
    assert pods(cache) == ["13"]


def test_a_late_deletion_of_the_predecessor_spares_the_successor() -> None:
    cache = Cache()
    cache.put(OWNER)
    cache.put(at(POD, 13, uid="u2"))
    assert not cache.drop(at(POD, 12))
    assert pods(cache) == ["13"]


def test_tombstones_are_removed() -> None:
    now = 0.0
    cache = Cache(lambda: now)
    cache.put(OWNER)
    cache.drop(at(POD, 12))
    now = TOMBSTONE_SECONDS + 1
    cache.drop(at(pod("fraud", "aaaa", 2), 13))
    assert cache.put(at(POD, 11))


def test_a_child_belongs_to_the_model_deployment_its_label_names() -> None:
    cache = Cache()
    cache.put(OWNER)
    cache.put(at(model_deployment("other"), 6))
    cache.put(at(pod("other", "bbbb", 1), 7))
    assert pods(cache) == []
    other = cache.snapshot(("risk", "other"))
    assert other is not None
    assert len(other.pods) == 1
    assert set(cache.keys()) == {KEY, ("risk", "other")}


def test_a_child_that_is_relabelled_concerns_both() -> None:
    cache = Cache()
    cache.put(OWNER)
    cache.put(at(POD, 7))
    moved = at(POD, 8, labels={"headgate.dev/model-deployment": "other"})
    assert cache.put(moved) == {KEY, ("risk", "other")}
    assert pods(cache) == []
    stranger = at(POD, 9, labels={})
    assert cache.put(stranger) == {("risk", "other")}


def test_children_without_a_model_deployment_are_no_snapshot() -> None:
    cache = Cache()
    cache.put(at(POD, 7))
    assert cache.snapshot(KEY) is None
    assert cache.keys() == []


def test_the_snapshot_stays_the_same_until_something_changes() -> None:
    cache = Cache()
    cache.put(OWNER)
    first = cache.snapshot(KEY)
    assert cache.snapshot(KEY) is first
    cache.put(at(POD, 7))
    assert cache.snapshot(KEY) is not first


def test_a_list_removes_what_a_broken_watch_missed() -> None:
    cache = Cache()
    cache.put(OWNER)
    gone, kept, changed = (pod("fraud", "aaaa", number) for number in (1, 2, 3))
    for each in (gone, kept, changed):
        cache.put(at(each, 7))
    before = cache.mark({"Pod"})
    cache.put(at(changed, 9))
    made = pod("fraud", "aaaa", 4)
    cache.put(at(made, 8))
    assert cache.prune(before, {identity_of(kept)}) == {KEY}
    snapshot = cache.snapshot(KEY)
    assert snapshot is not None
    left = {each["metadata"]["name"] for each in snapshot.pods}
    assert left == {each["metadata"]["name"] for each in (kept, changed, made)}


def test_managed_fields_are_not_kept() -> None:
    cache = Cache()
    cache.put(at(model_deployment(), 5, managedFields=[{"manager": "kubectl"}]))
    snapshot = cache.snapshot(KEY)
    assert snapshot is not None
    assert "managedFields" not in snapshot.metadata


def budget(number: int, name: str = "mine", *, team: str = "risk", healthy: int = 0) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "risk", "resourceVersion": str(number)},
        "spec": {"selector": {"matchLabels": {"team": team}}},
        "status": {"currentHealthy": healthy},
    }


def budgets(cache: Cache) -> int:
    snapshot = cache.snapshot(("risk", "fraud"))
    assert snapshot is not None
    return len(snapshot.budgets)


def two_in_a_namespace() -> Cache:
    cache = Cache()
    for name, namespace in (("fraud", "risk"), ("spam", "risk"), ("fraud", "other")):
        body = model_deployment(name)
        body["metadata"] |= {"namespace": namespace, "resourceVersion": "1"}
        cache.put(body)
    return cache


def test_an_authors_budget_concerns_every_model_deployment_of_its_namespace() -> None:
    cache = two_in_a_namespace()
    both = {("risk", "fraud"), ("risk", "spam")}
    assert budgets(cache) == 0
    assert cache.put(budget(5)) == both
    assert budgets(cache) == 1
    assert cache.drop(budget(6)) == both
    assert budgets(cache) == 0
    known = cache.keys()
    assert ("risk", "") not in known


def test_of_a_budgets_status_nobody_is_told() -> None:
    cache = two_in_a_namespace()
    cache.put(budget(5))
    assert cache.put(budget(6, healthy=3)) == frozenset()
    assert cache.put(budget(7, team="other"))


def test_a_budget_whose_deletion_was_missed_is_dropped() -> None:
    cache = two_in_a_namespace()
    cache.put(budget(5))
    before = cache.mark({"PodDisruptionBudget"})
    assert cache.prune(before, []) == {("risk", "fraud"), ("risk", "spam")}
    assert budgets(cache) == 0

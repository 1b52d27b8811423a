"""A cluster's record survives whatever happens to the run that wrote it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hack.cluster import record as records
from hack.cluster.errors import ClusterError
from hack.cluster.local import remove_abandoned
from hack.cluster.locks import exclusive
from hack.cluster.paths import cache_directory, checked_name
from hack.cluster.processes import ProcessRecord, own_record
from hack.cluster.record import ClusterRecord
from hack.cluster.slots import Slot


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "state"


def example(name: str = "dev", slot: int = 4) -> ClusterRecord:
    return ClusterRecord(name, Slot(slot), False, True, {"etcd": ProcessRecord(17, 4711, "a-boot")})


def test_what_is_saved_is_loaded() -> None:
    example().save()
    assert records.load("dev") == example()


def test_the_owner_is_kept() -> None:
    record = dataclasses.replace(example(), owner=own_record())
    record.save()
    assert records.load("dev") == record


def test_only_its_owner_reads_the_state() -> None:
    example().save()
    assert example().directory.stat().st_mode & 0o077 == 0


def test_slots_of_all_records_are_taken_and_come_back_on_removal() -> None:
    example("one", 1).save()
    example("two", 5).save()
    assert records.names() == ["one", "two"]
    assert records.taken_slots() == {1, 5}
    records.remove("one")
    assert records.taken_slots() == {5}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"name": "dev"}', '{"name": "dev", "slot": 3}']
)
def test_half_a_record_reads_as_none_and_can_be_removed(content: str) -> None:
    example().save()
    (example().directory / "cluster.json").write_text(content)
    assert records.load("dev") is None
    assert records.names() == ["dev"]
    records.remove("dev")
    assert records.names() == []


def test_a_cluster_is_abandoned_when_its_owner_or_all_of_it_has_ended() -> None:
    record = example()
    assert record.is_abandoned()
    record.processes["test"] = own_record()
    assert not record.is_abandoned()
    record.owner = own_record()
    assert not record.is_abandoned()
    record.owner = dataclasses.replace(record.owner, started=1)
    assert record.is_abandoned()


def test_the_next_opening_removes_what_is_abandoned_and_nothing_else() -> None:
    for each in (
        ClusterRecord("alive", Slot(1), True, True, {"test": own_record()}),
        ClusterRecord("crashed", Slot(2), True, True, {"etcd": ProcessRecord(1, 1, "boot")}),
        ClusterRecord("wanted", Slot(3), True),
        ClusterRecord("starting", Slot(4), True),
    ):
        each.save()
    with exclusive(records.lock_file("starting"), "starting"):
        remove_abandoned(besides="wanted")
    assert records.names() == ["alive", "starting", "wanted"]


def test_locks_are_no_clusters_and_outlive_them() -> None:
    records.lock_file("dev").parent.mkdir(parents=True, exist_ok=True)
    records.lock_file("dev").touch()
    assert records.names() == []


def test_ended_processes_are_named() -> None:
    record = example()
    record.processes["test"] = own_record()
    assert record.dead_processes() == ["etcd"]


@pytest.mark.parametrize("name", ["dev", "e2e-1", "a", "x" * 30])
def test_names_that_fit_everywhere_are_taken(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a b", "x" * 31, "a\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="cannot name a cluster"):
        checked_name(name)


def test_the_cache_is_where_the_environment_says(tmp_path: Path) -> None:
    assert cache_directory() == tmp_path / "cache"
    assert cache_directory().is_dir()

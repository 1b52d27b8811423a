"""Records of releases stay readable and bounded, whatever is added."""

import random

from headgate.kube.records import LARGEST, RELEASES, Contents, Entry, add, read_entries, releases


def entries(count: int, size: int = 10, first: int = 0) -> list[Entry]:
    noise = random.Random(first)
    return [
        {"at": first + number, "text": "".join(noise.choices("abcdefghijklmnop", k=size))}
        for number in range(count)
    ]


def key(number: int) -> str:
    return f"20261123T1{number:02d}000Z-aaaa"


def test_the_release_under_way_is_plain_text_one_line_each() -> None:
    contents = add(Contents(), key(0), [{"b": 1, "a": None}])
    contents = add(contents, key(0), [{"a": 2.5}])
    assert contents.data == {f"{key(0)}.jsonl": '{"a":null,"b":1}\n{"a":2.5}\n'}
    assert contents.binary_data == {}


def test_an_older_release_is_packed_and_loses_nothing() -> None:
    before = entries(50)
    contents = add(add(Contents(), key(0), before), key(1), entries(1))
    assert set(contents.data) == {f"{key(1)}.jsonl"}
    assert read_entries(contents, key(0)) == before
    assert contents == add(add(Contents(), key(0), before), key(1), entries(1))


def test_a_release_that_goes_on_after_another_keeps_its_order() -> None:
    contents = add(Contents(), key(0), entries(2))
    contents = add(contents, key(1), entries(1))
    contents = add(contents, key(0), entries(2, first=2))
    assert [each["at"] for each in read_entries(contents, key(0))] == [0, 1, 2, 3]
    contents = add(contents, key(2), entries(1))
    assert [each["at"] for each in read_entries(contents, key(0))] == [0, 1, 2, 3]


def test_only_the_last_ten_releases_are_kept() -> None:
    contents = Contents()
    for number in range(15):
        contents = add(contents, key(number), entries(3))
    assert releases(contents) == [key(number) for number in range(15 - RELEASES, 15)]


def test_the_oldest_releases_give_way_when_space_runs_out() -> None:
    contents = Contents()
    for number in range(9):
        contents = add(contents, key(number), entries(400, 200, first=number))
        assert contents.size <= LARGEST
    kept = releases(contents)
    assert kept == [key(number) for number in range(9 - len(kept), 9)]
    assert 1 < len(kept) < 9
    assert len(read_entries(contents, key(8))) == 400


def test_one_release_that_is_too_long_loses_its_oldest_entries() -> None:
    contents = Contents()
    for number in range(20):
        contents = add(contents, key(0), entries(100, 200, first=number * 100))
        assert contents.size <= LARGEST
    kept = [each["at"] for each in read_entries(contents, key(0))]
    assert kept[-1] == 1999
    assert kept == list(range(kept[0], 2000))
    assert len(kept) > 300

"""`headgate replay` as a person and as a script use it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from headgate.cli import main


def poll(stable_bad: float, candidate_bad: float, n: int = 900, m: int = 100) -> dict[str, Any]:
    return {
        "stable": {"bad": stable_bad, "total": n},
        "candidate": {"bad": candidate_bad, "total": m},
    }


def replay(
    given: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[int, str, str]:
    text = given if isinstance(given, str) else json.dumps(given)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    with pytest.raises(SystemExit) as ended:
        main(["replay", "-f", "-", *more])
    printed = capsys.readouterr()
    return int(str(ended.value.code)), printed.out, printed.err


def test_the_json_form_has_e_and_the_verdict_so_far_of_each_poll(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {
        "tolerance": 1,
        "alpha": 0.01,
        "minSamples": 0,
        "polls": [poll(0, 0), poll(0, 3), poll(0, 2), poll(9, 0)],
    }
    code, out, _ = replay(given, monkeypatch, capsys, "-o", "json")
    assert code == 0
    found = json.loads(out)
    assert [each["verdict"] for each in found["polls"]] == ["Good", "Unknown", "Bad", "Bad"]
    assert [round(each["e"], 1) for each in found["polls"][:2]] == [1.0, 68.4]
    assert found["verdict"] == "Bad"


def test_what_is_left_out_has_the_defaults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"polls": [poll(9, 1), poll(9, 1), poll(9, 1)]}
    _, out, _ = replay(given, monkeypatch, capsys, "-o", "json")
    verdicts = [each["verdict"] for each in json.loads(out)["polls"]]
    assert verdicts == ["Unknown", "Unknown", "Good"]


def test_an_e_beyond_all_numbers_is_json_still(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"polls": [poll(0, 10**9, 10**9, 10**9)] * 3}
    _, out, _ = replay(given, monkeypatch, capsys, "-o", "json")
    found = json.loads(out, parse_constant=pytest.fail)
    assert found["polls"][-1]["e"] >= 1e300
    assert found["verdict"] == "Bad"


def test_no_polls_are_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = replay({"polls": []}, monkeypatch, capsys, "-o", "json")
    assert json.loads(out) == {"polls": [], "verdict": "Unknown"}
    assert "no polls" in replay({"polls": []}, monkeypatch, capsys)[1]


def test_the_table_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = replay({"polls": [poll(9, 1), poll(9, 40), poll(9, 1)]}, monkeypatch, capsys)
    lines = out.splitlines()
    assert lines[0].split() == ["POLL", "STABLE", "CANDIDATE", "E", "VERDICT", "REASON"]
    assert lines[2].split()[:3] == ["2", "9/900", "40/100"]
    assert lines[4] == ""
    assert " ".join(lines[5:]) == (
        "Bad at poll 2: candidate 20.5 % bad against 1.0 % (200 and 1,800 requests): more than 1.25"
        " times as bad."
    )


@pytest.mark.parametrize(
    ("polls", "sentence"),
    [
        ([poll(9, 1)], "Good needs 300 requests of each side."),
        (
            [poll(9, 14, m=300)],
            "Good is E under 3, Bad from 100 on with shares at least 0.1 % apart.",
        ),
        ([poll(9, 3, m=300)], "nothing says that it is more than 1.25 times as bad."),
    ],
)
def test_the_sentence_says_what_is_missing(
    polls: list[dict[str, Any]],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = replay({"polls": polls}, monkeypatch, capsys)
    assert " ".join(out.split()).endswith(sentence)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "cannot be judged"),
        ("{", "cannot be judged"),
        ({}, "polls: Field required"),
        ({"polls": [poll(0, 1), poll(0, 101)]}, "polls[1].candidate: bad (101) is more than total"),
        ({"polls": [poll(-1, 1)]}, "polls[0].stable.bad: Input should be greater than or equal"),
        ({"polls": [], "tolerance": 0.5}, "tolerance: Input should be greater than or equal to 1"),
        ({"polls": [], "alpha": 1}, "alpha: Input should be less than 1"),
        ({"polls": [], "minsamples": 3}, "minsamples: Extra inputs are not permitted"),
        ('{"polls": [], "minSamples": NaN}', "minSamples: Input should be a finite number"),
    ],
)
def test_a_file_that_cannot_be_judged_is_refused_by_the_fields_name(
    given: object,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = replay(given, monkeypatch, capsys, "-o", "json")
    assert (code, out) == (2, "")
    assert sentence in err


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "-f", "nowhere.json"])
    assert ended.value.code == 2
    assert "nowhere.json" in capsys.readouterr().err

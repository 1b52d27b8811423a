"""The arithmetic of a record: each number counts exactly what it says."""

import math
from pathlib import Path

import pytest

from hack.load.answers import FRESH, KEEP_ALIVE, Answer, read
from hack.load.report import (
    accuracy_by_version,
    between,
    duration_quantile,
    failed,
    failed_by_version,
    failures_by_cause,
    first_answer_of,
    last_answer_of,
    last_bad_answer,
    sent_by_version,
    share_of,
    summarise,
)


def answer(
    sent: float,
    *,
    duration: float = 0.5,
    status: int | None = 200,
    error: str | None = None,
    version: str | None = "1.0.0",
    connection: str = FRESH,
    reused: bool = False,
    right: bool | None = True,
) -> Answer:
    return Answer(sent, duration, status, error, version, "pod", connection, reused, right)


ANSWERS = [
    answer(10),
    answer(11, right=False),
    answer(12, version="2.0.0", connection=KEEP_ALIVE),
    answer(13, version="2.0.0", status=500, right=None, connection=KEEP_ALIVE, reused=True),
    answer(14, duration=2, version="2.0.0", status=503, right=None),
    answer(15, status=None, error="ServerDisconnectedError: gone", version=None, right=None),
    answer(16, duration=0.25, connection=KEEP_ALIVE, reused=True),
    answer(17, version="2.0.0", duration=0.25),
]


def test_a_failure_is_a_missing_answer_or_any_status_but_200_and_no_wrong_digit() -> None:
    assert [each.sent for each in failed(ANSWERS)] == [13, 14, 15]


def test_an_answer_that_broke_off_after_its_status_is_a_failure() -> None:
    assert answer(1, status=200, error="ClientPayloadError: cut").failed


def test_requests_and_failures_are_counted_by_the_version_that_answered() -> None:
    assert sent_by_version(ANSWERS) == {"1.0.0": 3, "2.0.0": 4, None: 1}
    assert failed_by_version(ANSWERS) == {"2.0.0": 2, None: 1}
    assert share_of(ANSWERS, "2.0.0") == 0.5
    assert share_of(ANSWERS, "3.0.0") == 0


def test_failures_are_counted_by_cause() -> None:
    assert failures_by_cause(ANSWERS) == {
        "status 500": 1,
        "status 503": 1,
        "ServerDisconnectedError": 1,
    }


def test_times_are_those_at_which_answers_reached_the_client() -> None:
    # Sent at 14 and 2 s on its way, it came after the one that was sent at 15.
    assert last_bad_answer(ANSWERS) == 16
    assert first_answer_of(ANSWERS, "2.0.0") == 12.5
    assert last_answer_of(ANSWERS, "2.0.0") == 17.25
    assert last_answer_of(ANSWERS, "1.0.0") == 16.25


def test_without_answers_there_are_no_times_and_no_shares() -> None:
    assert last_bad_answer([answer(1)]) is None
    assert first_answer_of([], "1.0.0") is None
    assert last_answer_of([], "1.0.0") is None
    assert math.isnan(share_of([], "1.0.0"))
    assert math.isnan(duration_quantile([], 0.5))
    assert summarise([]).sent == 0


def test_accuracy_counts_only_answers_with_a_prediction() -> None:
    assert accuracy_by_version(ANSWERS) == {"1.0.0": pytest.approx(2 / 3), "2.0.0": 1.0}


def test_a_part_of_a_record_holds_what_was_sent_from_its_begin_to_before_its_end() -> None:
    assert [each.sent for each in between(ANSWERS, 12, 15)] == [12, 13, 14]
    assert [each.sent for each in between(ANSWERS, 16)] == [16, 17]


def test_a_quantile_is_a_duration_that_was_measured() -> None:
    answers = [answer(0, duration=number / 100) for number in range(100, 0, -1)]
    assert duration_quantile(answers, 0.5) == 0.5
    assert duration_quantile(answers, 0.99) == 0.99
    assert duration_quantile(answers, 1) == 1
    assert duration_quantile(answers, 0) == 0.01


def test_the_summary_says_it_all() -> None:
    summary = summarise(ANSWERS)
    assert (summary.sent, summary.failed, summary.reused) == (8, 3, 2)
    assert summary.by_connection == {FRESH: 5, KEEP_ALIVE: 3}
    assert summary.text().splitlines() == [
        "8 requests (5 fresh, 3 keep-alive; 2 on a reused connection)",
        "3 failed; p50 500 ms, p99 2000 ms",
        "  1.0.0: 3 answers, 0 failed, 66.7% of predictions right",
        "  2.0.0: 4 answers, 2 failed, 100.0% of predictions right",
        "  no version: 1 answers, 1 failed",
        "  1 times ServerDisconnectedError",
        "  1 times status 500",
        "  1 times status 503",
    ]


def test_a_record_is_read_back_in_the_order_of_sending(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text("".join(each.line() for each in reversed(ANSWERS)))
    assert read(path) == ANSWERS


def test_a_line_that_is_being_written_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text(ANSWERS[0].line() + ANSWERS[1].line()[:-10])
    assert read(path) == ANSWERS[:1]

"""What the demonstration concludes from answers, samples and the live Service's selectors."""

from dataclasses import replace

import pytest

from hack.demo.findings import Pinning, Played, find, last_bad_answer, pinned_back
from hack.demo.samples import Series, Stored, first_bad, parse, questions
from hack.demo.stories import BETTER, CRASHING, FAILING, STORIES
from hack.load.answers import KEEP_ALIVE, Answer

CANARY = STORIES[0]


def answer(
    sent: float, version: str | None = "1.0.0", status: int | None = 200, took: float = 0.1
) -> Answer:
    error = None if status else "ClientOSError: reset"
    return Answer(sent, took, status, error, version, "pod", KEEP_ALIVE, True, True)


GOOD = Played(CANARY, BETTER, applied=100, until=200, outcome="Promoted", finished=190)
REVERTED = Played(
    CANARY,
    FAILING,
    applied=100,
    until=160,
    outcome="Reverted",
    reason="high_error_rate",
    weight=25,
    finished=121,
    first_bad=118.0,
    pinned=120.0,
)
GOOD_ANSWERS = [answer(90, status=None), answer(101), answer(150, "2.0.0"), answer(210, status=500)]
BAD_ANSWERS = [answer(101), answer(117, "3.0.0", 500), answer(119.9, "3.0.0", took=1.2)]


def test_a_good_release_without_a_failure_is_right() -> None:
    finding = find(GOOD, GOOD_ANSWERS)
    assert finding.faults == ()
    assert (finding.sent, finding.failed) == (2, 0)


def test_one_failed_request_during_a_good_release_is_a_fault_whoever_answered() -> None:
    [fault] = find(GOOD, [*GOOD_ANSWERS, answer(199.9, None, None)]).faults
    assert "1 requests failed" in fault
    assert "reset" in fault


def test_a_good_release_that_served_nobody_is_a_fault() -> None:
    assert find(GOOD, [answer(101)]).faults == ("answered no request of a user",)


@pytest.mark.parametrize("played", [GOOD, REVERTED])
def test_another_outcome_than_the_right_one_is_a_fault(played: Played) -> None:
    answers = [answer(101, played.release.version)]
    other = replace(played, outcome="Failed")
    assert any("but is Failed" in fault for fault in find(other, answers).faults)
    missing = replace(played, outcome="", trouble="the end was not seen")
    assert find(missing, answers).faults[0] == "the end was not seen"
    assert any("has not ended" in fault for fault in find(missing, answers).faults)


def test_a_reverted_release_tells_its_times_and_counts_its_failures() -> None:
    finding = find(REVERTED, BAD_ANSWERS)
    assert finding.right
    assert finding.failed == 1
    assert finding.to_pinned == pytest.approx(2.0)
    assert finding.to_last_bad == pytest.approx(1.1)


def test_a_reverted_version_that_serves_on_is_a_fault() -> None:
    [fault] = find(REVERTED, [*BAD_ANSWERS, answer(130.5, "3.0.0")]).faults
    assert "answered 1 requests later than 10 s" in fault


def test_failures_long_after_the_pinning_are_a_fault() -> None:
    [fault] = find(REVERTED, [*BAD_ANSWERS, answer(150, None, None)]).faults
    assert "1 requests failed later" in fault


def test_a_revert_whose_pinning_was_not_seen_is_a_fault() -> None:
    assert any(
        "not seen to go back" in f for f in find(replace(REVERTED, pinned=None), BAD_ANSWERS).faults
    )


def test_the_last_bad_answer_is_a_failure_of_anyone_or_any_answer_of_the_version() -> None:
    assert last_bad_answer([answer(1)], "3.0.0") is None
    assert last_bad_answer([answer(1), answer(2, "3.0.0"), answer(3)], "3.0.0") == 2.1
    assert last_bad_answer([answer(2, "3.0.0"), answer(4, None, None)], "3.0.0") == 4.1


@pytest.mark.parametrize(
    ("history", "at"),
    [
        ([(1, "old"), (110, None), (120, "old")], 120),
        ([(1, "old"), (105, "new"), (120, "old")], 120),
        ([(1, None), (2, "old")], None),
        ([(1, "old"), (50, None), (60, "old"), (110, None)], None),
        ([(1, "old")], None),
    ],
    ids=["shared", "switched", "before this release", "never back", "never left"],
)
def test_the_pinning_is_the_return_to_stable_after_the_service_left_it(
    history: list[tuple[float, str | None]], at: float | None
) -> None:
    assert pinned_back([Pinning(*each) for each in history], "old", since=100) == at


def series(*samples: tuple[float, float], pod: str = "a") -> tuple[Series, ...]:
    return (Series(pod, samples),)


def test_an_error_is_bad_from_the_sample_that_counts_it() -> None:
    errors = (*series((10, 0), (11, 2), (12, 3)), *series((11.5, 1), pod="b"))
    assert first_bad(Stored(errors=errors), 0, 100) == 11


def test_a_slow_request_is_one_that_the_bucket_does_not_count() -> None:
    stored = Stored(requests=series((10, 5), (11, 9)), quick=series((10, 5), (11, 8)))
    assert first_bad(stored, 0, 100) == 11


def test_a_pod_is_bad_when_it_is_down_after_it_was_up_and_not_before() -> None:
    assert first_bad(Stored(up=series((9, 0), (10, 1), (11, 0))), 0, 100) == 11
    assert first_bad(Stored(up=series((9, 0), (10, 1))), 0, 100) is None


def test_a_pod_that_started_again_is_bad() -> None:
    assert first_bad(Stored(started=series((10, 3.0), (11, 3.0), (12, 11.5))), 0, 100) == 12


def test_samples_after_the_pinning_prove_nothing() -> None:
    stored = Stored(up=series((10, 1), (20, 0)))
    assert first_bad(stored, 0, until=15) is None
    assert first_bad(stored, 0, until=20) == 20


def test_prometheus_answers_are_read_as_series_and_refusals_raise() -> None:
    answer = {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [{"metric": {"pod": "a"}, "values": [[10.5, "1"], [11.5, "NaN"]]}],
        },
    }
    [read] = parse(answer)
    assert read.pod == "a"
    assert read.samples[0] == (10.5, 1.0)
    with pytest.raises(ValueError, match="bad query"):
        parse({"status": "error", "error": "bad query"})


def test_a_crash_is_looked_for_in_what_a_crash_shows() -> None:
    crash = questions("blue-green", "abc", 60, crashes=CRASHING.crashes)
    assert set(crash) == {"up", "started"}
    errors = questions("canary", "abc", 60, crashes=FAILING.crashes)
    assert set(errors) == {"errors", "requests", "quick"}
    assert all('pod=~"canary-abc-.+"' in query for query in errors.values())

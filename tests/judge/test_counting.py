"""Counts are differences of raw counters: each request once, whatever happened in between."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.judge import Evidence, PodCounters, Sample, Side, Stage, begin, observe
from headgate.judge.evidence import MOST_PODS
from tests.judge.worlds import COMPARED, LIMIT, PATIENT, SETTINGS, World, started


def test_the_first_sample_is_only_a_baseline() -> None:
    world = started()
    assert world.evidence.stable.requests == 0
    assert world.evidence.stable.errors == 0


def test_a_pod_that_appears_later_counts_from_zero() -> None:
    world = started()
    world.sides["young"] = Side.CANDIDATE
    world.serve("young", 40, 7, 2)
    world.poll()
    assert world.evidence.candidate.requests == 40
    assert world.evidence.candidate.errors == 7
    assert world.evidence.candidate.slower == {1.0: 2}


def test_an_old_pod_missing_from_the_first_sample_gives_a_baseline_first() -> None:
    world = World()
    world.serve("new", 0)
    world.poll()
    world.serve("old", 1_000_000, 900_000)
    world.poll()
    assert world.evidence.stable.requests == 0
    world.serve("old", 100, 1)
    world.poll()
    assert (world.evidence.stable.requests, world.evidence.stable.errors) == (100, 1)


def test_a_reset_counts_the_new_value() -> None:
    world = started()
    world.serve("new", 100, 3)
    world.poll()
    world.counters["new"] = [20.0, 5.0, 1.0]
    world.poll()
    assert (world.evidence.candidate.requests, world.evidence.candidate.errors) == (120, 8)


def test_a_restart_that_only_the_errors_show_counts_from_zero() -> None:
    world = started()
    world.serve("new", 40, 30)
    world.poll()
    world.counters["new"] = [100.0, 5.0, 0.0]
    world.poll()
    assert (world.evidence.candidate.requests, world.evidence.candidate.errors) == (140, 35)


def test_an_answer_one_scrape_older_than_the_last_counts_nothing_twice() -> None:
    world = started()
    world.serve("new", 1000, 10)
    world.poll()
    world.counters["new"] = [990.0, 9.0, 0.0]
    world.poll()
    world.counters["new"] = [1010.0, 11.0, 0.0]
    world.poll()
    assert (world.evidence.candidate.requests, world.evidence.candidate.errors) == (1010, 11)


def test_a_pod_that_vanishes_keeps_what_was_counted() -> None:
    world = started()
    world.sides["gone"] = Side.CANDIDATE
    world.serve("gone", 50, 5)
    world.poll()
    del world.counters["gone"]
    del world.sides["gone"]
    world.poll()
    assert world.evidence.candidate.requests == 50


def test_a_missed_poll_loses_and_doubles_nothing() -> None:
    world = started()
    world.serve("new", 10, 1)
    world.poll(outage="down")
    world.serve("new", 10, 1)
    world.poll()
    assert (world.evidence.candidate.requests, world.evidence.candidate.errors) == (20, 2)
    assert world.evidence.candidate.seconds == 30


def test_the_same_sample_twice_counts_once() -> None:
    world = started()
    sample = Sample(world.at + 15, {"new": PodCounters(30, 1)})
    world.see(sample)
    once = world.evidence
    world.see(sample)
    assert world.evidence == once


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -1.0, None])
def test_what_is_no_number_is_missing_and_not_zero(number: float | None) -> None:
    world = started()
    world.see(Sample(world.at + 15, {"new": PodCounters(number), "old": PodCounters(1_000_100)}))
    assert world.evidence.unknown == "CandidateSilent"
    world.serve("new", 12)
    world.at += 15
    world.poll()
    assert world.evidence.candidate.requests == 12


def test_errors_that_are_no_number_make_the_pod_missing() -> None:
    world = started()
    world.see(Sample(world.at + 15, {"new": PodCounters(100, math.nan)}))
    assert world.evidence.candidate.requests == 0


def test_requests_without_a_readable_histogram_are_not_timed() -> None:
    world = started()
    world.see(Sample(world.at + 15, {"new": PodCounters(100, 0, {})}))
    assert world.evidence.candidate.requests == 100
    assert world.evidence.candidate.slow_share(1.0) is None


def test_a_new_step_counts_from_the_last_raw_counters() -> None:
    world = started()
    world.serve("new", 100, 50)
    world.poll()
    world.evidence = begin(world.at + 1, world.evidence)
    world.serve("new", 30)
    world.poll()
    assert (world.evidence.candidate.requests, world.evidence.candidate.errors) == (30, 0)
    assert world.evidence.observed == 14


def test_an_outage_of_the_operator_adds_at_most_two_intervals() -> None:
    world = started()
    before = world.evidence.observed
    world.poll(seconds=3600)
    assert world.evidence.observed - before == 120


def test_a_clock_set_back_gives_new_baselines_and_no_seconds() -> None:
    world = started()
    before = world.evidence
    world.serve("new", -0.0)
    world.serve("old", -500_000)
    world.poll(seconds=-7200)
    assert world.evidence.observed == before.observed
    assert world.evidence.stable.requests == 0
    world.serve("old", 10)
    world.poll()
    assert world.evidence.stable.requests == 10
    assert world.evidence.observed == before.observed + 15


def test_provider_outages_and_silence_are_timed_apart() -> None:
    world = started()
    world.poll(outage="down")
    world.poll(outage="down")
    assert (world.evidence.outage, world.evidence.silent) == (30, 0)
    del world.counters["new"]
    world.poll()
    world.poll(outage="down")
    world.poll()
    assert (world.evidence.outage, world.evidence.silent) == (0, 30)
    world.serve("new", 1)
    world.poll()
    assert (world.evidence.outage, world.evidence.silent, world.evidence.unknown) == (0, 0, "")


def test_silence_longer_than_two_scrapes_does_not_count_as_observed() -> None:
    world = started()
    del world.counters["new"]
    before = world.evidence.observed
    for _ in range(10):
        world.poll()
    assert world.evidence.observed - before == 30


def test_an_outage_does_not_count_as_observed() -> None:
    world = started()
    before = world.evidence.observed
    world.poll(outage="down")
    assert world.evidence.observed == before


def test_the_recent_windows_cover_about_an_interval_and_overlap_nowhere() -> None:
    world = started()
    for index in range(100):
        world.serve("new", 1)
        world.poll(seconds=5 if index % 2 else 15)
        assert len(world.evidence.recent) <= 5
    assert 60 <= world.evidence.lately.candidate.seconds <= 90
    assert world.evidence.lately.candidate.requests == pytest.approx(
        world.evidence.lately.candidate.seconds / 10, abs=1
    )


def test_evidence_stays_small_with_many_pods() -> None:
    world = World(sides={f"fraud-0123456789-{n:05}": Side.STABLE for n in range(3000)})
    for pod in world.sides:
        world.serve(pod, 1e9, 1e6, 1e5)
    world.poll()
    for pod in world.sides:
        world.serve(pod, 10)
    world.poll()
    assert len(world.evidence.pods) == MOST_PODS
    assert world.evidence.stable.requests == 10 * MOST_PODS
    assert len(json.dumps(world.evidence.to_dict())) < 24_000


def test_a_pod_that_finds_a_place_late_among_many_is_not_taken_for_new() -> None:
    world = World(sides={f"pod-{n:05}": Side.STABLE for n in range(MOST_PODS + 50)})
    for pod in world.sides:
        world.serve(pod, 1000)
    world.poll()
    for pod in list(world.sides)[:10]:
        del world.sides[pod]
    world.poll()
    assert world.evidence.stable.requests == 0


@pytest.mark.parametrize(
    "document",
    [{}, {"since": "x"}, {"since": 1, "pods": {"a": [1]}}, {"since": 1, "pods": []},
     {"since": 1, "observed": "NaN"}, {"since": 1, "stable": {"requests": float("inf")}}],
)  # fmt: skip
def test_a_document_that_is_no_evidence_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Evidence.from_dict(document)


def test_an_older_document_with_fewer_fields_is_read() -> None:
    assert Evidence.from_dict({"since": 5}) == begin(5, None)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["old", "new", "third"]),
        st.integers(0, 50),
        st.floats(0, 1),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


@PATIENT
@given(steps=STEPS)
def test_every_request_is_counted_once_whatever_polls_are_missed(
    steps: list[tuple[str, int, float, bool, bool]],
) -> None:
    world = started()
    world.sides["third"] = Side.CANDIDATE
    served = {Side.STABLE: [0, 0], Side.CANDIDATE: [0, 0]}
    for pod, requests, share, missed, _ in steps:
        errors = int(requests * share)
        world.serve(pod, requests, errors)
        served[world.sides[pod]][0] += requests
        served[world.sides[pod]][1] += errors
        world.poll(outage="down" if missed else None)
    world.poll()
    stable, candidate = world.evidence.stable, world.evidence.candidate
    assert [stable.requests, stable.errors] == served[Side.STABLE]
    assert [candidate.requests, candidate.errors] == served[Side.CANDIDATE]


@PATIENT
@given(
    values=st.lists(
        st.tuples(
            st.floats(allow_nan=True, allow_infinity=True) | st.none(),
            st.floats(allow_nan=True, allow_infinity=True),
            st.floats(allow_nan=True, allow_infinity=True),
            st.floats(-300, 300),
        ),
        max_size=20,
    )
)
def test_no_sample_whatsoever_breaks_the_counts(
    values: list[tuple[float | None, float, float, float]],
) -> None:
    evidence = begin(0.0, None)
    at = 0.0
    for requests, errors, slow, seconds in values:
        at += seconds
        before = evidence
        sample = Sample(at, {"new": PodCounters(requests, errors, {1.0: slow})})
        evidence = observe(evidence, sample, {"new": Side.CANDIDATE}, SETTINGS, COMPARED)
        counts = evidence.candidate
        assert 0 <= counts.errors <= counts.requests
        assert all(0 <= slower <= counts.timed[n] for n, slower in counts.slower.items())
        assert before.observed <= evidence.observed <= before.observed + 120
    document = json.loads(json.dumps(evidence.to_dict(), allow_nan=False))
    assert Evidence.from_dict(document).since == pytest.approx(evidence.since, abs=1e-5)


def test_a_limit_set_in_the_middle_is_judged_on_the_requests_after_it() -> None:
    world = started()
    world.serve("new", 1000)
    world.poll()
    world.settings = replace(SETTINGS, latency_max=2.0)
    world.poll()
    world.serve("new", 10, 0, 5)
    world.poll()
    assert world.evidence.candidate.slow_share(2.0) == 0.5


def test_the_live_versions_pods_in_the_watch_may_be_old() -> None:
    world = World(stage=Stage(watching=True), sides={"a": Side.CANDIDATE, "b": Side.CANDIDATE})
    world.serve("a", 5)
    world.poll()
    world.serve("b", 1_000_000, 900_000)
    world.poll()
    assert world.evidence.candidate.requests == 0


def test_a_native_histogram_whose_buckets_become_wider_is_no_restart() -> None:
    world = started()
    world.serve("old", 100)
    world.serve("new", 5000, 0, 10.75)
    world.poll()
    world.serve("old", 100)
    world.serve("new", 100, 0, -0.5)
    world.poll()
    assert world.evidence.latest_candidate.requests == 100
    assert world.evidence.latest_candidate.slower == {LIMIT: 0}

"""What evidence means: Good, Bad or Unknown for each rule, and for the release."""

from dataclasses import replace

import pytest

from headgate.judge import (
    Check,
    Condition,
    Judgement,
    JudgeSettings,
    Metric,
    Policy,
    Side,
    Stage,
    Verdict,
    begin,
    judge,
    throughput,
)
from tests.judge.worlds import COMPARED, LIMIT, SETTINGS, World, started

OVER = Stage(compared=True, hold_over=True)
WATCH = Stage(watching=True, throughput_applies=True)


def check(judgement: Judgement, name: str) -> Check:
    return next(each for each in judgement.checks if each.name == name)


def test_a_good_candidate_is_good_when_the_hold_is_over_and_not_before() -> None:
    world = started()
    world.serve("old", 1200, 12)
    world.serve("new", 400, 3)
    before = world.poll()
    assert (before.verdict, before.reason) == (Verdict.UNKNOWN, "Holding")
    assert {each.verdict for each in before.checks} == {Verdict.GOOD}
    after = judge(world.evidence, world.settings, OVER)
    assert after.verdict is Verdict.GOOD
    assert after.sentence == (
        "candidate 0.8 % errors against 1.0 % (400 and 1,200 requests), at most 5 times as bad"
        " (99 %)"
    )


def test_too_many_errors_are_bad_at_the_first_poll_that_shows_them() -> None:
    world = started()
    world.serve("old", 1000, 10)
    world.serve("new", 308, 96)
    judgement = world.poll()
    assert (judgement.verdict, judgement.reason) == (Verdict.BAD, "high_error_rate")
    assert judgement.sentence == (
        "candidate 31.2 % errors (96 of 308 requests) is over the limit of 5 %; stable 1.0 %"
    )


def test_slow_requests_are_bad_and_p99_is_only_shown() -> None:
    world = started()
    world.serve("old", 1000, 0, 2)
    world.serve("new", 380, 0, 24)
    judgement = world.poll()
    assert (judgement.verdict, judgement.reason) == (Verdict.BAD, "high_latency")
    assert judgement.sentence == (
        "candidate 6.3 % of requests slower than 1 s (24 of 380 requests) is over the limit of 1 %"
        "; stable 0.2 %"
    )


@pytest.mark.parametrize("healthy", [1, 29, 30, 100])
def test_a_fault_that_starts_late_in_a_long_hold_is_found(healthy: int) -> None:
    world = started()
    for _ in range(healthy):
        world.serve("old", 1350)
        world.serve("new", 150)
        assert world.poll().verdict is not Verdict.BAD
    polls = 0
    while world.poll().verdict is not Verdict.BAD:
        polls += 1
        world.serve("old", 1350)
        world.serve("new", 150, 75)
    assert polls <= 4
    assert world.evidence.candidate.error_rate == pytest.approx(0.5 * polls / (polls + healthy))


def test_what_it_was_found_on_is_told_apart_from_the_whole_step() -> None:
    world = started()
    for _ in range(30):
        world.serve("new", 150)
        world.poll()
    world.serve("new", 150, 75)
    judgement = world.poll()
    assert judgement.sentence.startswith("candidate 50.0 % errors (75 of the last 150 requests) is")


def test_a_small_steady_excess_at_low_traffic_is_found_over_the_whole_step() -> None:
    world = started()
    judgement = world.poll()
    for _ in range(25):
        world.serve("new", 4, 1)
        judgement = world.poll()
    assert judgement.verdict is Verdict.BAD


def test_a_limit_that_stable_breaks_as_well_holds() -> None:
    world = started()
    world.serve("old", 1000, 400)
    world.serve("new", 100, 41)
    judgement = world.poll()
    assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, "SharedFailure")
    alone = judge(world.evidence, world.settings, Stage(compared=False))
    assert alone.verdict is Verdict.BAD


def test_a_shared_failure_that_is_over_does_not_hide_the_candidates_own() -> None:
    world = started()
    world.serve("old", 1000, 400)
    world.serve("new", 100, 40)
    world.poll()
    judgement = world.poll()
    for _ in range(8):
        world.serve("old", 1000)
        world.serve("new", 100)
        judgement = world.poll()
    world.serve("old", 1000)
    world.serve("new", 100, 60)
    judgement = world.poll()
    assert judgement.verdict is Verdict.BAD


@pytest.mark.parametrize(("requests", "errors", "reason"),
    [(0, 0, "TooFewSamples"), (299, 0, "TooFewSamples"), (2, 2, "Suspicion"), (300, 15, "Holding"),
     (20, 2, "Suspicion")])  # fmt: skip
def test_few_requests_are_no_verdict(requests: int, errors: int, reason: str) -> None:
    world = started(stage=Stage())
    world.serve("new", requests, errors)
    judgement = world.poll()
    assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, reason)
    if reason != "Holding":
        over = judge(world.evidence, world.settings, Stage(hold_over=True))
        assert over.verdict is Verdict.UNKNOWN


def test_a_single_unlucky_request_reverts_nothing() -> None:
    """One and two of few, and the three failures among eleven that a plain threshold reverted."""
    for requests, errors in ((1, 1), (2, 2), (40, 3)):
        world = started()
        world.serve("old", requests * 9)
        world.serve("new", requests, errors)
        assert world.poll().verdict is Verdict.UNKNOWN


def test_too_few_samples_say_when_they_will_suffice() -> None:
    world = started(stage=Stage())
    world.serve("new", 60)
    world.poll()
    world.serve("new", 60)
    assert world.poll().sentence == (
        "candidate had 120 of the 300 requests that are needed; at this rate in 1m8s"
    )


def test_a_candidate_within_its_limit_but_worse_than_stable_is_bad() -> None:
    world = started()
    world.serve("old", 9000, 9)
    world.serve("new", 1000, 40)
    judgement = world.poll()
    assert (judgement.verdict, judgement.reason) == (Verdict.BAD, "WorseThanStable")
    assert check(judgement, "errorRate").verdict is Verdict.GOOD
    assert judgement.sentence == (
        "candidate 4.0 % errors against 0.1 % (1,000 and 9,000 requests): at least 13 times as bad"
        " (99 %)"
    )


def test_without_a_stable_version_beside_it_nothing_is_compared() -> None:
    world = started(stage=Stage(watching=True, hold_over=True))
    world.serve("old", 9000, 9)
    world.serve("new", 1000, 40)
    judgement = world.poll()
    assert judgement.verdict is Verdict.GOOD
    assert check(judgement, "errorRate vs stable").verdict is Verdict.NOT_APPLICABLE


def test_requests_counted_while_nothing_was_compared_bet_nothing() -> None:
    world = started(stage=Stage())
    world.serve("old", 9000, 9)
    world.serve("new", 1000, 40)
    world.poll()
    assert judge(world.evidence, world.settings, COMPARED).verdict is not Verdict.BAD


def test_a_silent_candidate_is_unknown_and_bad_only_after_the_time_out() -> None:
    world = started()
    del world.counters["new"]
    verdicts = []
    for _ in range(41):
        world.serve("old", 100)
        judgement = world.poll()
        verdicts.append(judgement.verdict)
        assert judgement.reason == "CandidateSilent"
    assert verdicts[:39] == [Verdict.UNKNOWN] * 39
    assert verdicts[40] is Verdict.BAD
    assert "0 of 1 pods" in judgement.sentence


def test_a_provider_that_is_down_is_never_good_and_never_bad() -> None:
    world = started(stage=OVER)
    world.serve("new", 400)
    world.serve("old", 400)
    assert world.poll().verdict is Verdict.GOOD
    for _ in range(200):
        judgement = world.poll(outage='metrics provider "default" did not answer within 5s')
        assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, "ProviderDown")
    assert judgement.sentence.endswith("did not answer within 5s, for 50m")
    assert world.poll().verdict is Verdict.GOOD


def test_no_data_of_either_side_is_the_provider_and_not_the_candidate() -> None:
    world = started()
    world.counters.clear()
    assert world.poll().reason == "ProviderDown"


def test_missing_latency_is_not_good() -> None:
    world = started(stage=OVER)
    row = world.counters["new"]
    world.settings = replace(SETTINGS, latency_max=None)
    row[0] += 400
    world.serve("old", 400)
    assert world.poll().verdict is Verdict.GOOD
    assert judge(world.evidence, SETTINGS, OVER).reason == "TooFewSamples"


def watched(rate: float, stage: Stage = WATCH, **changes: float) -> Judgement:
    world = World(
        settings=replace(SETTINGS, throughput_min=100.0, **changes),  # type: ignore[arg-type]
        stage=stage,
        sides={"new": Side.CANDIDATE},
    )
    world.serve("new", 0)
    world.poll()
    judgement = world.poll()
    for _ in range(5):
        world.serve("new", rate * 15)
        judgement = world.poll()
    return judgement


def test_throughput_is_judged_in_the_watch_on_the_whole_live_service() -> None:
    good, bad = check(watched(120), "throughput"), check(watched(60), "throughput")
    assert (good.verdict, good.value) == (Verdict.GOOD, 120)
    assert (bad.verdict, bad.reason) == (Verdict.BAD, "low_throughput")
    assert bad.sentence == "live Service 60.0 requests/s is under the limit of 100"


@pytest.mark.parametrize(
    "stage",
    [
        Stage(watching=True, throughput_applies=False),
        Stage(compared=True, throughput_applies=True),
        Stage(watching=True, throughput_applies=True, throughput_before=40),
    ],
)
def test_throughput_that_was_not_there_before_does_not_apply(stage: Stage) -> None:
    assert check(watched(1, stage), "throughput").verdict is Verdict.NOT_APPLICABLE


def test_throughput_with_a_pod_that_cannot_be_read_is_unknown() -> None:
    world = World(
        settings=replace(SETTINGS, throughput_min=100.0),
        stage=WATCH,
        sides={"new": Side.CANDIDATE, "unread": Side.CANDIDATE},
    )
    world.serve("new", 0)
    for _ in range(6):
        judgement = world.poll()
    assert check(judgement, "throughput").verdict is Verdict.UNKNOWN
    assert throughput(world.evidence) is None


FIVE_MINUTES = Condition("high_error_rate", Metric.ERROR_RATE, above=0.1, duration=300)
IDLE = Condition("zero_throughput", Metric.THROUGHPUT, below=1, duration=120)
EXTREME = Condition("extreme_latency", Metric.LATENCY_P99, above=5.0, duration=180)


def condition_world(condition: Condition, stage: Stage) -> World:
    world = World(
        settings=JudgeSettings(conditions=(condition,)), stage=stage, sides={"new": Side.CANDIDATE}
    )
    world.serve("new", 0)
    world.poll()
    return world


def test_a_condition_fires_after_its_whole_duration_and_not_before() -> None:
    world = condition_world(FIVE_MINUTES, WATCH)
    for _ in range(19):
        world.serve("new", 100, 20)
        judgement = world.poll()
        assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, "Suspicion")
    world.serve("new", 100, 20)
    judgement = world.poll()
    assert (judgement.verdict, judgement.reason) == (Verdict.BAD, "high_error_rate")
    assert "has held for 5m of 5m: 20.0 % errors, the limit is over 10 %" in judgement.sentence


def test_one_poll_that_denies_a_condition_begins_it_anew() -> None:
    world = condition_world(FIVE_MINUTES, WATCH)
    for index in range(40):
        world.serve("new", 100, 0 if index % 19 == 18 else 20)
        assert world.poll().verdict is not Verdict.BAD


def test_a_poll_that_tells_nothing_neither_resets_a_condition_nor_counts() -> None:
    world = condition_world(FIVE_MINUTES, WATCH)
    for _ in range(19):
        world.serve("new", 100, 20)
        world.poll()
    for _ in range(30):
        assert world.poll(outage="down").verdict is Verdict.UNKNOWN
        assert world.poll().verdict is Verdict.UNKNOWN
    assert world.evidence.held == {"high_error_rate": 285}
    world.serve("new", 100, 20)
    assert world.poll().verdict is Verdict.BAD


def test_a_condition_that_stable_meets_as_well_is_not_the_candidates() -> None:
    world = started(settings=JudgeSettings(conditions=(FIVE_MINUTES,)))
    for _ in range(40):
        world.serve("new", 100, 20)
        world.serve("old", 100, 20)
        judgement = world.poll()
    assert judgement.verdict is not Verdict.BAD
    assert world.evidence.held == {}


def test_no_traffic_at_all_fires_only_where_there_was_some() -> None:
    applies, does_not = condition_world(IDLE, WATCH), condition_world(IDLE, COMPARED)
    for _ in range(8):
        fired, silent = applies.poll(), does_not.poll()
    assert (fired.verdict, fired.reason) == (Verdict.BAD, "zero_throughput")
    assert silent.checks[0].verdict is Verdict.NOT_APPLICABLE


def test_extreme_latency_fires_on_the_share_of_slow_requests() -> None:
    world = condition_world(EXTREME, WATCH)
    for _ in range(12):
        world.serve("new", 100, 0, 2)
        judgement = world.poll()
    assert (judgement.verdict, judgement.reason) == (Verdict.BAD, "extreme_latency")


def test_a_condition_is_the_reason_in_the_watch_and_a_rule_before_it() -> None:
    settings = replace(SETTINGS, conditions=(replace(FIVE_MINUTES, name="fired", duration=15),))
    for stage, reason in ((WATCH, "fired"), (COMPARED, "high_error_rate")):
        world = started(settings=settings, stage=stage)
        world.serve("new", 100, 50)
        assert world.poll().reason == reason


def test_nothing_observed_is_not_good() -> None:
    assert judge(begin(0, None), SETTINGS, OVER).verdict is Verdict.UNKNOWN


def judged(**changes: object) -> Judgement:
    """A slow candidate without errors, with enough requests, when the hold is over."""
    world = started(settings=replace(SETTINGS, **changes), stage=OVER)  # type: ignore[arg-type]
    world.serve("old", 4000, 0, 4)
    world.serve("new", 1000, 0, 200)
    return world.poll()


def test_a_metric_that_is_not_critical_holds_the_step_and_takes_nothing_back() -> None:
    assert judged().verdict is Verdict.BAD
    found = judged(policies={Metric.LATENCY_P99: Policy(critical=False)})
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, "NotCritical")
    assert found.sentence.startswith("not critical: candidate 20.0 % of requests slower")
    assert check(found, "latencyP99").verdict is Verdict.BAD


def test_a_metric_in_a_dry_run_is_judged_and_decides_nothing() -> None:
    found = judged(policies={Metric.LATENCY_P99: Policy(dry_run=True)})
    assert found.verdict is Verdict.GOOD
    assert "errors" in found.sentence
    for name in ("latencyP99", "latencyP99 vs stable"):
        assert check(found, name).verdict is Verdict.BAD
        assert check(found, name).sentence.startswith("dry run: candidate 20.0 % of requests")


def test_a_condition_reverts_whatever_is_said_of_its_metric() -> None:
    condition = Condition("slow", Metric.LATENCY_P99, above=LIMIT, duration=15)
    found = judged(conditions=(condition,), policies={Metric.LATENCY_P99: Policy(dry_run=True)})
    assert (found.verdict, found.reason) == (Verdict.BAD, "slow")

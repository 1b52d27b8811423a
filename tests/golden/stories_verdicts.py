"""Stories of judging: worse than stable but within every limit, and no clear verdict for long."""

from __future__ import annotations

from typing import Any

from tests.golden.events import behave, later, outage
from tests.golden.story import Story, apply
from tests.golden.world import Behaviour

ERRORS = {"name": "high_error_rate", "metric": "errorRate", "above": 0.1, "for": "10s"}
BAD_FOR_BOTH = Behaviour(errors=0.3)


def _analysis(**changes: Any) -> dict[str, Any]:
    return {
        "interval": "5s",
        "unknownTimeout": "30s",
        "comparison": {"minSamples": 20},
        **changes,
    }


SCORES = _analysis(drift=[{"name": "score", "series": "fraud_score", "minSamples": 100}])

UNTIMED = _analysis(rules={"errorRate": {}, "latencyP99": {"max": "1s", "onUnknown": "ignore"}})
DELAYED = _analysis(rules={"errorRate": {"initialDelay": "10s"}, "latencyP99": {"max": "1s"}})

STORIES = {
    "worse-than-stable": Story(
        "Within its limit of 5 %, but much worse than the version beside it: taken back",
        {0: apply("1.0.0"), 60: later("2.0.0")},
        behaviours={"1.0.0": Behaviour(errors=0.002), "2.0.0": Behaviour(errors=0.04)},
        seconds=160,
    ),
    "latency-without-data": Story(
        "Nobody times requests, which its author lets pass: without latency it goes on",
        {
            0: apply("1.0.0", analysis=UNTIMED),
            60: later("2.0.0", analysis=UNTIMED),
        },
        behaviours={"1.0.0": Behaviour(timed=False), "2.0.0": Behaviour(timed=False)},
        seconds=240,
    ),
    "slow-while-caches-fill": Story(
        "Errors only in the first 8 s of a step, in which its author lets nothing count",
        {
            0: apply("1.0.0", analysis=DELAYED),
            60: later("2.0.0", analysis=DELAYED),
            74: behave("2.0.0", Behaviour()),
        },
        behaviours={"2.0.0": Behaviour(errors=0.2)},
        seconds=160,
    ),
    "predictions-drift": Story(
        "Every request is answered, but three times as many scores are high: taken back",
        {0: apply("1.0.0", analysis=SCORES), 60: later("2.0.0", analysis=SCORES)},
        behaviours={"2.0.0": Behaviour(high=0.9)},
        seconds=140,
    ),
    "predictions-like-before": Story(
        "Predictions that differ less than is accepted take nothing back",
        {0: apply("1.0.0", analysis=SCORES), 60: later("2.0.0", analysis=SCORES)},
        behaviours={"2.0.0": Behaviour(high=0.35)},
        seconds=160,
    ),
    "both-versions-fail": Story(
        "What both versions depend on fails for a minute: the step is held, then goes on",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            75: behave("1.0.0", BAD_FOR_BOTH),
            76: behave("2.0.0", BAD_FOR_BOTH),
            135: behave("1.0.0", Behaviour()),
            136: behave("2.0.0", Behaviour()),
        },
        seconds=400,
    ),
    "inconclusive-goes-on": Story(
        "Too few requests for a verdict, and the author goes on without one after 40 s a step",
        {
            0: apply("1.0.0"),
            60: later("2.0.0", analysis=_analysis(onInconclusive="advance", maxHold="40s")),
        },
        seconds=240,
        rate=0.2,
    ),
    "inconclusive-taken-back": Story(
        "Too few requests for a verdict, and the author takes the release back after four holds",
        {0: apply("1.0.0"), 60: later("2.0.0", analysis=_analysis(onInconclusive="revert"))},
        seconds=200,
        rate=0.2,
    ),
    "inconclusive-but-bad": Story(
        "Going on without a verdict is no way past one: a Bad verdict reverts",
        {
            0: apply("1.0.0"),
            60: later("2.0.0", analysis=_analysis(onInconclusive="advance", maxHold="40s")),
        },
        behaviours={"2.0.0": Behaviour(errors=1.0)},
        seconds=240,
        rate=0.4,
    ),
    "slow-but-not-critical": Story(
        "Slow, but latency is not critical: held for four holds, then on without a verdict",
        {
            0: apply("1.0.0"),
            60: later(
                "2.0.0",
                analysis=_analysis(
                    rules={"latencyP99": {"critical": False}}, onInconclusive="advance"
                ),
            ),
        },
        behaviours={"2.0.0": Behaviour(slow=0.2)},
        seconds=300,
    ),
    "slow-in-a-dry-run": Story(
        "Slow, but latency is only tried out: judged, recorded, and nothing decided by it",
        {
            0: apply("1.0.0"),
            60: later("2.0.0", analysis=_analysis(rules={"latencyP99": {"dryRun": True}})),
        },
        behaviours={"2.0.0": Behaviour(slow=0.2)},
        seconds=200,
    ),
    "cannot-go-back": Story(
        "Bad in the watch, and the version before does not start any more: said loudly, then done",
        {
            0: apply(
                "1.0.0",
                watch={"duration": "30s", "keepPrevious": 0},
                rollback={"conditions": [ERRORS]},
            ),
            60: later("2.0.0"),
            115: behave("1.0.0", Behaviour(waiting="ErrImageNeverPull")),
            120: behave("2.0.0", Behaviour(errors=0.5)),
            215: behave("1.0.0", Behaviour()),
        },
        seconds=240,
    ),
    "prometheus-down-taken-back": Story(
        "Prometheus is down, and the author wants to go back after 30 s of it",
        {
            0: apply("1.0.0"),
            60: later("2.0.0", analysis=_analysis(onProviderDown="revert")),
            75: outage("Prometheus did not answer within 5 s"),
        },
        seconds=160,
    ),
}

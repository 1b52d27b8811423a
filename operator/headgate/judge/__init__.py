"""Verdicts from request counts: the part that says Good, Bad or Unknown, and with what numbers.

Pure: it knows no clock, no cluster and no Prometheus. The flow is `begin` at a step, `observe`
for every poll's `Sample`, `judge` whenever an answer is wanted; `Evidence` is all the memory
between them and lives in the ModelDeployment's status. `headgate.metrics` makes the samples,
`headgate.core` acts on the judgement.
"""

from headgate.judge.beginning import begin, forget
from headgate.judge.counting import observe
from headgate.judge.evidence import Counts, Evidence, Window
from headgate.judge.policies import when_inconclusive
from headgate.judge.reasons import INCONCLUSIVE
from headgate.judge.tally import Requests
from headgate.judge.values import (
    Check,
    CheckKind,
    Comparison,
    Condition,
    Drift,
    Gauge,
    Judgement,
    JudgeSettings,
    Metric,
    PodCounters,
    Policy,
    Sample,
    Side,
    Stage,
    Verdict,
)
from headgate.judge.verdicts import judge, throughput

__all__ = [
    "INCONCLUSIVE",
    "Check",
    "CheckKind",
    "Comparison",
    "Condition",
    "Counts",
    "Drift",
    "Evidence",
    "Gauge",
    "JudgeSettings",
    "Judgement",
    "Metric",
    "PodCounters",
    "Policy",
    "Requests",
    "Sample",
    "Side",
    "Stage",
    "Verdict",
    "Window",
    "begin",
    "forget",
    "judge",
    "observe",
    "throughput",
    "when_inconclusive",
]

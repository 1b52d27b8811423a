"""From evidence to a verdict: every rule and condition by itself, then the release."""

from headgate.judge.evidence import Evidence
from headgate.judge.values import Judgement, JudgeSettings, Stage, Verdict


def throughput(evidence: Evidence) -> float | None:
    """Requests per second of the whole live Service lately, or None if not known."""
    lately = evidence.lately
    seconds = max(lately.candidate.seconds, lately.stable.seconds)
    if seconds <= 0 or evidence.missing:
        return None
    return (lately.candidate.requests + lately.stable.requests) / seconds


def judge(evidence: Evidence, settings: JudgeSettings, stage: Stage) -> Judgement:
    """The verdict on what `evidence` holds."""
    return Judgement(Verdict.UNKNOWN, "TooFewSamples", "no request was counted yet")

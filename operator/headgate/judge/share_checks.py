"""The checks of one share of bad requests: against its limit, and against stable beside it.

Both rest on e-processes that start anew at each step and after every 30 polls, so that a new fault
is not outweighed by hours of health. `headgate.judge.verdicts` puts the checks together.
"""

from __future__ import annotations

from headgate.judge import limits, sentences
from headgate.judge.bets import is_bad, to_e
from headgate.judge.comparison import at_least, at_most, verdict
from headgate.judge.evidence import Evidence
from headgate.judge.reasons import (
    NO_DATA,
    NOT_APPLICABLE,
    SHARED_FAILURE,
    SUSPICION,
    TOO_FEW_SAMPLES,
    WITHIN_LIMIT,
    WORSE_THAN_STABLE,
)
from headgate.judge.shares import Share
from headgate.judge.tally import Requests, Tally
from headgate.judge.values import Check, CheckKind, JudgeSettings, Metric, Stage, Verdict

_NO_HISTOGRAM = "latencyP99 has no data: the candidate's requests have no histogram of latencies"


def against_limit(
    share: Share, evidence: Evidence, settings: JudgeSettings, stage: Stage, metrics: int
) -> Check:
    """The rule: Bad at E ≥ metrics/α; Good with `min_samples` requests and a share within the
    limit, both since E started, or else since the step began. While stable breaks the same limit
    beside it, the cause is not the candidate, and it is neither."""
    tally = evidence.tallies.get(share.metric, Tally())
    candidate, stable = tally.candidate, tally.stable
    least = max(1.0, settings.comparison.min_samples)
    log_e = limits.log_e(candidate, share.limit)
    is_over = is_bad(log_e, settings.comparison.alpha, metrics)
    latest = tally.candidate_before.total > 0
    if not is_over and candidate.total < least:
        candidate, stable, latest = tally.whole_candidate, tally.whole_stable, False
    subject = "live version" if stage.watching else "candidate"
    if is_over:
        sentence = _over(share, subject, candidate, stable, evidence, latest)
        found, reason = Verdict.BAD, share.bad_reason
        if stage.compared and stable.share > share.limit:
            found, reason = Verdict.UNKNOWN, SHARED_FAILURE
            sentence += ", which is over the limit as well: the cause is not the candidate"
    elif candidate.share > share.limit:
        found, reason = Verdict.UNKNOWN, SUSPICION
        sentence = _over(share, subject, candidate, stable, evidence, latest)
        sentence += ", which may still be chance"
    elif _has_no_data(share, tally, evidence):
        found, reason = Verdict.UNKNOWN, NO_DATA
        sentence = _NO_HISTOGRAM
    elif candidate.total < least:
        found, reason = Verdict.UNKNOWN, TOO_FEW_SAMPLES
        sentence = _too_few(share, subject, candidate, evidence, settings)
    else:
        found, reason = Verdict.GOOD, WITHIN_LIMIT
        sentence = sentences.side_by_side(
            subject, candidate, stable, slower_than=_boundary(share, evidence)
        )
    return Check(
        name=share.metric.value,
        kind=CheckKind.RULE,
        metric=share.metric,
        verdict=found,
        reason=reason,
        sentence=sentence,
        value=candidate.share if candidate.total else None,
        limit=share.limit,
        candidate=candidate,
        stable=stable,
        p99=evidence.candidate.p99,
        e=to_e(log_e),
        bad_from=metrics / settings.comparison.alpha,
    )


def against_stable(
    share: Share, evidence: Evidence, settings: JudgeSettings, stage: Stage, metrics: int
) -> Check:
    """The comparison with the concurrent stable version; NotApplicable when there is none."""
    tally = evidence.tallies.get(share.metric, Tally())
    stable, candidate = tally.whole_stable, tally.whole_candidate
    if stage.compared:
        found, reason = verdict(tally, settings.comparison, metrics)
        if found is Verdict.BAD:
            stable, candidate = tally.stable, tally.candidate
        sentence = _compared(share, stable, candidate, evidence, settings, reason)
        if _has_no_data(share, tally, evidence):
            reason, sentence = NO_DATA, _NO_HISTOGRAM
        if found is Verdict.BAD and candidate.share > share.limit:
            # Found out sooner by its neighbour than by the limit, which it breaks as well.
            reason = share.bad_reason
    else:
        found, reason = Verdict.NOT_APPLICABLE, NOT_APPLICABLE
        sentence = "no stable version serves beside it to compare with"
    return Check(
        name=f"{share.metric.value} vs stable",
        kind=CheckKind.COMPARISON,
        metric=share.metric,
        verdict=found,
        reason=reason,
        sentence=sentence,
        value=candidate.share if candidate.total else None,
        limit=settings.comparison.tolerance,
        candidate=candidate,
        stable=stable,
        p99=evidence.candidate.p99,
        e=to_e(tally.log_e),
        bad_from=metrics / settings.comparison.alpha,
    )


def _has_no_data(share: Share, tally: Tally, evidence: Evidence) -> bool:
    """Whether the candidate has answered requests, and none of them was timed."""
    counted = tally.polls > 0 and evidence.candidate.requests > 0
    return share.slower_than is not None and counted and not tally.whole_candidate.total


def _boundary(share: Share, evidence: Evidence) -> float | None:
    """The latency that was judged, which may be a bucket boundary near the limit."""
    limit = share.slower_than
    return None if limit is None else evidence.boundaries.get(limit, limit)


def _over(
    share: Share,
    subject: str,
    candidate: Requests,
    stable: Requests,
    evidence: Evidence,
    latest: bool,
) -> str:
    return sentences.over_limit(
        subject,
        candidate,
        share.limit,
        slower_than=_boundary(share, evidence),
        latest=latest,
        stable_share=stable.share if stable.total else None,
        p99=evidence.candidate.p99 if share.metric is Metric.LATENCY_P99 else None,
    )


def _too_few(
    share: Share, subject: str, counted: Requests, evidence: Evidence, settings: JudgeSettings
) -> str:
    least, seconds = max(1.0, settings.comparison.min_samples), evidence.observed
    per_second = counted.total / seconds if seconds > 0 else 0.0
    return sentences.too_few(
        subject,
        counted.total,
        _boundary(share, evidence),
        least,
        (least - counted.total) / per_second if per_second else None,
    )


def _compared(
    share: Share,
    stable: Requests,
    candidate: Requests,
    evidence: Evidence,
    settings: JudgeSettings,
    reason: str,
) -> str:
    if reason == TOO_FEW_SAMPLES:
        if candidate.total <= stable.total:
            return _too_few(share, "candidate", candidate, evidence, settings)
        return _too_few(share, "stable", stable, evidence, settings)
    alpha = settings.comparison.alpha
    sure = sentences.percent_limit(1 - alpha)
    said = sentences.side_by_side(
        "candidate", candidate, stable, slower_than=_boundary(share, evidence)
    )
    if reason == WORSE_THAN_STABLE:
        least = at_least(stable, candidate, alpha)
        return said if least is None else f"{said}: at least {least:.2g} times as bad ({sure})"
    if reason == SUSPICION:
        return f"{said}: it looks worse than stable, which may still be chance"
    most = at_most(stable, candidate, alpha)
    return said if most is None else f"{said}, at most {most:.2g} times as bad ({sure})"

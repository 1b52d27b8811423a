"""What the result of a check decides, as its author says it for each metric.

`headgate.judge.verdicts` applies a policy to every check; what a step without a clear verdict comes
to is decided in `headgate.core`, by what `when_inconclusive` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from headgate.api.judged import OnInconclusive, OnUnknown
from headgate.judge import sentences
from headgate.judge.evidence import Evidence
from headgate.judge.reasons import INCONCLUSIVE, NO_DATA, NOT_APPLICABLE, TOO_FEW_SAMPLES
from headgate.judge.values import Check, Policy, Verdict


def applied(check: Check, policy: Policy, evidence: Evidence, unknown_timeout: float) -> Check:
    """The check under its author's policy. Before `initial_delay` it says nothing yet; one that has
    had no data for `unknown_timeout` seconds of the step is what `on_unknown` makes of it."""
    check = replace(check, policy=policy)
    if check.verdict is not Verdict.NOT_APPLICABLE:
        if evidence.observed < policy.initial_delay:
            check = _not_yet(check, evidence.observed)
        elif check.reason == NO_DATA and evidence.observed >= unknown_timeout:
            check = _without_data(check, evidence.observed)
    if policy.dry_run:
        return replace(check, sentence=f"dry run: {check.sentence}")
    return check


def _not_yet(check: Check, observed: float) -> Check:
    delay = sentences.span(check.policy.initial_delay)
    sentence = f"{check.name} is judged from {delay} on, now at {sentences.span(observed)}"
    return replace(check, verdict=Verdict.UNKNOWN, reason=TOO_FEW_SAMPLES, sentence=sentence)


def _without_data(check: Check, observed: float) -> Check:
    sentence = f"{check.sentence}, for {sentences.span(observed)}"
    match check.policy.on_unknown:
        case OnUnknown.REVERT:
            return replace(check, verdict=Verdict.BAD, sentence=sentence)
        case OnUnknown.IGNORE:
            sentence = f"{sentence}: left out"
            verdict = Verdict.NOT_APPLICABLE
            return replace(check, verdict=verdict, reason=NOT_APPLICABLE, sentence=sentence)
        case _:
            return replace(check, sentence=sentence)


def when_inconclusive(checks: Iterable[Check], otherwise: OnInconclusive) -> OnInconclusive:
    """What shall become of a step that stays without a clear verdict: the most careful of what the
    authors of the unclear checks want; going back before holding, holding before going on.
    `otherwise` is for a step without such a check."""
    wanted = {
        check.policy.on_inconclusive
        for check in checks
        if not check.policy.dry_run
        and (
            (check.verdict is Verdict.UNKNOWN and check.reason in INCONCLUSIVE)
            or (check.verdict is Verdict.BAD and not check.policy.critical)
        )
    }
    careful = (OnInconclusive.REVERT, OnInconclusive.HOLD, OnInconclusive.ADVANCE)
    return next((each for each in careful if each in wanted), otherwise)

"""Prediction drift: whether the candidate's outputs are distributed as those of stable beside it.

Both versions answer the same users at the same time, so a difference between what they predict
comes from the model. It is judged once, when the hold of a step is over: flagged only if it is as
large as the author says (the effect) *and* no chance (the p-value, after Benjamini-Hochberg over
all drift checks of the release). Many predictions alone make any difference significant, and few
make a large one that is none.
"""

from __future__ import annotations

from collections.abc import Sequence

from headgate.api.drift import DriftMethod
from headgate.judge.distribution import Distribution
from headgate.judge.evidence import Evidence
from headgate.judge.reasons import (
    HOLDING,
    NO_DATA,
    NOT_APPLICABLE,
    PREDICTION_DRIFT,
    SUSPICION,
    TOO_FEW_SAMPLES,
    WITHIN_LIMIT,
)
from headgate.judge.tally import Requests
from headgate.judge.values import Check, CheckKind, Drift, Metric, Stage, Verdict

LEAST_EXPECTED = 5.0
"""Predictions that a bucket needs by expectation for the test behind Jensen-Shannon; smaller
buckets are counted together with their neighbours (Cochran's rule)."""

NAMES = {
    DriftMethod.KOLMOGOROV_SMIRNOV: "Kolmogorov-Smirnov distance",
    DriftMethod.JENSEN_SHANNON: "Jensen-Shannon divergence (base 2)",
}


def kolmogorov_smirnov(candidate: Sequence[float], stable: Sequence[float]) -> tuple[float, float]:
    """The largest difference between two distribution functions, and its p-value.

    Both arguments are counts in the same k buckets, shape (k,). D is between 0 and 1, taken at the
    buckets' ends, so never more than that of the values themselves; p is the two-sided asymptotic
    one for nm/(n+m) values (`scipy.stats.kstwo`, as `ks_2samp` has it), which for values in buckets
    is too large rather than too small. Source: Conover, "Practical Nonparametric Statistics"
    (1999), 6.3. Raises ValueError when a side has no prediction.
    """
    # scipy.stats takes 46 MiB, which only those pay who compare distributions.
    import numpy as np
    from scipy.stats import kstwo

    first, second = _shares(candidate), _shares(stable)
    statistic = float(np.abs(np.cumsum(first) - np.cumsum(second)).max())
    n, m = float(sum(candidate)), float(sum(stable))
    return statistic, float(kstwo.sf(statistic, max(1, round(n * m / (n + m)))))


def jensen_shannon(candidate: Sequence[float], stable: Sequence[float]) -> tuple[float, float]:
    """The Jensen-Shannon divergence between two distributions, and a p-value.

    Both arguments are counts in the same k buckets, shape (k,). The divergence is in bits (base 2),
    so between 0 and 1: the square of the distance that `scipy.spatial.distance.jensenshannon`
    returns. p is that of the likelihood-ratio test of homogeneity (G test) over the same buckets,
    those with fewer than `LEAST_EXPECTED` expected predictions joined with the next. Sources: Lin,
    "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 37
    (1991); Sokal and Rohlf, "Biometry" (1995), 17.4. Raises ValueError when a side has no
    prediction.
    """
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import chi2_contingency

    first, second = _shares(candidate), _shares(stable)
    divergence = float(jensenshannon(first, second, base=2)) ** 2
    table = _joined(candidate, stable)
    if len(table) < 2:
        return divergence, 1.0
    test = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    return divergence, float(test.pvalue)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """The p-values after Benjamini and Hochberg's correction for looking at all of them
    (`scipy.stats.false_discovery_control`), in the same order. Source: Benjamini and Hochberg,
    "Controlling the False Discovery Rate", Journal of the Royal Statistical Society B 57 (1995).
    """
    if not p_values:
        return []
    from scipy.stats import false_discovery_control

    return [float(p) for p in false_discovery_control(p_values)]


_MEASURES = {
    DriftMethod.KOLMOGOROV_SMIRNOV: kolmogorov_smirnov,
    DriftMethod.JENSEN_SHANNON: jensen_shannon,
}


def is_enough(found: Distribution, drift: Drift) -> bool:
    """Whether each side has the least samples of the test."""
    return min(sum(found.candidate), sum(found.stable)) >= max(1, drift.min_samples)


def checks(drifts: Sequence[Drift], evidence: Evidence, stage: Stage) -> list[Check]:
    """The check of every drift; NotApplicable when no stable version serves beside the candidate.

    Those that have their least samples are corrected together.
    """
    found = [evidence.drift.get(each.name, Distribution()) for each in drifts]
    ready = [
        place
        for place, each in enumerate(drifts)
        if stage.compared and stage.hold_over and is_enough(found[place], each)
    ]
    measured = {
        place: _MEASURES[drifts[place].method](found[place].candidate, found[place].stable)
        for place in ready
    }
    corrected = dict(zip(ready, adjusted([measured[place][1] for place in ready]), strict=True))
    return [
        _check(
            each,
            found[place],
            stage,
            (measured[place][0], corrected[place]) if place in measured else None,
            len(ready),
            evidence.unread.get(each.name, ""),
        )
        for place, each in enumerate(drifts)
    ]


def _check(
    drift: Drift,
    found: Distribution,
    stage: Stage,
    measured: tuple[float, float] | None,
    together: int,
    unread: str,
) -> Check:
    candidate, stable = sum(found.candidate), sum(found.stable)
    verdict, reason = Verdict.NOT_APPLICABLE, NOT_APPLICABLE
    sentence = "no stable version serves beside it to compare with"
    if measured is not None:
        verdict, reason, sentence = _compared(drift, candidate, stable, *measured, together)
    elif stage.compared:
        verdict, reason = Verdict.UNKNOWN, TOO_FEW_SAMPLES if stage.hold_over else HOLDING
        sentence = (
            f"{drift.name}: {min(candidate, stable):,.0f} of {drift.min_samples:,} predictions "
            f"of each version that are needed, compared when the hold is over"
        )
        if stage.hold_over and not (candidate or stable):
            reason, sentence = NO_DATA, unread or f"{drift.name} has no data: nothing was predicted"
    return Check(
        name=f"{drift.name} drift",
        kind=CheckKind.DRIFT,
        metric=Metric.DRIFT,
        verdict=verdict,
        reason=reason,
        sentence=sentence,
        value=None if measured is None else measured[0],
        limit=drift.threshold,
        candidate=Requests(0.0, candidate),
        stable=Requests(0.0, stable),
    )


def _compared(
    drift: Drift, candidate: float, stable: float, effect: float, p: float, together: int
) -> tuple[Verdict, str, str]:
    measure = f"{NAMES[drift.method]} {effect:.3g}"
    of_all = f" after correction for {together} checks" if together > 1 else ""
    numbers = f"{candidate:,.0f} and {stable:,.0f} predictions, p {_probability(p)}{of_all}"
    if effect < drift.threshold:
        sentence = f"{drift.name} is predicted as by stable: {measure}, under {drift.threshold:g}"
        return Verdict.GOOD, WITHIN_LIMIT, f"{sentence} ({numbers})"
    sentence = f"{drift.name} is not predicted as by stable: {measure}"
    if p < drift.alpha:
        said = f"{sentence}, at most {drift.threshold:g} is accepted ({numbers})"
        return Verdict.BAD, PREDICTION_DRIFT, said
    return Verdict.UNKNOWN, SUSPICION, f"{sentence}, which may still be chance ({numbers})"


def _probability(p: float) -> str:
    return "below 0.0001" if p < 0.0001 else f"{p:.2g}"


def _shares(counts: Sequence[float]) -> list[float]:
    whole = sum(counts)
    if not whole > 0:
        raise ValueError("a side has no prediction")
    return [count / whole for count in counts]


def _joined(candidate: Sequence[float], stable: Sequence[float]) -> list[list[float]]:
    """The counts of both sides, shape (buckets, 2), neighbours joined until each bucket is expected
    to have `LEAST_EXPECTED` predictions of either side."""
    whole = sum(candidate) + sum(stable)
    least = min(sum(candidate), sum(stable)) / whole
    table: list[list[float]] = []
    here = [0.0, 0.0]
    for pair in zip(candidate, stable, strict=True):
        here = [here[0] + pair[0], here[1] + pair[1]]
        if sum(here) * least >= LEAST_EXPECTED:
            table.append(here)
            here = [0.0, 0.0]
    if table:
        table[-1] = [table[-1][0] + here[0], table[-1][1] + here[1]]
    return table

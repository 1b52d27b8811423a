"""The simulated verdicts as Markdown, for people and for `docs/measurements.md`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hack.bench.document import table
from hack.bench.judges import HOLD, INTERVAL, JUDGES, LIMIT
from hack.bench.verdicts import BURST, POLLS, RATES, SEED, WEIGHTS, Outcome
from headgate.judge import Comparison

NAME = "bench-judge"
TITLE = "Verdicts"


def markdown(outcomes: Sequence[Outcome], when: str, machine: str) -> str:
    """All tables."""
    releases = outcomes[0].releases
    minutes = POLLS * INTERVAL / 60
    return f"""\
Simulated {when} on {machine}: {releases} releases of each case, seed {SEED}, {POLLS} polls
{INTERVAL:.0f} s apart ({minutes:.0f} minutes, four holds of {HOLD} polls), a limit of {LIMIT:.0%}.
Every judge sees the same releases and looks at each poll; the first time it says so, the release
is taken back.

**Healthy releases taken back**, in percent: of all weights and error rates together, and in the
worst of them. A burst is {BURST:.0%} errors for a minute.

{_false_reverts(outcomes)}

**Healthy releases without a verdict** after four holds, in percent (Headgate; 1 % errors), and the
requests per second of the whole Service with which the {_least():.0f} requests of each side come
together in that time:

{_unfinished(outcomes)}

**Bad releases**: share taken back within the {minutes:.0f} minutes, in percent, and the median
minutes until then:

{_power(outcomes)}
"""


def worst_false_revert(outcomes: Iterable[Outcome]) -> float:
    """Headgate's largest share of healthy releases taken back, one-sided bursts apart."""
    return max(
        each.reverts
        for each in outcomes
        if each.judge == "Headgate" and each.case.healthy and each.case.bursts != "candidate"
    )


def _false_reverts(outcomes: Sequence[Outcome]) -> str:
    kinds = dict.fromkeys(each.case.kind for each in outcomes if each.case.healthy)
    rows = []
    for kind in kinds:
        for rate in RATES:
            row = [kind, f"{rate}"]
            for judge in JUDGES:
                shares = [
                    each.reverts
                    for each in _of(outcomes, judge, kind=kind)
                    if each.case.rate == rate
                ]
                row.append(f"{_percent(sum(shares) / len(shares))} / {_percent(max(shares))}")
            rows.append(row)
    return table(("releases", "requests/s", *JUDGES), rows)


def _unfinished(outcomes: Sequence[Outcome]) -> str:
    rows = []
    for weight in WEIGHTS:
        row = [f"{weight:.0%}"]
        for rate in RATES:
            found = [
                each
                for each in _of(outcomes, "Headgate", kind="healthy")
                if (each.case.rate, each.case.weight, each.case.stable) == (rate, weight, 0.01)
            ]
            row.append(_percent(found[0].unfinished / found[0].releases))
        needed = _least() / (min(weight, 1 - weight) * POLLS * INTERVAL)
        rows.append([*row, f"{needed:.1f}"])
    return table(("weight", *(f"{rate}/s" for rate in RATES), "needed"), rows)


def _power(outcomes: Sequence[Outcome]) -> str:
    kinds = dict.fromkeys(each.case.kind for each in outcomes if not each.case.healthy)
    rows = []
    for kind in kinds:
        for rate in RATES:
            for weight in (WEIGHTS[0], WEIGHTS[1], WEIGHTS[-1]):
                row = [kind, f"{rate}", f"{weight:.0%}"]
                for judge in JUDGES:
                    found = [
                        each
                        for each in _of(outcomes, judge, kind=kind)
                        if (each.case.rate, each.case.weight) == (rate, weight)
                    ]
                    row.append(_caught(found[0]))
                rows.append(row)
    return table(("errors", "requests/s", "weight", *JUDGES), rows)


def _caught(outcome: Outcome) -> str:
    caught = _percent(outcome.reverts)
    return caught if outcome.minutes is None else f"{caught} in {outcome.minutes:.2g}"


def _of(outcomes: Iterable[Outcome], judge: str, kind: str) -> list[Outcome]:
    return [each for each in outcomes if each.judge == judge and each.case.kind == kind]


def _percent(share: float) -> str:
    return f"{share * 100:.3g}"


def _least() -> float:
    return Comparison().min_samples

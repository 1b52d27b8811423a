"""A release judged again from what was measured then, under its own limits or others.

Pure: `headgate.metrics.past` reads the samples, `headgate.cli.replay` shows what comes of them. It
counts and judges as the planner did, step by step, and only does not act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from headgate.judge.beginning import begin
from headgate.judge.counting import observe
from headgate.judge.evidence import Evidence
from headgate.judge.values import Judgement, JudgeSettings, Sample, Side, Stage
from headgate.judge.verdicts import judge


@dataclass(frozen=True)
class Part:
    """A step or the watch of a release: what it is called, when it began, the percent of traffic
    that the candidate was to get, and whether it was after promotion."""

    name: str
    begins: float
    weight: float
    watching: bool = False


@dataclass(frozen=True)
class Replayed:
    """One poll: the counts in it and the judgement on everything since its part began."""

    at: float
    part: Part
    evidence: Evidence
    judgement: Judgement


def replay(
    samples: Sequence[Sample],
    parts: Sequence[Part],
    sides: Mapping[str, Side],
    settings: JudgeSettings,
) -> list[Replayed]:
    """Judge samples in the order of their times. `parts` are in order too; samples before the first
    one only tell where the counters stood. No hold is waited for: a verdict is Good as soon as it
    can be. Gauges and predictions, which must be looked at only once, are at the last sample of
    each part."""
    parts_of = [_part_at(sample.at, parts) for sample in samples]
    at_once = replace(settings, gauges=(), drift=())
    found: list[Replayed] = []
    evidence: Evidence | None = None
    part: Part | None = None
    for sample, now, after in zip_longest(samples, parts_of, parts_of[1:]):
        if evidence is None or now != part:
            evidence, part = begin(now.begins if now else sample.at, evidence), now
        stage = Stage(
            compared=part is not None and not part.watching,
            watching=part is not None and part.watching,
        )
        evidence = observe(evidence, sample, sides, settings, stage)
        if part is not None:
            judgement = judge(
                evidence, settings if after != part else at_once, replace(stage, hold_over=True)
            )
            found.append(Replayed(sample.at, part, evidence, judgement))
    return found


def _part_at(moment: float, parts: Sequence[Part]) -> Part | None:
    return next((each for each in reversed(parts) if each.begins <= moment), None)

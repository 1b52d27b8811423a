"""`--plot` of `headgate replay`: what was judged, as a picture's points."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from headgate.cli.cluster import Trouble

if TYPE_CHECKING:
    from headgate.integrations.plot import Picture
    from headgate.judge import Check, JudgeSettings
    from headgate.judge.comparison import Judged
    from headgate.judge.replaying import Replayed
    from headgate.judge.tally import Requests
    from headgate.judge.values import Comparison


def of_release(
    title: str,
    replayed: Sequence[Replayed],
    end: Replayed,
    settings: JudgeSettings,
    start: float,
    file: Path,
) -> None:
    """Draw the check that decided at `end`, or spoke most against it. Raises `Trouble`."""
    from headgate.judge import Metric
    from headgate.judge.shares import shares_of

    plot = _plot()
    decided = _deciding(end)
    share = next((each for each in shares_of(settings) if each.metric == decided.metric), None)
    if share is None:
        raise Trouble("there is no rule on errors or latency to draw")
    points = []
    for each in replayed:
        check = next(check for check in each.judgement.checks if check.name == decided.name)
        points.append(
            plot.Point(
                each.at - start,
                _share(share.requests(each.evidence.latest_stable)),
                _share(share.requests(each.evidence.latest_candidate)),
                each.part.weight,
                check.e or 0.0,
                each.judgement.verdict,
            )
        )
    _save(
        plot.Picture(
            title=f"{title}\n{end.judgement.verdict.value}: {end.judgement.sentence}",
            metric="errors" if share.metric is Metric.ERROR_RATE else "slow requests",
            points=points,
            limit=share.limit,
            bad_from=decided.bad_from or 0.0,
        ),
        file,
    )


def of_file(
    title: str,
    polls: Sequence[tuple[Requests, Requests]],
    judged: Sequence[Judged],
    settings: Comparison,
    file: Path,
) -> None:
    """Draw recorded polls, each (stable, candidate). Raises `Trouble`."""
    from headgate.judge.bets import to_e

    plot = _plot()
    points = [
        plot.Point(
            number,
            _share(stable),
            _share(candidate),
            None,
            to_e(each.known.log_e),
            each.verdict,
        )
        for number, ((stable, candidate), each) in enumerate(
            zip(polls, judged, strict=True), start=1
        )
    ]
    _save(plot.Picture(title, "bad", points, None, 1 / settings.alpha, unit="polls"), file)


def _deciding(end: Replayed) -> Check:
    checks = [check for check in end.judgement.checks if check.e is not None]
    if not checks:
        raise Trouble("there is no rule on errors or latency to draw")
    bad = [check for check in checks if check.verdict == "Bad"]
    return bad[0] if bad else max(checks, key=lambda check: check.e or 0.0)


def _share(requests: Requests) -> float | None:
    return requests.share if requests.total else None


def _plot() -> ModuleType:
    try:
        return importlib.import_module("headgate.integrations.plot")
    except ImportError as error:
        raise Trouble("--plot needs matplotlib: pip install 'headgate[plot]'") from error


def _save(picture: Picture, file: Path) -> None:
    from headgate.integrations.plot import save

    try:
        save(picture, file)
    except (OSError, ValueError) as error:
        raise Trouble(f"{file} cannot be drawn: {error}") from error

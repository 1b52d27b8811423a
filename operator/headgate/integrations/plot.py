"""What happened in a release as a picture: both sides, the limit, the weights, the verdict.

For `headgate replay --plot`; needs the extra `headgate[plot]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

from headgate.judge import Verdict

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.ticker import MaxNLocator

LONG = 600.0
"""Seconds from which on time is told in minutes."""

FEW = 60
"""Points that are marked one by one."""

LEAST_E, MOST_E = 1e-3, 1e12
"""Beyond, the curve would make all else too small to see."""

STABLE, CANDIDATE, LIMIT, TRAFFIC = "#4c72b0", "#dd8452", "#c44e52", "#8c8c8c"


@dataclass(frozen=True)
class Point:
    """One poll: seconds since the first one, the shares of bad requests of both sides (None without
    a request), the candidate's percent of traffic, E, and the verdict."""

    at: float
    stable: float | None
    candidate: float | None
    weight: float | None
    e: float
    verdict: Verdict


@dataclass(frozen=True)
class Picture:
    """A metric's points, and what they are held against: `limit` is a share, `bad_from` an E; the
    title says what happened. `unit` is that of the points' times: seconds or polls."""

    title: str
    metric: str
    points: Sequence[Point]
    limit: float | None
    bad_from: float
    unit: str = "seconds"


def save(picture: Picture, file: Path) -> None:
    """Draw it into a PNG or SVG file. Raises OSError, and ValueError for another kind of file."""
    points, unit, scale = picture.points, picture.unit, 1.0
    if unit == "seconds" and points and points[-1].at > LONG:
        unit, scale = "minutes", 60.0
    times = [point.at / scale for point in points]
    figure, (shares, evidence) = pyplot.subplots(
        2, 1, sharex=True, figsize=(10, 6.5), height_ratios=(3, 2), layout="constrained"
    )
    for name, colour, values in (
        ("stable", STABLE, [point.stable for point in points]),
        ("candidate", CANDIDATE, [point.candidate for point in points]),
    ):
        known = [(time, 100 * v) for time, v in zip(times, values, strict=True) if v is not None]
        shares.plot(
            [time for time, _ in known],
            [value for _, value in known],
            color=colour,
            label=name,
            linewidth=1.8,
            marker="o" if len(points) <= FEW else None,
            markersize=4,
        )
    if picture.limit is not None:
        said = f"limit {100 * picture.limit:g} %"
        shares.axhline(100 * picture.limit, color=LIMIT, linestyle="--", label=said)
    shares.set_ylabel(f"{picture.metric}, % of requests")
    shares.set_ylim(bottom=-0.02 * shares.get_ylim()[1])
    evidence.plot(
        times,
        [min(max(point.e, LEAST_E), MOST_E) for point in points],
        color=CANDIDATE,
        linewidth=1.8,
    )
    evidence.axhline(
        picture.bad_from, color=LIMIT, linestyle="--", label=f"Bad from {picture.bad_from:g}"
    )
    evidence.set_yscale("log")
    evidence.set_ylabel("E, evidence against it")
    evidence.set_xlabel(unit)
    if unit == "polls":
        evidence.xaxis.set_major_locator(MaxNLocator(integer=True))
    bad = next((point for point in points if point.verdict is Verdict.BAD), None)
    if bad is not None:
        for axes in (shares, evidence):
            axes.axvline(bad.at / scale, color=LIMIT, linewidth=1.2)
        shares.annotate(
            "Bad",
            (bad.at / scale, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, -14),
            textcoords="offset points",
            color=LIMIT,
        )
    if any(point.weight is not None for point in points):
        traffic = shares.twinx()
        weights = [point.weight if point.weight is not None else float("nan") for point in points]
        traffic.step(times, weights, where="post", color=TRAFFIC, linewidth=1, alpha=0.8)
        traffic.set_ylim(-2, 105)
        traffic.set_ylabel("candidate's weight, %", color=TRAFFIC)
    shares.set_title(picture.title, loc="left", fontsize=11, wrap=True)
    for axes in (shares, evidence):
        axes.legend(loc="upper left", frameon=False)
        axes.spines[["top"]].set_visible(False)
        axes.grid(alpha=0.25)
    figure.savefig(file, dpi=120)
    pyplot.close(figure)

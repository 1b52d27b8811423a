"""The results as Markdown, for people and for `docs/measurements.md`."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from hack.bench.document import table
from hack.bench.engine import Latencies, Release, Results, Window

NAME = "bench-engine"
TITLE = "The release engine"
_MIB = 1024 * 1024
_MILLISECONDS = 1000


def markdown(results: Results, when: str, machine: str) -> str:
    """All tables."""
    parts = [
        f"Measured {when} on {machine}. Every API request is counted but those about leases.",
        *(_release(each) for each in results.releases),
        _windows(results.windows),
        _latencies(results.latencies),
        _starts(results),
        _requests(results.windows),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def _release(release: Release) -> str:
    rows = [("API requests, until all is at rest", f"{release.requests.total()}")]
    if release.first_pod is not None:
        rows.append(("spec changed to first candidate pod created", _ms(release.first_pod)))
    if release.beyond_holds is not None:
        rows.append(("time beyond the holds", f"{release.beyond_holds:.1f} s"))
    if release.sample_to_decision is not None:
        rows.append(("first bad sample to decision", f"{release.sample_to_decision:.1f} s"))
    if release.decision_to_pinned is not None:
        rows.append(("decision to the Service pinned", _ms(release.decision_to_pinned)))
    title = "A good canary" if release.good else "A bad canary"
    what = "5 replicas, 20/40/60/80 % for 15 s each, scraped every 5 s"
    head = f"{_of(release.tree)}**{title}**, {what}:"
    return f"{head}\n\n{table(('', ''), rows)}\n\nRequests: {_counts(release.requests)}."


def _windows(windows: Sequence[Window]) -> str:
    if not windows:
        return ""
    head = (
        *("operator", "ModelDeployments", "under way", "resident", "proportional", "peak"),
        *("API requests a minute", "without watches", "Prometheus queries a minute"),
        *("CPU of one core", "load of the machine"),
    )
    rows = [
        (
            each.tree or "this one",
            f"{each.models:,}",
            f"{each.under_way}",
            f"{each.weight.resident / _MIB:.0f} MiB",
            f"{each.weight.proportional / _MIB:.0f} MiB",
            f"{each.weight.peak / _MIB:.0f} MiB",
            f"{each.per_minute(each.requests.total()):.1f}",
            f"{each.per_minute(_others(each.requests)):.1f}",
            f"{each.per_minute(each.queries):.1f}",
            f"{100 * each.processor:.2f} %",
            f"{each.load:.1f}",
        )
        for each in windows
    ]
    return f"**At rest and under way**, watched for {windows[0].seconds:.0f} s each:\n\n" + table(
        head, rows
    )


def _latencies(latencies: Iterable[Latencies]) -> str:
    rows = []
    for each in latencies:
        for name, values in (
            ("spec changed to first candidate pod created", each.first_pod),
            ("first bad sample to decision", each.sample_to_decision),
            ("Bad verdict to the Service pinned", each.decision_to_pinned),
            ("the same, all found bad by one poll", each.together_to_pinned),
        ):
            if values:
                rows.append(
                    (
                        *(each.tree or "this one", name, f"{each.under_way} of {each.models}"),
                        f"{len(values)}",
                        *(_ms(statistics.median(values)), _ms(percentile(values, 0.99))),
                    )
                )
    head = ("operator", "from … to", "releases", "measured", "median", "p99")
    return table(head, rows) if rows else ""


def _starts(results: Results) -> str:
    said = [
        f"{_of(tree)}{models:,}: {seconds:.1f} s"
        for (tree, models), seconds in results.starts.items()
    ]
    return f"From the start of a process to all objects known: {', '.join(said)}." if said else ""


def _requests(windows: Iterable[Window]) -> str:
    lines = [
        f"- {_of(each.tree)}{each.models:,}, {each.under_way} under way, in {each.seconds:.0f} s: "
        f"{_counts(each.requests) or 'none'}"
        for each in windows
    ]
    return "\n".join(["Which requests these were:", "", *lines])


def _of(tree: str) -> str:
    return f"{tree}: " if tree else ""


def _others(requests: Counter[str]) -> int:
    return sum(number for name, number in requests.items() if not name.startswith("watch "))


def _counts(requests: Counter[str]) -> str:
    return ", ".join(f"{number} × {name}" for name, number in requests.most_common())


def _ms(seconds: float) -> str:
    return f"{_MILLISECONDS * seconds:,.0f} ms"

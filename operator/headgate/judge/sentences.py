"""How numbers and verdicts read: plain English, the same words on every surface.

`headgate.judge.verdicts` chooses what is said, this says it. A person sees these sentences in
`kubectl describe`, in events, in the log and in notifications.
"""

from headgate.api.quantities import format_duration
from headgate.judge.tally import Requests


def percent(share: float) -> str:
    """A measured share: `31.2 %`, and two figures of a small one: `0.042 %`."""
    if 0 < share < 0.001:
        return f"{share * 100:.2g} %"
    return f"{share * 100:.1f} %"


def percent_limit(share: float) -> str:
    """A share that somebody set, as set: `5 %`, `0.1 %`."""
    return f"{share * 100:.10g} %"


def count(requests: float) -> str:
    """A number of requests with thousands marked: `12,630`."""
    return f"{requests:,.0f}"


def latency(seconds: float) -> str:
    """A latency: `412 ms`, `1 s`, `1.25 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"


def span(seconds: float) -> str:
    """A stretch of time in whole seconds, as in a manifest: `45s`, `5m`, `1h30m`."""
    return format_duration(round(seconds))


def what(slower_than: float | None) -> str:
    """What is counted as bad: `errors`, or `of requests slower than 1 s`."""
    return "errors" if slower_than is None else f"of requests slower than {latency(slower_than)}"


def over_limit(
    subject: str,
    counted: Requests,
    limit: float,
    *,
    slower_than: float | None = None,
    latest: bool = False,
    stable_share: float | None = None,
    p99: float | None = None,
) -> str:
    """`candidate 31.2 % errors (96 of 308 requests) is over the limit of 5 %; stable 1.0 %`."""
    of = "the last " if latest else ""
    sentence = (
        f"{subject} {percent(counted.share)} {what(slower_than)} "
        f"({count(counted.bad)} of {of}{count(counted.total)} requests) "
        f"is over the limit of {percent_limit(limit)}"
    )
    if p99 is not None:
        sentence += f", p99 {latency(p99)}"
    return sentence + ("" if stable_share is None else f"; stable {percent(stable_share)}")


def side_by_side(
    subject: str, counted: Requests, stable: Requests, *, slower_than: float | None = None
) -> str:
    """`candidate 0.9 % errors against 1.0 % (4,180 and 12,630 requests)`; without requests of
    stable only the first half."""
    start = f"{subject} {percent(counted.share)} {what(slower_than)}"
    if not stable.total:
        return f"{start} ({count(counted.total)} requests)"
    return (
        f"{start} against {percent(stable.share)} "
        f"({count(counted.total)} and {count(stable.total)} requests)"
    )


def too_few(
    subject: str, total: float, slower_than: float | None, needed: float, left: float | None
) -> str:
    """`candidate had 120 of the 300 requests that are needed; at this rate in 3m`. `left` is in
    seconds, None when nothing comes."""
    kind = "requests" if slower_than is None else "timed requests"
    said = f"{subject} had {count(total)} of the {count(needed)} {kind} that are needed"
    return said if left is None else f"{said}; at this rate in {span(max(1.0, left))}"

"""PromQL from structured parts: nothing that an author wrote reaches a query unescaped.

Every selector carries the matchers of namespace and pod. `counters`, `quantiles` and
`boundaries` are the three questions that are asked; `headgate.metrics.readings` reads the rows.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headgate.metrics.presets import Preset

KIND = "headgate_kind"
"""The label that tells the rows of one answer apart: requests, errors or bucket."""

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


@dataclass(frozen=True)
class Matcher:
    """A label matcher; `operator` is one of `=`, `!=`, `=~`, `!~`, `value` is not yet quoted."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{quote(self.value)}"


def quote(value: str) -> str:
    """A PromQL string literal."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def one_of(label: str, values: Iterable[str]) -> Matcher:
    """A matcher for exactly these values, in the form that Prometheus looks up without scanning."""
    alternatives = (_SPECIAL.sub(r"\\\g<0>", value) for value in sorted(set(values)))
    return Matcher(label, "=~", "|".join(alternatives))


def counters(
    preset: "Preset",
    pods: Collection[tuple[str, str]],
    limits: Collection[float],
    oldest: float,
) -> str:
    """Raw counters of all pods in one question: requests, errors and the buckets of `limits`.

    `pods` are (namespace, name). One question, so that no scrape falls between its parts: a
    scrape that adds errors before it adds requests would read as a fault. A sample older than
    `oldest` seconds is left out. Per pod the highest of duplicate series counts.
    """
    where = _where(pods)
    total = _fresh(preset.requests, where, oldest)
    failed = _fresh(preset.requests, (*where, *preset.failed), oldest)
    parts = [
        _kind("requests", _per_pod(total, preset.labels)),
        _kind("errors", _per_pod(failed, preset.labels)),
    ]
    if limits:
        buckets = _fresh(preset.buckets, (*where, _le(limits)), oldest)
        parts.append(_kind("bucket", _per_pod(buckets, preset.bucket_labels, "le")))
    return " or ".join(parts)


def quantiles(preset: "Preset", pods: Collection[tuple[str, str]], window: float) -> str:
    """Each pod's p99 over the last `window` seconds, interpolated inside a bucket: for display."""
    rates = f"rate({_selector(preset.buckets, _where(pods))}[{_duration(window)}])"
    return f"histogram_quantile(0.99, {_per_pod(rates, preset.bucket_labels, 'le')})"


def boundaries(preset: "Preset", pods: Collection[tuple[str, str]]) -> str:
    """The bucket boundaries of each pod's histogram, one row each."""
    return f"count by (namespace, pod, le) ({_selector(preset.buckets, _where(pods))})"


def _where(pods: Collection[tuple[str, str]]) -> tuple[Matcher, ...]:
    namespaces = one_of("namespace", (namespace for namespace, _ in pods))
    return namespaces, one_of("pod", (pod for _, pod in pods))


def _le(limits: Collection[float]) -> Matcher:
    # Client libraries spell a boundary "1" or "1.0", and very small ones with an exponent.
    spellings = {"+Inf"}
    for limit in limits:
        spellings |= {repr(float(limit)), format(limit, ".15g")}
    return one_of("le", spellings)


def _selector(name: str, matchers: Iterable[Matcher]) -> str:
    return f"{name}{{{','.join(str(matcher) for matcher in matchers)}}}"


def _fresh(name: str, matchers: Iterable[Matcher], oldest: float) -> str:
    """The last samples not older than `oldest` seconds.

    Not `last_over_time`: that overlooks staleness markers, so after a restart the error series
    of the old process would still be added to the new one's total.
    """
    selector = _selector(name, matchers)
    return f"({selector} and (time() - timestamp({selector}) <= {oldest:g}))"


def _per_pod(series: str, labels: tuple[str, ...], *kept: str) -> str:
    by = ", ".join(("namespace", "pod", *kept))
    deduplicated = ", ".join(("namespace", "pod", *labels, *kept))
    return f"sum by ({by}) (max by ({deduplicated}) ({series}))"


def _kind(kind: str, series: str) -> str:
    return f'label_replace({series}, "{KIND}", "{kind}", "", "")'


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))}s"

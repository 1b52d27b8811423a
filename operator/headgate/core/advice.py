"""What works but is unwise in a spec: `headgate lint` says it before anybody has to find out.

Each piece of advice names a field and the cure. Nothing here is refused by the API server.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headgate.api.analysis import Metric
from headgate.api.quantities import format_duration, is_zero, parse_duration
from headgate.api.spec import ModelDeploymentSpec
from headgate.api.strategy import OnTimeout, StrategyType
from headgate.core.settings import replicas_of, surge_of, unavailable_of
from headgate.core.steps import Step, steps_of
from headgate.core.weights import NoSplitError, split

USUAL_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Seconds of the buckets that Prometheus' client libraries make when nobody says otherwise."""
FAR = 1.5
"""How many times the weight may be missed before it is worth saying."""
QUIET = 10.0
"""Requests per second that a model is taken to have when its spec says nothing of throughput."""
MOST_REPLICAS = 200


@dataclass(frozen=True)
class Advice:
    """One thing to reconsider."""

    field: str
    sentence: str


def advise(spec: ModelDeploymentSpec) -> list[Advice]:
    """All advice on a resolved spec, in the order of its fields.

    Raises `headgate.core.weights.NoSplitError` when whole pods cannot share the traffic.
    """
    parts = (_images, _strategy, _steps, _smoke, _analysis, _conditions, _watch)
    return [advice for part in parts for advice in part(spec)]


Found = Iterator[Advice]


def _images(spec: ModelDeploymentSpec) -> Found:
    for index, container in enumerate(spec.template["spec"]["containers"]):
        image = str(container["image"])
        field = f"spec.template.spec.containers[{index}].image"
        name = image.rpartition("/")[2]
        if "@" in image:
            continue
        if ":" not in name or name.endswith(":latest"):
            yield Advice(
                field,
                f"{image} may be another image tomorrow, and then a restarted pod is another"
                " version: name a tag that stays, or a digest",
            )


def _strategy(spec: ModelDeploymentSpec) -> Found:
    if spec.suspend:
        yield Advice("spec.suspend", "nothing is released while it is true: remove it to release")
    kind = spec.strategy.type
    if spec.replicas == 1 and kind is not StrategyType.BLUE_GREEN:
        yield Advice(
            "spec.replicas",
            f"1 pod cannot share traffic in small parts, so {kind} gives the new version half of it"
            " at once: raise replicas, or set strategy.type to BlueGreen",
        )


def _steps(spec: ModelDeploymentSpec) -> Found:
    if spec.strategy.type is not StrategyType.CANARY:
        return
    before: Step | None = None
    for step in steps_of(spec):
        field = f"spec.strategy.canary.steps[{step.index}]"
        if step.approval is not None:
            if step.approval.on_timeout is OnTimeout.PROMOTE:
                yield Advice(
                    f"{field}.approval.onTimeout",
                    "promote takes silence for consent: revert is the safe answer",
                )
            continue
        if not step.shared:
            continue
        yield from _weight(spec, step, field)
        yield from _hold(spec, step, field)
        if before is not None and step.weight <= before.weight:
            yield Advice(f"{field}.weight", f"{step.weight} % is no more than the step before has")
        elif before is not None and step.split == before.split:
            pods = f"{step.split.candidate} of {step.split.candidate + step.split.stable} pods"
            yield Advice(
                f"{field}.weight",
                f"{step.weight} % is {pods}, as in the step before, so it moves no traffic: raise"
                " replicas, or remove the step",
            )
        before = step


def _weight(spec: ModelDeploymentSpec, step: Step, field: str) -> Found:
    if spec.replicas == 1 or not _is_far(step.effective_weight, step.weight):
        return
    enough = _replicas_for(spec, step.weight)
    cure = f"{enough} replicas come near" if enough else "write the share that the pods can have"
    yield Advice(
        f"{field}.weight",
        f"{step.weight} % is {step.effective_weight:.3g} % in whole pods"
        f" ({step.split.candidate} of {step.split.candidate + step.split.stable}): {cure}",
    )


def _is_far(effective: float, weight: int) -> bool:
    return effective >= FAR * weight or effective <= weight / FAR


def _replicas_for(spec: ModelDeploymentSpec, weight: int) -> int | None:
    """The fewest replicas with which a weight is nearly met."""
    for replicas in range(replicas_of(spec), MOST_REPLICAS):
        other = spec.model_copy(update={"replicas": replicas})
        try:
            pods = split(replicas, weight, surge_of(other), unavailable_of(other))
        except NoSplitError:
            continue
        if not _is_far(pods.effective_weight, weight):
            return replicas
    return None


def _hold(spec: ModelDeploymentSpec, step: Step, field: str) -> Found:
    interval = parse_duration(spec.analysis.interval)
    if step.hold < 2 * interval:
        yield Advice(
            f"{field}.hold",
            f"{format_duration(step.hold)} is less than two of analysis.interval"
            f" ({spec.analysis.interval}), so little is measured: hold it longer",
        )
        return
    samples = spec.analysis.comparison.min_samples
    needed = samples / (step.hold * step.effective_weight / 100)
    rule = spec.analysis.rules.throughput
    expected = rule.min if rule is not None and rule.min > 0 else QUIET
    if needed > expected:
        yield Advice(
            f"{field}.hold",
            f"the candidate sees analysis.comparison.minSamples ({samples}) within"
            f" {format_duration(step.hold)} only if the model gets {needed:.0f} requests per second"
            " or more; with fewer the step waits: hold it longer, or lower minSamples",
        )


def _smoke(spec: ModelDeploymentSpec) -> Found:
    if not spec.smoke.requests:
        yield Advice(
            "spec.smoke.requests",
            "without a request a version that starts but cannot predict is found out by live"
            " traffic: add one with a known answer",
        )


def _analysis(spec: ModelDeploymentSpec) -> Found:
    analysis = spec.analysis
    if analysis.rules.latency_p99 is not None:
        limit = analysis.rules.latency_p99.max
        yield from _boundary("spec.analysis.rules.latencyP99.max", limit)
    if parse_duration(analysis.unknown_timeout) < 2 * parse_duration(analysis.interval):
        yield Advice(
            "spec.analysis.unknownTimeout",
            f"{analysis.unknown_timeout} is less than two of analysis.interval"
            f" ({analysis.interval}): one lost sample takes a release back; make it longer",
        )


def _boundary(field: str, limit: str) -> Found:
    seconds = parse_duration(limit)
    if seconds in USUAL_BOUNDARIES:
        return
    nearest = min(USUAL_BOUNDARIES, key=lambda each: abs(each - seconds))
    spelled = f"{nearest:g}s" if nearest >= 1 else f"{nearest * 1000:g}ms"
    yield Advice(
        field,
        f"{limit} is no usual bucket boundary, and is then judged at the nearest one: write"
        f" {spelled}, or give the model server's histogram a bucket there",
    )


def _conditions(spec: ModelDeploymentSpec) -> Found:
    conditions = spec.rollback.conditions
    if not conditions:
        yield Advice(
            "spec.rollback.conditions",
            "with an empty list nothing takes a version back once it is live: leave it out for"
            " the usual ones",
        )
    for index, each in enumerate(conditions):
        field = f"spec.rollback.conditions[{index}]"
        if each.metric is Metric.LATENCY_P99:
            side = "above" if each.above is not None else "below"
            yield from _boundary(f"{field}.{side}", str(getattr(each, side)))
        if parse_duration(each.duration) < parse_duration(spec.analysis.interval):
            yield Advice(
                f"{field}.for",
                f"{each.duration} is less than analysis.interval ({spec.analysis.interval}), so one"
                " bad sample reverts: make it longer",
            )


def _watch(spec: ModelDeploymentSpec) -> Found:
    if parse_duration(spec.watch.duration) == 0:
        yield Advice(
            "spec.watch.duration", "a version is not watched once it is live: 60m is usual"
        )
    elif spec.watch.keep_previous is not None and is_zero(spec.watch.keep_previous):
        yield Advice(
            "spec.watch.keepPrevious",
            "no pod of the version before is kept, so going back has to start them: keep 50%",
        )

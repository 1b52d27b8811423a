"""The resolved spec as the numbers that planning and judging compute with."""

from __future__ import annotations

from headgate.api.analysis import WITHOUT_LATENCY, Analysis
from headgate.api.gauge import Better
from headgate.api.judged import Judged
from headgate.api.quantities import parse_duration, resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.judge import (
    Comparison,
    Condition,
    Drift,
    Gauge,
    JudgeSettings,
    Metric,
    Policy,
)

DEFAULT_SCRAPE_INTERVAL = 15.0
DEFAULT_SCHEDULING_TIMEOUT = "2m"


def replicas_of(spec: ModelDeploymentSpec) -> int:
    """How many pods shall serve."""
    return spec.replicas if spec.replicas is not None else 1


def surge_of(spec: ModelDeploymentSpec) -> int:
    """Pods above the replicas; rounded up, as in a Deployment."""
    return resolve(spec.strategy.max_surge, replicas_of(spec), round_up=True)


def unavailable_of(spec: ModelDeploymentSpec) -> int:
    """Pods below the replicas; rounded down, as in a Deployment.

    When both percentages round to nothing no pod could ever be replaced: then one may be missing.
    """
    unavailable = resolve(spec.strategy.max_unavailable, replicas_of(spec), round_up=False)
    return max(unavailable, 0 if surge_of(spec) else 1)


def revert_floor_of(spec: ModelDeploymentSpec) -> int:
    """Ready stable pods from which a revert pins traffic in its first write; at least one."""
    return max(1, resolve(spec.rollback.revert_floor, replicas_of(spec), round_up=True))


def kept_of(spec: ModelDeploymentSpec) -> int:
    """The most pods of the previous version that are kept after promotion."""
    if spec.watch.keep_previous is None:
        return replicas_of(spec)
    return resolve(spec.watch.keep_previous, replicas_of(spec), round_up=True)


def keep_for_of(spec: ModelDeploymentSpec) -> float | None:
    """Seconds after promotion for which they are kept; None for as long as the watch lasts."""
    return None if spec.watch.keep_for is None else parse_duration(spec.watch.keep_for)


def ready_floor_of(spec: ModelDeploymentSpec) -> int:
    """Ready pods that swapping never goes below; at most all but one, or none could be swapped."""
    replicas = replicas_of(spec)
    floor = spec.strategy.ready_floor
    wanted = replicas - unavailable_of(spec)
    if floor is not None:
        wanted = resolve(floor, replicas, round_up=True)
    return max(0, min(wanted, replicas - 1))


def scheduling_timeout_of(spec: ModelDeploymentSpec) -> float:
    """Seconds for which a candidate's pod may be unschedulable before something else is tried."""
    return parse_duration(spec.strategy.scheduling_timeout or DEFAULT_SCHEDULING_TIMEOUT)


def judge_settings(
    spec: ModelDeploymentSpec, scrape_interval: float = DEFAULT_SCRAPE_INTERVAL
) -> JudgeSettings:
    """The analysis and rollback parts of a resolved spec, in seconds and shares."""
    analysis = spec.analysis
    rules = analysis.rules
    timed = analysis.runtime not in WITHOUT_LATENCY
    by_metric: dict[Metric, Judged | None] = {
        Metric.ERROR_RATE: rules.error_rate,
        Metric.LATENCY_P99: rules.latency_p99,
        Metric.THROUGHPUT: rules.throughput,
    }
    return JudgeSettings(
        interval=parse_duration(analysis.interval),
        scrape_interval=scrape_interval,
        unknown_timeout=parse_duration(analysis.unknown_timeout),
        error_rate_max=rules.error_rate.max if rules.error_rate else None,
        latency_max=parse_duration(rules.latency_p99.max) if rules.latency_p99 and timed else None,
        throughput_min=rules.throughput.min if rules.throughput else None,
        gauges=tuple(
            Gauge(
                name=each.name,
                higher_is_worse=each.better is Better.LOWER,
                tolerance=each.tolerance,
                alpha=each.alpha,
                min_samples=each.min_samples,
                policy=_policy(each, analysis),
            )
            for each in analysis.gauges
        ),
        drift=tuple(
            Drift(
                name=each.name,
                method=each.method,
                threshold=each.threshold,
                alpha=each.alpha,
                min_samples=each.min_samples,
                policy=_policy(each, analysis),
            )
            for each in analysis.drift
        ),
        policies={metric: _policy(rule, analysis) for metric, rule in by_metric.items() if rule},
        policy=Policy(on_inconclusive=analysis.on_inconclusive),
        conditions=tuple(
            Condition(
                name=each.name,
                metric=Metric(each.metric.value),
                above=each.limit if each.above is not None else None,
                below=each.limit if each.below is not None else None,
                duration=parse_duration(each.duration),
            )
            for each in spec.rollback.conditions
            if timed or each.metric.value != Metric.LATENCY_P99
        ),
        comparison=Comparison(
            tolerance=analysis.comparison.tolerance,
            alpha=analysis.comparison.alpha,
            min_samples=analysis.comparison.min_samples,
        ),
    )


def _policy(judged: Judged, analysis: Analysis) -> Policy:
    return Policy(
        critical=judged.critical,
        dry_run=judged.dry_run,
        initial_delay=parse_duration(judged.initial_delay) if judged.initial_delay else 0.0,
        on_unknown=judged.on_unknown,
        on_inconclusive=judged.on_inconclusive or analysis.on_inconclusive,
    )


def progress_deadline_of(spec: ModelDeploymentSpec) -> float:
    """Seconds without progress after which a release is reverted."""
    return parse_duration(spec.progress_deadline)

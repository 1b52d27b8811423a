"""What an environment fills in where the author said nothing (R1), and what holds without one.

`resolve` stands between parsing a spec and everything that reads it. What has no field on the
resource (limits, log level) is data here, which the rendering of the workload reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from headgate.api.analysis import Analysis, ErrorRateRule, LatencyRule, Level, ThroughputRule
from headgate.api.service import Service
from headgate.api.spec import EnvironmentName, ModelDeploymentSpec
from headgate.api.strategy import (
    DEFAULT_HOLD,
    BlueGreen,
    Canary,
    OnTimeout,
    Rolling,
    Step,
    Strategy,
    StrategyType,
    preset_steps,
)

MEMORY_REQUEST = "512Mi"
CPU_REQUEST = "250m"


@dataclass(frozen=True)
class Environment:
    """One column of R1. Quantities are in Kubernetes' spelling, `least_accuracy` is a share."""

    replicas: int
    strategy: StrategyType
    memory_limit: str
    cpu_limit: str
    log_level: str
    monitoring: Level
    memory_request: str = MEMORY_REQUEST
    cpu_request: str = CPU_REQUEST
    evaluation_data: str | None = None
    least_accuracy: float = 0.85
    followed_version: str | None = None


ENVIRONMENTS: Mapping[EnvironmentName, Environment] = {
    EnvironmentName.DEV: Environment(
        replicas=1,
        strategy=StrategyType.BLUE_GREEN,
        memory_limit="512Mi",
        cpu_limit="250m",
        log_level="DEBUG",
        monitoring=Level.BASIC,
        evaluation_data="sample_data",
        least_accuracy=0.70,
        followed_version="latest",
    ),
    EnvironmentName.STAGING: Environment(
        replicas=2,
        strategy=StrategyType.CANARY,
        memory_limit="1Gi",
        cpu_limit="500m",
        log_level="INFO",
        monitoring=Level.DETAILED,
        evaluation_data="production_subset",
        least_accuracy=0.85,
        followed_version="candidate",
    ),
    EnvironmentName.PRODUCTION: Environment(
        replicas=5,
        strategy=StrategyType.ROLLING,
        memory_limit="2Gi",
        cpu_limit="1000m",
        log_level="WARN",
        monitoring=Level.COMPREHENSIVE,
        evaluation_data="production_full",
        least_accuracy=0.90,
        followed_version="stable",
    ),
}

WITHOUT_ENVIRONMENT = Environment(
    replicas=1,
    strategy=StrategyType.CANARY,
    memory_limit="1Gi",
    cpu_limit="500m",
    log_level="INFO",
    monitoring=Level.DETAILED,
)


def environment_of(spec: ModelDeploymentSpec) -> Environment:
    """The presets that hold for this spec."""
    if spec.environment is None:
        return WITHOUT_ENVIRONMENT
    return ENVIRONMENTS[spec.environment]


def _resolve_step(step: Step) -> Step:
    if step.approval is not None:
        approval = step.approval
        if approval.timeout is None or approval.on_timeout is not None:
            return step
        reverting = approval.model_copy(update={"on_timeout": OnTimeout.REVERT})
        return step.model_copy(update={"approval": reverting})
    if step.weight is None or step.hold is not None:
        return step
    return step.model_copy(update={"hold": DEFAULT_HOLD})


def _resolve_strategy(strategy: Strategy, environment: Environment) -> Strategy:
    canary = strategy.canary or Canary()
    steps = canary.steps or preset_steps(canary.preset)
    return strategy.model_copy(
        update={
            "type": strategy.type or environment.strategy,
            "canary": canary.model_copy(update={"steps": [_resolve_step(each) for each in steps]}),
            "blue_green": strategy.blue_green or BlueGreen(),
            "rolling": strategy.rolling or Rolling(),
        }
    )


def _resolve_analysis(analysis: Analysis, environment: Environment) -> Analysis:
    level = analysis.level or environment.monitoring
    rules = analysis.rules
    detailed = level in (Level.DETAILED, Level.COMPREHENSIVE)
    return analysis.model_copy(
        update={
            "level": level,
            "rules": rules.model_copy(
                update={
                    "error_rate": rules.error_rate or ErrorRateRule(),
                    "latency_p99": rules.latency_p99 or (LatencyRule() if detailed else None),
                    "throughput": rules.throughput
                    or (ThroughputRule() if level is Level.COMPREHENSIVE else None),
                }
            ),
        }
    )


def _resolve_service(service: Service) -> Service:
    """Afterwards `port` and `target_port` are those of the first port, and all have a target."""
    if not service.ports:
        return service
    ports = [
        each.model_copy(update={"target_port": each.target_port or each.port})
        for each in service.ports
    ]
    first = ports[0]
    return service.model_copy(
        update={"ports": ports, "port": first.port, "target_port": first.target_port}
    )


def resolve(spec: ModelDeploymentSpec) -> ModelDeploymentSpec:
    """The spec with everything set that its author left out; what the author wrote is untouched.

    Afterwards `replicas`, `strategy.type`, all three strategy blocks, every weight's `hold`,
    `analysis.level` and `rules.error_rate` are set; a rule that is still None is not watched.
    """
    environment = environment_of(spec)
    return spec.model_copy(
        update={
            "service": _resolve_service(spec.service),
            "replicas": environment.replicas if spec.replicas is None else spec.replicas,
            "strategy": _resolve_strategy(spec.strategy, environment),
            "analysis": _resolve_analysis(spec.analysis, environment),
        }
    )

"""What is to be read of one release: its pods, and what its spec wants to know of them.

Pure. The runtime makes a target of every release under way, `headgate replay` of a past one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from headgate.api.analysis import BY_SERVICE
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.settings import judge_settings
from headgate.metrics.promql import Matcher, Query, Series
from headgate.metrics.subjects import Pod

Key = tuple[str, str]
"""A ModelDeployment's namespace and name."""


@dataclass(frozen=True)
class Target:
    """A release to read: its pods of both sides, the latency limits in seconds, and gauges and
    histograms of predictions by the names that the release gives them."""

    namespace: str
    name: str
    provider: str
    runtime: str
    pods: frozenset[str]
    limits: frozenset[float] = frozenset()
    gauges: Mapping[str, Series | Query] = field(default_factory=dict, hash=False)
    histograms: Mapping[str, Series] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> Key:
        """What its sample is filed under."""
        return self.namespace, self.name

    @property
    def all_pods(self) -> frozenset[Pod]:
        """Its pods with their namespace."""
        return frozenset((self.namespace, pod) for pod in self.pods)

    @property
    def by_service(self) -> bool:
        """Whether its runtime counts for the live Service and not for pods."""
        return self.runtime in BY_SERVICE

    @property
    def counted(self) -> frozenset[Pod]:
        """What its runtime counts requests of: its pods, or its live Service."""
        return frozenset({self.key}) if self.by_service else self.all_pods


def target_of(
    namespace: str, name: str, spec: ModelDeploymentSpec, pods: Collection[str]
) -> Target:
    """All that the spec of a ModelDeployment wants to know of these pods."""
    return Target(
        namespace=namespace,
        name=name,
        provider=spec.analysis.provider,
        runtime=spec.analysis.runtime,
        pods=frozenset(pods),
        limits=judge_settings(spec).latency_limits,
        gauges={
            each.name: Query(each.query)
            if each.query is not None
            else _series(each.series or "", each.matchers)
            for each in spec.analysis.gauges
        },
        histograms={each.name: _series(each.series, each.matchers) for each in spec.analysis.drift},
    )


def _series(name: str, matchers: Mapping[str, str]) -> Series:
    labels = sorted(matchers.items())
    return Series(name, (), tuple(Matcher(label, "=", value) for label, value in labels))

"""A small release to judge: pods with counters that a test moves, polled at its own times."""

from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings

from headgate.judge import (
    Evidence,
    Judgement,
    JudgeSettings,
    PodCounters,
    Sample,
    Side,
    Stage,
    begin,
    judge,
    observe,
)

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties: a busy machine is no failure."""

COMPARED = Stage(compared=True)
LIMIT = 1.0
SETTINGS = JudgeSettings(error_rate_max=0.05, latency_max=LIMIT)
SIDES = {"old": Side.STABLE, "new": Side.CANDIDATE}


@dataclass
class World:
    """Polls every 15 s; `serve` adds requests to a pod's counters, `poll` reads them all."""

    settings: JudgeSettings = SETTINGS
    stage: Stage = COMPARED
    sides: dict[str, Side] = field(default_factory=lambda: dict(SIDES))
    at: float = 1000.0
    counters: dict[str, list[float]] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=lambda: begin(1000.0, None))
    warm_from: dict[str, float] = field(default_factory=dict)
    age: float = 0.0

    def serve(self, pod: str, requests: float, errors: float = 0, slow: float = 0) -> None:
        """More requests of one pod; without any it only becomes readable."""
        row = self.counters.setdefault(pod, [0.0, 0.0, 0.0])
        for index, more in enumerate((requests, errors, slow)):
            row[index] += more

    def poll(self, seconds: float = 15.0, outage: str | None = None) -> Judgement:
        """One poll, `seconds` after the last."""
        self.at += seconds
        pods = {
            pod: PodCounters(row[0], row[1], dict.fromkeys(self.limits, row[2]))
            for pod, row in self.counters.items()
        }
        return self.see(Sample(self.at, {} if outage else pods, outage, age=self.age))

    def see(self, sample: Sample) -> Judgement:
        """The judgement after a sample, with the evidence as status would give it back."""
        evidence = observe(
            self.evidence, sample, self.sides, self.settings, self.stage, self.warm_from
        )
        self.evidence = Evidence.from_dict(evidence.to_dict())
        return judge(self.evidence, self.settings, self.stage)

    @property
    def limits(self) -> frozenset[float]:
        return self.settings.latency_limits


def started(**changes: object) -> World:
    """A world whose two pods have been read once, with a long life of the old one behind them."""
    world = World(**changes)  # type: ignore[arg-type]
    world.serve("old", 1_000_000, 10_000)
    world.serve("new", 0)
    world.poll()
    return world

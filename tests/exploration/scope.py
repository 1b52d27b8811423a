"""How large a small world is: strategy, replicas, revisions, and what may happen in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache

from headgate.api.environments import resolve
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.timing import to_text

NOW = 1_700_000_000.0
CONDITION = "high_error_rate"
APPROVAL_STEP = 2

CANARY = json.dumps(
    {
        "type": "Canary",
        "canary": {"steps": [{"weight": 20, "hold": "60s"}, {"weight": 50, "hold": "60s"}]},
    }
)
BLUE_GREEN = json.dumps({"type": "BlueGreen", "blueGreen": {"hold": "60s"}})
ROLLING = json.dumps({"type": "Rolling", "rolling": {"hold": "60s"}})


@dataclass(frozen=True)
class Scope:
    """One exploration. `disturbances` bounds how many events that are no part of a good release
    may happen on one path; what is part of it (pods get ready and end, checks pass, good samples,
    time passes) may happen in any order and number. `lag`: pods follow their Deployment later;
    `people`: they ask for things in spec.action; `freezes`: freeze windows begin and end; `capped`:
    a new release may have to wait for its turn; `keep_for`: how long the version before is kept.
    `places`: for so many pods there are devices (0: for all). `found`: what bears the name before
    anything of ours does and is to be adopted, a key of `tests.exploration.found.FOUND`.
    `restarts`: how often a person asks for a restart. `sizes` are the replicas that the spec may
    ask for, `strategies` its strategies; the first of them to begin with.
    """

    name: str
    strategies: tuple[str, ...]
    sizes: tuple[int, ...] = (2,)
    revisions: int = 2
    disturbances: int = 2
    lag: bool = False
    people: bool = False
    freezes: bool = False
    capped: bool = False
    keep_for: str = ""
    places: int = 0
    found: str = ""
    restarts: int = 0
    compared_each: int = 5
    without: frozenset[str] = field(default_factory=frozenset)

    def spec(
        self, version: str, replicas: int, suspend: bool, strategy: int, frozen: bool = False
    ) -> ModelDeploymentSpec:
        """The resolved spec that asks for a version."""
        chosen = self.strategies[strategy]
        return _spec(chosen, version, replicas, suspend, frozen, self.keep_for)


@cache
def _spec(
    strategy: str, version: str, replicas: int, suspend: bool, frozen: bool, keep_for: str
) -> ModelDeploymentSpec:
    window = {"from": to_text(NOW - 60.0), "until": to_text(NOW + 60.0)}
    return resolve(
        ModelDeploymentSpec.model_validate(
            {
                "model": {"name": "fraud", "version": version},
                "replicas": replicas,
                "suspend": suspend,
                "template": {"spec": {"containers": [{"name": "server", "image": "fraud:1"}]}},
                "strategy": json.loads(strategy),
                "analysis": {
                    "interval": "30s",
                    "unknownTimeout": "60s",
                    "level": "basic",
                    "comparison": {"minSamples": 20},
                },
                "rollback": {
                    "conditions": [
                        {"name": CONDITION, "metric": "errorRate", "above": 0.1, "for": "60s"}
                    ]
                },
                "watch": {"duration": "60s"} | ({"keepFor": keep_for} if keep_for else {}),
                "freezeWindows": [window] if frozen else [],
                "progressDeadline": "60s",
            }
        )
    )

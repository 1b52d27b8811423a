"""The planner: the only place that decides. From what is seen and a time to a `Plan`.

A chain of pure functions over one `State`, each of them one idea. It is deterministic, and once a
plan is carried out the next one has nothing left to write.
"""

from __future__ import annotations

from headgate.core.actions import act
from headgate.core.adoption import adopt
from headgate.core.advancing import advance
from headgate.core.desire import desire
from headgate.core.difference import difference, find_damage
from headgate.core.failures import fail_by_pods
from headgate.core.intents import Plan
from headgate.core.judging import judge_release
from headgate.core.keeping import let_go
from headgate.core.lifecycle import start, supersede
from headgate.core.observation import Observation
from headgate.core.recovery import recover
from headgate.core.report import conflicted, report
from headgate.core.restarting import restart
from headgate.core.reverting import conclude
from headgate.core.warming import warm_up

CHAIN = (
    supersede,
    act,
    fail_by_pods,
    judge_release,
    find_damage,
    advance,
    conclude,
    start,
    let_go,
    restart,
    warm_up,
    adopt,
)


def plan(observation: Observation, now: float) -> Plan:
    """What to write, what to say and when to look again.

    `now` is in epoch seconds. Raises `headgate.core.weights.NoSplitError` when a canary's weights
    have no whole pods, which admission refuses.
    """
    if observation.conflict is not None:
        return conflicted(observation, now)
    state = recover(observation, now)
    for link in CHAIN:
        state = link(state)
    desired = desire(state)
    return report(state, desired, difference(state, desired))

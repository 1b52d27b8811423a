"""The stories that are told and kept: every strategy, and what can happen to it."""

from __future__ import annotations

from dataclasses import replace

from headgate.api.status import Status
from headgate.core.observation import Workload
from tests.golden.events import behave, change, later, outage
from tests.golden.story import Story, apply
from tests.golden.world import Behaviour, Event, World

BLUE_GREEN = {"type": "BlueGreen", "blueGreen": {"hold": "5s"}}
ROLLING = {"type": "Rolling", "rolling": {"hold": "10s"}}
HIGH_ERROR_RATE = {
    "name": "high_error_rate",
    "metric": "errorRate",
    "above": 0.1,
    "for": "10s",
}
BAD = Behaviour(errors=0.3)
PRIVILEGED = Behaviour(
    forbidden='pods "fraud-" is forbidden: violates PodSecurity "restricted:latest": privileged '
    '(container "server" must not set securityContext.privileged=true)'
)


def _silence(version: str) -> Event:
    def event(world: World) -> None:
        world.silent.add(version)

    return event


def _delete_stable_deployment(world: World) -> None:
    assert world.status.stable is not None
    world.workloads.pop(world.status.stable.revision)


def _edit_deployments(world: World) -> None:
    for revision, workload in world.workloads.items():
        world.workloads[revision] = replace(workload, intact=False)


def _edit_live_service(world: World) -> None:
    assert world.live is not None
    world.live = replace(world.live, intact=False)


def _delete_live_service(world: World) -> None:
    world.live = None


def _lose_status(world: World) -> None:
    world.status = Status()


def _lose_status_and_service(world: World) -> None:
    world.status, world.live = Status(), None


def _leftover(world: World) -> None:
    """A Deployment of a revision that nobody knows."""
    world.workloads["leftover"] = Workload("leftover", 1)


STORIES = {
    "first-version": Story("A first version goes live", {0: apply("1.0.0")}, seconds=60),
    "first-version-crashes": Story(
        "A first version crashes: nothing to go back to, replaced by hand",
        {
            0: apply("1.0.0"),
            70: later("1.0.1"),
        },
        {"1.0.0": Behaviour(waiting="ErrImageNeverPull")},
        seconds=140,
    ),
    "first-version-never-called": Story(
        "Nobody calls the first version, so it has no metrics: the watch ends all the same",
        {0: apply("1.0.0"), 1: _silence("1.0.0")},
        seconds=60,
        rate=0.0,
    ),
    "canary-good": Story("A good canary", {0: apply("1.0.0"), 60: later("2.0.0")}, seconds=240),
    "canary-errors": Story(
        "A canary with errors is taken back",
        {0: apply("1.0.0"), 60: later("2.0.0")},
        {"2.0.0": BAD},
        seconds=150,
    ),
    "canary-slow": Story(
        "A slow canary is taken back",
        {0: apply("1.0.0"), 60: later("2.0.0")},
        {"2.0.0": Behaviour(slow=0.2)},
        seconds=150,
    ),
    "canary-turns-bad-late": Story(
        "A canary turns bad at its second step",
        {0: apply("1.0.0"), 60: later("2.0.0"), 108: behave("2.0.0", BAD)},
        seconds=180,
    ),
    "rejected-again": Story(
        "The rejected version is applied again and not tried; the next one is",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            120: later("1.0.0"),
            130: later("2.0.0"),
            150: later("2.0.1"),
        },
        {"2.0.0": BAD},
        seconds=300,
    ),
    "blue-green-good": Story(
        "A good blue/green switch",
        {0: apply("1.0.0", strategy=BLUE_GREEN), 60: later("2.0.0")},
        seconds=150,
    ),
    "blue-green-crashes": Story(
        "Blue/green whose pods crash after the switch goes back within seconds",
        {0: apply("1.0.0", strategy=BLUE_GREEN), 60: later("2.0.0")},
        {"2.0.0": Behaviour(crash_after=15.0)},
        seconds=150,
        capacity_checked=False,
    ),
    "blue-green-smoke": Story(
        "Blue/green whose smoke predictions fail never gets traffic",
        {0: apply("1.0.0", strategy=BLUE_GREEN), 60: later("2.0.0")},
        {"2.0.0": Behaviour(smoke_passes=False)},
        seconds=120,
    ),
    "rolling-good": Story(
        "A good rolling release",
        {0: apply("1.0.0", strategy=ROLLING), 60: later("2.0.0")},
        seconds=240,
    ),
    "rolling-bad": Story(
        "A bad rolling release is taken back",
        {0: apply("1.0.0", strategy=ROLLING), 60: later("2.0.0")},
        {"2.0.0": BAD},
        seconds=150,
    ),
    "rolling-without-surge": Story(
        "A rolling release in batches of two under maxUnavailable",
        {
            0: apply("1.0.0", strategy={**ROLLING, "maxSurge": 0, "maxUnavailable": 2}),
            60: later("2.0.0"),
        },
        seconds=200,
    ),
    "image-cannot-be-pulled": Story(
        "An image that cannot be pulled",
        {0: apply("1.0.0"), 60: later("2.0.0")},
        {"2.0.0": Behaviour(waiting="ImagePullBackOff")},
        seconds=120,
    ),
    "pods-forbidden": Story(
        "The namespace forbids privileged pods: taken back at once, and no pod makes way for them",
        {
            0: apply("1.0.0", strategy={"type": "Canary", "capacity": "Auto"}),
            60: later("2.0.0"),
        },
        {"2.0.0": PRIVILEGED},
        seconds=120,
    ),
    "first-version-forbidden": Story(
        "The namespace forbids the pods of a first version: said at once",
        {0: apply("1.0.0")},
        {"1.0.0": PRIVILEGED},
        seconds=90,
    ),
    "quota-until-the-deadline": Story(
        "A quota has no room for a pod more: held, and taken back by the progress deadline",
        {0: apply("1.0.0"), 60: later("2.0.0")},
        seconds=160,
        quota=4,
    ),
    "never-ready": Story(
        "Pods that never get ready run into the progress deadline",
        {0: apply("1.0.0"), 60: later("2.0.0")},
        {"2.0.0": Behaviour(startup=10_000.0)},
        seconds=160,
    ),
    "prometheus-down": Story(
        "Prometheus is down for a minute: the step is held, then goes on",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            80: outage("Prometheus did not answer within 5 s"),
            140: outage(None),
        },
        seconds=320,
    ),
    "candidate-silent": Story(
        "The candidate has no metrics while stable has: reverted after unknownTimeout",
        {0: apply("1.0.0"), 1: _silence("2.0.0"), 60: later("2.0.0")},
        seconds=160,
    ),
    "superseded": Story(
        "A newer version replaces the one under way",
        {0: apply("1.0.0"), 60: later("2.0.0"), 85: later("3.0.0")},
        seconds=300,
    ),
    "superseded-late": Story(
        "Superseding at 50 % keeps the ready floor",
        {0: apply("1.0.0"), 60: later("2.0.0"), 112: later("3.0.0")},
        seconds=330,
    ),
    "back-to-stable": Story(
        "The spec returns to stable in the middle: at once, without steps",
        {0: apply("1.0.0"), 60: later("2.0.0"), 85: later("1.0.0")},
        seconds=130,
    ),
    "back-after-promotion": Story(
        "The spec returns to the version before: without steps, as it once was stable",
        {0: apply("1.0.0"), 60: later("2.0.0"), 220: later("1.0.0")},
        seconds=280,
    ),
    "back-during-watch": Story(
        "The spec returns to the previous version while the new one is watched",
        {0: apply("1.0.0"), 60: later("2.0.0"), 145: later("1.0.0")},
        seconds=220,
    ),
    "condition-in-watch": Story(
        "A condition that holds for its whole duration in the watch reverts",
        {
            0: apply(
                "1.0.0",
                rollback={
                    "conditions": [
                        {
                            "name": "high_error_rate",
                            "metric": "errorRate",
                            "above": 0.1,
                            "for": "10s",
                        }
                    ]
                },
            ),
            60: later("2.0.0"),
            130: behave("2.0.0", BAD),
        },
        seconds=220,
    ),
    "rule-fails-in-watch": Story(
        "A rule that fails in the watch alerts and marks the release as failed",
        {0: apply("1.0.0"), 60: later("2.0.0"), 125: behave("2.0.0", Behaviour(slow=0.1))},
        seconds=240,
    ),
    "scaled-in-the-middle": Story(
        "Replicas change during a release",
        {0: apply("1.0.0"), 60: later("2.0.0"), 80: change(replicas=8), 130: change(replicas=5)},
        seconds=300,
        capacity_checked=False,
    ),
    "replicas-zero": Story(
        "A release with no replicas at all",
        {0: apply("1.0.0", replicas=0), 20: later("2.0.0"), 80: change(replicas=2)},
        seconds=120,
        rate=0.0,
        capacity_checked=False,
    ),
    "replicas-zero-release": Story(
        "A version applied while there are no replicas is released step by step once there are",
        {
            0: apply("1.0.0", progressDeadline="60s"),
            60: change(replicas=0),
            80: later("2.0.0"),
            # Longer than the progress deadline: nobody can expect progress without replicas.
            180: change(replicas=4),
        },
        seconds=280,
        capacity_checked=False,
    ),
    "edited-by-hand": Story(
        "Children edited or deleted by hand are restored before any step",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            80: _edit_deployments,
            90: _edit_live_service,
            100: _leftover,
        },
        seconds=260,
    ),
    "deleted-by-hand": Story(
        "The stable Deployment and the live Service are deleted by hand",
        {0: apply("1.0.0"), 50: _delete_stable_deployment, 70: _delete_live_service},
        seconds=100,
        capacity_checked=False,
    ),
    "status-lost": Story(
        "The status is lost in the middle of a release and in the watch",
        {0: apply("1.0.0"), 60: later("2.0.0"), 90: _lose_status, 180: _lose_status},
        seconds=320,
    ),
    "status-and-service-lost": Story(
        "Status and Service are lost: stable is found from the kept revisions",
        {0: apply("1.0.0"), 60: later("2.0.0"), 90: _lose_status_and_service},
        seconds=300,
        capacity_checked=False,
    ),
    "suspended": Story(
        "Suspended in the middle, resumed, and bad while suspended",
        {
            0: apply("1.0.0"),
            60: later("2.0.0"),
            80: change(suspend=True),
            110: change(suspend=False),
            118: change(suspend=True),
            125: behave("2.0.0", BAD),
        },
        seconds=180,
    ),
    "approval-times-out": Story(
        "Nobody approves in time: reverted",
        {
            0: apply(
                "1.0.0",
                strategy={
                    "type": "Canary",
                    "canary": {
                        "steps": [
                            {"weight": 25, "hold": "10s"},
                            {"approval": {"timeout": "30s", "onTimeout": "revert"}},
                        ]
                    },
                },
            ),
            60: later("2.0.0"),
        },
        seconds=160,
    ),
    "single-replica": Story(
        "One replica: a canary of two pods, weights approximated",
        {
            0: apply(
                "1.0.0",
                replicas=1,
                strategy={
                    "type": "Canary",
                    "canary": {"steps": [{"weight": 10, "hold": "10s"}]},
                },
            ),
            60: later("2.0.0"),
        },
        seconds=180,
    ),
    "bad-at-ninety": Story(
        "Bad at 90 % with few stable pods left: stable comes back before it is pinned to",
        {
            0: apply(
                "1.0.0",
                replicas=10,
                strategy={
                    "type": "Canary",
                    "canary": {"steps": [{"weight": 90, "hold": "60s"}]},
                },
            ),
            60: later("2.0.0"),
            130: behave("2.0.0", Behaviour(errors=0.3)),
        },
        seconds=220,
    ),
    "quiet-model": Story(
        "A model without requests is held, not promoted on nothing",
        {0: apply("1.0.0"), 60: later("2.0.0")},
        seconds=160,
        rate=0.0,
    ),
}

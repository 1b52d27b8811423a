"""What an author can say about strategy: steps of every kind, blue/green, capacity, keeping."""

from __future__ import annotations

from typing import Any

from headgate.api.status import Status
from tests.golden.events import behave, change, later, outage
from tests.golden.story import Story, apply
from tests.golden.world import Behaviour, World

BAD = Behaviour(errors=0.3)
SWAP = {"capacity": "Swap", "schedulingTimeout": "20s"}
AUTO = {"capacity": "Auto", "schedulingTimeout": "20s"}


def _canary(*steps: dict[str, Any], **strategy: Any) -> dict[str, Any]:
    return {"type": "Canary", "canary": {"steps": list(steps)}, **strategy}


def _blue_green(**settings: Any) -> dict[str, Any]:
    return {"type": "BlueGreen", "blueGreen": settings}


def _lose_status(world: World) -> None:
    world.status = Status()


HALVES = ({"weight": 20, "hold": "10s"}, {"weight": 50, "hold": "10s"})

STORIES = {
    "steps-of-every-kind": Story(
        "Steps of every kind: a load test, holds, an approval that times out, an analysis",
        {
            0: apply(
                "1.0.0",
                strategy=_canary(
                    {"scale": "75%"},
                    {"hold": "10s"},
                    {"approval": {"timeout": "10s", "onTimeout": "promote"}},
                    {"weight": 20, "hold": "10s"},
                    {"hold": "10s"},
                    {"weight": 50, "hold": "10s"},
                    {"analysis": {"for": "15s"}},
                ),
            ),
            60: later("2.0.0"),
        },
        seconds=240,
    ),
    "analysis-outlasts-an-outage": Story(
        "An analysis step counts Good time only, and an outage does not start it anew",
        {
            0: apply(
                "1.0.0",
                strategy=_canary({"weight": 50, "hold": "5s"}, {"analysis": {"for": "20s"}}),
            ),
            60: later("2.0.0"),
            88: outage("Prometheus did not answer within 5 s"),
            118: outage(None),
        },
        seconds=220,
    ),
    "analysis-turns-bad": Story(
        "A version that turns bad in an analysis step is taken back",
        {
            0: apply(
                "1.0.0",
                strategy=_canary({"weight": 50, "hold": "5s"}, {"analysis": {"for": "10m"}}),
            ),
            60: later("2.0.0"),
            95: behave("2.0.0", BAD),
        },
        seconds=150,
    ),
    "weights-go-down-again": Story(
        "A later weight is lower: never more pods than replicas + maxSurge, none missing",
        {
            0: apply(
                "1.0.0",
                strategy=_canary(
                    {"weight": 75, "hold": "10s"},
                    {"weight": 20, "hold": "10s"},
                    {"weight": 50, "hold": "10s"},
                ),
            ),
            60: later("2.0.0"),
        },
        seconds=240,
    ),
    "steps-taken-away": Story(
        "The spec loses the steps that a release still had before it: it goes to 100 %",
        {
            0: apply("1.0.0", strategy=_canary(*HALVES, {"approval": {}})),
            60: later("2.0.0"),
            125: later("2.0.0", strategy=_canary({"weight": 20, "hold": "10s"})),
        },
        seconds=190,
    ),
    "blue-green-preview": Story(
        "Blue/green with a small preview, an approval, checks after the switch, and keeping",
        {
            0: apply(
                "1.0.0",
                strategy=_blue_green(
                    previewReplicas="25%",
                    hold="5s",
                    approval={"timeout": "10s", "onTimeout": "promote"},
                    checkAfterSwitch=True,
                ),
                watch={"duration": "10s", "keepFor": "60s"},
            ),
            60: later("2.0.0"),
        },
        seconds=180,
    ),
    "blue-green-fails-after-switch": Story(
        "Smoke predictions fail right after the switch: back at once",
        {
            0: apply("1.0.0", strategy=_blue_green(checkAfterSwitch=True)),
            60: later("2.0.0"),
        },
        {"2.0.0": Behaviour(smoke_passes_live=False)},
        seconds=120,
    ),
    "back-to-the-kept-version": Story(
        "After the watch the version before is still kept: going back is one write",
        {
            0: apply(
                "1.0.0",
                strategy=_blue_green(),
                watch={"duration": "10s", "keepFor": "10m"},
            ),
            60: later("2.0.0"),
            100: later("1.0.0"),
        },
        seconds=140,
    ),
    "kept-until-the-next-release": Story(
        "A kept version goes when the next release starts, before traffic is shared",
        {
            0: apply("1.0.0", watch={"duration": "10s", "keepFor": "10m"}),
            60: later("2.0.0"),
            150: later("3.0.0"),
        },
        seconds=250,
    ),
    "kept-shorter-than-the-watch": Story(
        "The version before is kept for a part of the watch; a revert after that starts it",
        {
            0: apply(
                "1.0.0",
                strategy=_blue_green(),
                watch={"duration": "60s", "keepFor": "10s"},
                rollback={
                    "conditions": [
                        {"name": "errors", "metric": "errorRate", "above": 0.1, "for": "5s"}
                    ]
                },
            ),
            60: later("2.0.0"),
            90: behave("2.0.0", BAD),
        },
        seconds=160,
    ),
    "swap-one-device": Story(
        "One replica, one device: the old pod goes, the new one comes",
        {0: apply("1.0.0", replicas=1, strategy=_canary(*HALVES, **SWAP)), 60: later("2.0.0")},
        seconds=140,
        slots=1,
    ),
    "swap-one-device-bad": Story(
        "One replica, one device, and the new version fails its checks: the old one comes back",
        {0: apply("1.0.0", replicas=1, strategy=_canary(*HALVES, **SWAP)), 60: later("2.0.0")},
        {"2.0.0": Behaviour(smoke_passes=False)},
        seconds=120,
        slots=1,
    ),
    "swap-one-device-never-ready": Story(
        "One replica, one device, and a pod that never gets ready: the deadline reverts",
        {0: apply("1.0.0", replicas=1, strategy=_canary(*HALVES, **SWAP)), 60: later("2.0.0")},
        {"2.0.0": Behaviour(startup=10_000.0)},
        seconds=160,
        slots=1,
    ),
    "swap-one-device-bad-in-watch": Story(
        "One replica, one device, and a condition in the watch: the device changes hands back",
        {
            0: apply(
                "1.0.0",
                replicas=1,
                strategy=_canary(*HALVES, **SWAP),
                rollback={
                    "conditions": [
                        {"name": "errors", "metric": "errorRate", "above": 0.1, "for": "5s"}
                    ]
                },
            ),
            60: later("2.0.0"),
            75: behave("2.0.0", BAD),
        },
        seconds=140,
        slots=1,
    ),
    "swap-one-device-approval": Story(
        "One replica, one device, and an approval: it is waited for before the old pod goes",
        {
            0: apply(
                "1.0.0",
                replicas=1,
                strategy=_canary(
                    {"approval": {"timeout": "10s", "onTimeout": "promote"}}, *HALVES, **SWAP
                ),
            ),
            60: later("2.0.0"),
        },
        seconds=140,
        slots=1,
    ),
    "swap-four-devices": Story(
        "Four replicas, four devices: pods change places one by one",
        {0: apply("1.0.0", strategy=_canary(*HALVES, **SWAP)), 60: later("2.0.0")},
        seconds=240,
        slots=4,
    ),
    "swap-four-devices-bad": Story(
        "Four replicas, four devices, bad at 75 %: the candidate makes way",
        {
            0: apply("1.0.0", strategy=_canary({"weight": 75, "hold": "60s"}, **SWAP)),
            60: later("2.0.0"),
            100: behave("2.0.0", BAD),
        },
        seconds=180,
        slots=4,
    ),
    "swap-superseded": Story(
        "Superseded while pods are swapped: the ready floor is kept on the way back",
        {
            0: apply("1.0.0", strategy=_canary({"weight": 75, "hold": "60s"}, **SWAP)),
            60: later("2.0.0"),
            100: later("3.0.0"),
        },
        seconds=260,
        slots=4,
    ),
    "swap-status-lost": Story(
        "The status is lost while pods are swapped",
        {
            0: apply("1.0.0", strategy=_canary(*HALVES, **SWAP)),
            60: later("2.0.0"),
            66: _lose_status,
            90: _lose_status,
        },
        seconds=260,
        slots=4,
    ),
    "swap-blue-green": Story(
        "Blue/green without a spare device: the switch goes pod by pod",
        {
            0: apply("1.0.0", strategy={**_blue_green(hold="5s"), **SWAP}),
            60: later("2.0.0"),
        },
        seconds=200,
        slots=4,
    ),
    "swap-rolling": Story(
        "A rolling release without a spare device, two pods at a time",
        {
            0: apply(
                "1.0.0",
                strategy={"type": "Rolling", "rolling": {"hold": "5s"}, "readyFloor": 2, **SWAP},
            ),
            60: later("2.0.0"),
        },
        seconds=200,
        slots=4,
    ),
    "swap-going-back": Story(
        "The spec returns to the version before, without a spare device: pod by pod, no steps",
        {
            0: apply("1.0.0", strategy=_canary({"weight": 50, "hold": "5s"}, **SWAP)),
            60: later("2.0.0"),
            140: later("1.0.0"),
        },
        seconds=200,
        slots=4,
    ),
    "swap-going-back-in-watch": Story(
        "One replica, one device: the spec returns to the version before in the watch",
        {
            0: apply("1.0.0", replicas=1, strategy=_canary(*HALVES, **SWAP)),
            60: later("2.0.0"),
            80: later("1.0.0"),
        },
        seconds=140,
        slots=1,
    ),
    "swap-scaled-in-the-middle": Story(
        "Replicas change while pods are swapped: to two, to none, and up again",
        {
            0: apply("1.0.0", strategy=_canary({"weight": 50, "hold": "60s"}, **SWAP)),
            60: later("2.0.0"),
            80: change(replicas=6),
            110: change(replicas=2),
            125: change(replicas=0),
            140: change(replicas=3),
        },
        seconds=300,
        rate=0.0,
        capacity_checked=False,
    ),
    "auto-with-room": Story(
        "Auto with a device to spare is surge",
        {0: apply("1.0.0", strategy=_canary(*HALVES, **AUTO)), 60: later("2.0.0")},
        seconds=200,
        slots=10,
    ),
    "auto-turns-to-swap": Story(
        "Auto finds no device to spare and turns to swap",
        {0: apply("1.0.0", strategy=_canary(*HALVES, **AUTO)), 60: later("2.0.0")},
        seconds=260,
        slots=4,
    ),
    "auto-turns-to-swap-late": Story(
        "Auto runs out of room while it promotes: nothing is kept, and it goes on as swap",
        {
            0: apply("1.0.0", strategy=_canary({"weight": 50, "hold": "10s"}, **AUTO)),
            60: later("2.0.0"),
        },
        seconds=200,
        slots=5,
    ),
    "auto-one-device": Story(
        "Auto with one replica and one device turns to swap",
        {0: apply("1.0.0", replicas=1, strategy=_canary(*HALVES, **AUTO)), 60: later("2.0.0")},
        seconds=160,
        slots=1,
    ),
    "auto-status-lost": Story(
        "The status is lost while Auto swaps: stable's pod that finds no place tells of it",
        {
            0: apply("1.0.0", strategy=_canary(*HALVES, **AUTO)),
            60: later("2.0.0"),
            88: _lose_status,
        },
        seconds=300,
        slots=4,
    ),
    "auto-after-a-restart": Story(
        "A restart finds no device to begin with, then a release comes: Auto makes room for it",
        {
            0: apply("1.0.0", replicas=1, strategy=_canary(*HALVES, **AUTO)),
            50: change(restartAt="2026-11-26T10:00:00Z"),
            60: later("2.0.0"),
        },
        seconds=240,
        slots=1,
        capacity_checked=False,
    ),
    "auto-restarted-without-room": Story(
        "A restart finds no device for one pod more: under Auto its pods make way first",
        {
            0: apply("1.0.0", strategy=_canary(*HALVES, **AUTO)),
            50: change(restartAt="2026-11-26T10:00:00Z"),
        },
        seconds=120,
        slots=4,
    ),
    "swap-restarted": Story(
        "Under Swap the pods of a restart make way from the beginning",
        {
            0: apply("1.0.0", strategy=_canary(*HALVES, **SWAP)),
            50: change(restartAt="2026-11-26T10:00:00Z"),
        },
        seconds=80,
        slots=4,
    ),
    "surge-restarted-without-room": Story(
        "With capacity Surge the status says why a restart does not end",
        {
            0: apply("1.0.0", strategy=_canary(*HALVES)),
            50: change(restartAt="2026-11-26T10:00:00Z"),
        },
        seconds=90,
        slots=4,
    ),
    "surge-restarted-then-auto": Story(
        "A restart that finds no room goes on once the spec lets its pods make way",
        {
            0: apply("1.0.0", strategy=_canary(*HALVES)),
            50: change(restartAt="2026-11-26T10:00:00Z"),
            100: change(strategy=_canary(*HALVES, **AUTO)),
        },
        seconds=140,
        slots=4,
    ),
    "auto-under-quota": Story(
        "A quota forbids one more pod: Auto turns to swap at once",
        {0: apply("1.0.0", strategy=_canary(*HALVES, **AUTO)), 60: later("2.0.0")},
        seconds=240,
        quota=4,
    ),
    "auto-swap-does-not-help": Story(
        "The devices that stable pods free are taken by others: reverted",
        {
            0: apply("1.0.0", strategy=_canary(*HALVES, **AUTO)),
            60: later("2.0.0"),
            82: lambda world: setattr(world, "slots", 3),
        },
        seconds=200,
        slots=4,
        capacity_checked=False,
    ),
}

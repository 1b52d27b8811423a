"""Situations of a release, as the operator's status tells them; the views are drawn of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.core.observation import Gate, Pod
from headgate.core.revision import revision_of
from headgate.core.timing import to_seconds, to_text
from headgate.view.shown import Shown, read

NOW = to_seconds("2026-11-26T10:00:00Z")
STABLE, CANDIDATE = "7f9c2abcde", "b81d0abcde"


def ago(seconds: float) -> str:
    """A time in the past, as the status has it."""
    return to_text(NOW - seconds)


def manifest(**changes: Any) -> dict[str, Any]:
    """The spec of fraud 2.3.0, with top-level fields replaced."""
    spec: dict[str, Any] = {
        "model": {"name": "fraud", "version": "2.3.0"},
        "replicas": 4,
        "template": {"spec": {"containers": [{"name": "server", "image": "fraud:2.3.0"}]}},
        "strategy": {
            "type": "Canary",
            "canary": {
                "steps": [
                    {"weight": 20, "hold": "30m"},
                    {"approval": {"timeout": "4h"}},
                    {"weight": 50, "hold": "30m"},
                ]
            },
        },
        "watch": {"duration": "1h"},
    }
    return {**spec, **changes}


def side(revision: str, ready: int, replicas: int) -> dict[str, Any]:
    """One side of a release."""
    version = "2.2.0" if revision == STABLE else "2.3.0"
    return {"version": version, "revision": revision, "ready": ready, "replicas": replicas}


def release(**changes: Any) -> dict[str, Any]:
    """The release of 2.3.0, 45 minutes old and in its third step."""
    return {
        "revision": CANDIDATE,
        "version": "2.3.0",
        "stage": "Stepping",
        "step": 2,
        "steps": 4,
        "weight": 50,
        "settled": True,
        "smoked": True,
        "started": ago(45 * 60),
        "stepStarted": ago(760),
        "progressed": ago(760),
        **changes,
    }


def observed(seconds: float, unknown: str = "") -> dict[str, Any]:
    """Counts of a step that has been observed for so long, the last time 4 s ago."""
    return {"since": NOW - 900, "at": NOW - 4, "observed": seconds, "unknown": unknown}


GOOD = {
    "verdict": "Good",
    "reason": "Healthy",
    "message": "candidate 0.9 % errors against 1.0 % (4,180 and 12,630 requests), at most 1.7 times"
    " as bad (99 %)",
    "checks": [
        {
            "name": "errorRate",
            "kind": "rule",
            "metric": "errorRate",
            "verdict": "Good",
            "message": "candidate 0.9 % errors against 1.0 % (4,180 and 12,630 requests)",
            "limit": 0.05,
            "candidate": {"bad": 38, "total": 4180},
            "stable": {"bad": 126, "total": 12630},
            "e": 0.0002,
            "badFrom": 200,
        },
        {
            "name": "latencyP99",
            "kind": "rule",
            "metric": "latencyP99",
            "verdict": "Good",
            "message": "candidate 0.2 % of requests slower than 1 s against 0.3 %",
            "limit": 0.01,
            "candidate": {"bad": 8, "total": 4180},
            "stable": {"bad": 38, "total": 12630},
            "e": 0.0012,
            "badFrom": 200,
        },
        {
            "name": "errorRate vs stable",
            "kind": "comparison",
            "metric": "errorRate",
            "verdict": "Good",
            "message": "candidate 0.9 % errors against 1.0 % (4,180 and 12,630 requests), at most"
            " 1.7 times as bad (99 %)",
            "limit": 1.25,
            "candidate": {"bad": 38, "total": 4180},
            "stable": {"bad": 126, "total": 12630},
            "e": 0.15,
            "badFrom": 200,
        },
        {"name": "throughput", "kind": "rule", "metric": "throughput", "verdict": "NotApplicable"},
        {
            "name": "high_error_rate",
            "kind": "condition",
            "metric": "errorRate",
            "verdict": "Good",
        },
    ],
}
DECISIONS = [
    {"time": ago(45 * 60), "reason": "ReleaseStarted", "message": "Releasing 2.3.0 over 2.2.0."},
    {
        "time": ago(762),
        "reason": "Approved",
        "message": "jane@example.com approved step 2 of 2.3.0.",
    },
    {
        "time": ago(760),
        "reason": "StepEntered",
        "message": "2.3.0 gets 50 % of live traffic with 2 of 4 pods (step 3 of 4).",
    },
]


def made(
    status: Mapping[str, Any],
    pods: tuple[Pod, ...] = (),
    spec: Mapping[str, Any] | None = None,
    generation: int = 3,
) -> Shown:
    """A ModelDeployment in a situation."""
    stored = {
        "metadata": {
            "name": "fraud",
            "namespace": "risk",
            "generation": generation,
            "creationTimestamp": ago(40 * 86_400),
        },
        "spec": manifest() if spec is None else dict(spec),
        "status": {"observedGeneration": 3, **status},
    }
    return read(stored, pods)


HOLDING: dict[str, Any] = {
    "phase": "Progressing",
    "step": "3/4",
    "weight": "50%",
    "verdict": "Good",
    "message": f"2.3.0, step 3 of 4: holding 50 % for 12m36s of 30m. Good: {GOOD['message']}.",
    "desiredWeight": 50,
    "effectiveWeight": 50,
    "observedWeight": 48.9,
    "stable": side(STABLE, 2, 2),
    "candidate": side(CANDIDATE, 2, 2),
    "release": release(evidence=observed(756)),
    "analysis": GOOD,
    "decisions": DECISIONS,
}
APPROVAL = {
    **HOLDING,
    "step": "2/4",
    "weight": "20%",
    "message": "2.3.0, step 2 of 4: waiting for approval at 20 %.",
    "desiredWeight": 20,
    "effectiveWeight": 20,
    "observedWeight": 20.3,
    "stable": side(STABLE, 4, 4),
    "candidate": side(CANDIDATE, 1, 1),
    "release": release(step=1, weight=20),
    "decisions": DECISIONS[:1],
}
NO_METRICS = {
    **HOLDING,
    "verdict": "Unknown",
    "message": "2.3.0, step 3 of 4: holding 50 % for 12m36s of 30m."
    " Unknown: Prometheus did not answer within 5 s, for 2m.",
    "release": release(evidence=observed(756, unknown="ProviderDown")),
    "analysis": {
        "verdict": "Unknown",
        "reason": "ProviderDown",
        "message": "Prometheus did not answer within 5 s, for 2m",
    },
}
SUSPENDED = {
    **HOLDING,
    "message": "2.3.0, step 3 of 4: spec.suspend is true: no step forward, reverting excepted."
    f" Good: {GOOD['message']}.",
}
STARTING = {
    "phase": "Starting",
    "step": "1/4",
    "weight": "0%",
    "message": "2.3.0, step 1 of 4: 0 of 1 pods of 2.3.0 are ready.",
    "desiredWeight": 0,
    "effectiveWeight": 0,
    "stable": side(STABLE, 4, 4),
    "candidate": side(CANDIDATE, 0, 1),
    "release": release(stage="Starting", step=0, weight=0, started=ago(95), progressed=ago(95)),
}
STARTING_PODS = (
    Pod(f"fraud-{STABLE}-aaaaa", STABLE, ready=True, created=NOW - 86_400),
    Pod(f"fraud-{STABLE}-bbbbb", STABLE, ready=False, terminating=True, created=NOW - 86_400),
    Pod(
        f"fraud-{CANDIDATE}-ccccc",
        CANDIDATE,
        ready=False,
        created=NOW - 95,
        crashes=2,
        waiting="CrashLoopBackOff",
        message="container server ended with exit code 137 (OOMKilled)",
    ),
)
WARMING = {
    **STARTING,
    "message": "2.3.0, step 1 of 4: 0 of 1 pods of 2.3.0 are ready. Warming up 1 of 1 pods of"
    " 2.3.0: POST /predict answered 200 in 1400 ms, longer than the 200 ms allowed.",
    "stable": side(STABLE, 3, 4),
}
WARMING_PODS = (
    Pod(f"fraud-{STABLE}-bbbbb", STABLE, ready=False, created=NOW - 5, gate=Gate()),
    Pod(
        f"fraud-{CANDIDATE}-ccccc",
        CANDIDATE,
        ready=False,
        created=NOW - 95,
        gate=Gate(running_since=NOW - 40),
    ),
)
WATCHING = {
    "phase": "Watching",
    "step": "4/4",
    "weight": "100%",
    "verdict": "Good",
    "message": "2.3.0 is live: watching 2.3.0 for 20m of 1h. Good: live version 0.8 % errors.",
    "desiredWeight": 100,
    "effectiveWeight": 100,
    "stable": side(CANDIDATE, 4, 4),
    "previous": side(STABLE, 2, 2),
    "release": release(stage="Watching", step=3, weight=100, evidence=observed(1200)),
    "analysis": {"verdict": "Good", "message": "live version 0.8 % errors"},
}
REVERTING = {
    "phase": "Reverting",
    "step": "3/4",
    "weight": "0%",
    "message": "Going back to 2.2.0: candidate 31 % errors against 1.0 % (96 and 1,822 requests):"
    " at least 9 times worse (99 %) (2 of 4 pods of 2.2.0 are ready).",
    "desiredWeight": 0,
    "effectiveWeight": 0,
    "stable": side(STABLE, 2, 4),
    "candidate": side(CANDIDATE, 0, 0),
    "release": release(stage="Reverting", reason="high_error_rate", message="31 % errors"),
}
REJECTED = {
    "revision": CANDIDATE,
    "version": "2.3.0",
    "reason": "high_error_rate",
    "message": "candidate 31 % errors against 1.0 % (96 and 1,822 requests)",
    "weight": 20,
    "time": ago(300),
}
RECORDS = [
    {
        "version": "2.2.0",
        "revision": STABLE,
        "outcome": "Promoted",
        "reason": "Promoted",
        "message": "2.2.0 is released.",
        "weight": 100,
        "started": ago(30 * 86_400),
        "finished": ago(30 * 86_400 - 9000),
    },
    {
        "version": "2.3.0",
        "revision": CANDIDATE,
        "outcome": "Reverted",
        "reason": "high_error_rate",
        "message": REJECTED["message"],
        "weight": 20,
        "started": ago(341),
        "finished": ago(300),
    },
]
REVERTED = {
    "phase": "Reverted",
    "message": f"Reverted 2.3.0 at 20 %: {REJECTED['message']}. 2.2.0 serves; it is not tried again"
    " until the spec changes or a retry names it.",
    "stable": side(STABLE, 4, 4),
    "rejected": REJECTED,
    "releases": RECORDS,
    "conditions": [{"type": "Stalled", "status": "True"}],
}
ASKED = revision_of(made({}).spec)  # type: ignore[arg-type]
"""The revision that `manifest()` asks for."""
RELEASED = {
    "phase": "Stable",
    "message": "2.3.0 serves with 4 of 4 pods ready.",
    "stable": {**side(CANDIDATE, 4, 4), "revision": ASKED},
}
GIVEN_UP_FIRST = {
    "phase": "Suspended",
    "message": "Gave up 2.3.0: jane@example.com asked to give up 2.3.0.",
    "rejected": {**REJECTED, "revision": ASKED, "reason": "Aborted"},
}
FIRST = {
    "phase": "Initializing",
    "step": "1/1",
    "message": "2.3.0, the first version: 1 of 4 pods of 2.3.0 are ready.",
    "candidate": side(CANDIDATE, 1, 4),
    "release": release(
        stage="Starting", step=0, steps=1, weight=0, direct=True, started=ago(20), progressed=ago(8)
    ),
}
CONFLICT = {
    "phase": "Conflict",
    "message": "Service fraud belongs to somebody else: rename one of the two, or delete it.",
}
PENDING_ACTION = {
    "type": "Promote",
    "revision": CANDIDATE,
    "by": "jane@example.com",
    "at": ago(3),
}

SITUATIONS: dict[str, Shown] = {
    "holding": made(HOLDING),
    "waits-for-approval": made(APPROVAL),
    "no-metrics": made(NO_METRICS),
    "crashing": made(STARTING, STARTING_PODS),
    "warming-up": made(WARMING, WARMING_PODS),
    "watching": made(WATCHING),
    "reverting": made(REVERTING),
    "reverted": made(REVERTED),
    "released": made(RELEASED),
    "first-version": made(FIRST),
    "first-version-given-up": made(GIVEN_UP_FIRST),
    "conflict": made(CONFLICT),
    "suspended": made(SUSPENDED, spec=manifest(suspend=True)),
    "asked": made(HOLDING, spec=manifest(action=PENDING_ACTION)),
    "not-seen": made(RELEASED, generation=4),
    "never-seen": made({}),
    "of-another-version": made(HOLDING, spec={"field": "of a newer Headgate"}),
}

"""Manifests to accept or refuse, judged alike by the models and by a real API server."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]


def spec(**changes: Any) -> Spec:
    """The least spec, with top-level fields replaced; None removes one."""
    least: Spec = {
        "model": {"name": "fraud", "version": "2.3.0"},
        "template": {"spec": {"containers": [{"name": "server", "image": "registry.example/f:1"}]}},
    }
    least.update(deepcopy(changes))
    return {name: value for name, value in least.items() if value is not None}


def template(**pod: Any) -> Spec:
    """A pod template with one container, and `pod` in its spec."""
    return {"spec": {"containers": [{"name": "server", "image": "registry.example/f:1"}], **pod}}


def labelled(**labels: str) -> Spec:
    """A pod template with labels, whose names are spelled with `__` for the slash."""
    spelled = {name.replace("__", "/").replace("_", "."): value for name, value in labels.items()}
    return {**template(), "metadata": {"labels": spelled}}


def container(**fields: Any) -> Spec:
    """A pod template whose one container has `fields`."""
    return {"spec": {"containers": [{"name": "server", **fields}]}}


def canary(*steps: Spec) -> Spec:
    """A canary strategy with these steps."""
    return {"type": "Canary", "canary": {"steps": list(steps)}}


def condition(**fields: Any) -> Spec:
    """A rollback with one condition."""
    return {"conditions": [{"name": "bad", "metric": "errorRate", "for": "5m", **fields}]}


def gauge(**fields: Any) -> Spec:
    """A gauge of the analysis."""
    return {"name": "memory", "series": "gpu_memory_bytes", **fields}


def gauges(*several: Spec) -> Spec:
    """A spec with these gauges."""
    return spec(analysis={"gauges": list(several)})


def drift(**fields: Any) -> Spec:
    """A spec whose analysis compares predictions."""
    return spec(analysis={"drift": [{"name": "score", "series": "fraud_score", **fields}]})


DESIGN: Spec = {
    "environment": "production",
    "model": {"name": "fraud", "version": "2.3.0"},
    "replicas": 10,
    "template": {
        "spec": {"containers": [{"name": "server", "image": "registry.example/fraud-server:2.3.0"}]}
    },
    "service": {"port": 80, "targetPort": 8080},
    "strategy": {
        "type": "Canary",
        "maxSurge": 1,
        "maxUnavailable": 0,
        "canary": {
            "steps": [
                {"weight": 5, "hold": "30m"},
                {"approval": {}},
                {"weight": 50, "hold": "30m"},
            ]
        },
    },
    "analysis": {
        "provider": "default",
        "runtime": "http",
        "interval": "1m",
        "unknownTimeout": "10m",
        "rules": {
            "errorRate": {"max": 0.05},
            "latencyP99": {"max": "1s"},
            "throughput": {"min": 100},
        },
        "comparison": {"tolerance": 1.25, "alpha": 0.01, "minSamples": 300},
    },
    "rollback": {
        "conditions": [
            {"name": "high_error_rate", "metric": "errorRate", "above": 0.1, "for": "5m"},
            {"name": "extreme_latency", "metric": "latencyP99", "above": "5s", "for": "3m"},
            {"name": "zero_throughput", "metric": "throughput", "below": 1, "for": "2m"},
        ]
    },
    "watch": {"duration": "60m"},
}


def action(kind: str, **more: Any) -> Spec:
    return {"type": kind, "revision": "b81d0aaaaa", "at": "2026-11-26T10:00:00Z", **more}


ACCEPTED: dict[str, Spec] = {
    "the least": spec(),
    "ingress-nginx behind a switch": spec(
        analysis={"runtime": "ingress-nginx"}, strategy={"type": "BlueGreen"}
    ),
    "ingress-nginx behind the switch of dev": spec(
        environment="dev", analysis={"runtime": "ingress-nginx"}, strategy={"maxSurge": 1}
    ),
    "the whole manifest of the design": DESIGN,
    "several ports": spec(
        service={
            "ports": [
                {
                    "name": "http",
                    "port": 80,
                    "targetPort": 8080,
                    "appProtocol": "kubernetes.io/h2c",
                },
                {"name": "metrics", "port": 9090},
                {"name": "dns", "port": 80, "protocol": "UDP"},
            ],
            "annotations": {"example.com/team": "risk", "plain": ""},
        }
    ),
    "what stands around a version": spec(
        separateSides=True,
        disruptionBudget={"maxUnavailable": "25%"},
        restartAt="2026-11-26T10:00:00+01:00",
    ),
    "another version string": spec(model={"name": "Fraud_v2.x", "version": "2.3.0+cu121"}),
    "steps in any order": spec(strategy=canary({"weight": 50}, {"weight": 5}, {"weight": 100})),
    "an approval with a time-out": spec(
        strategy=canary({"approval": {"timeout": "4h", "onTimeout": "promote"}}, {"weight": 1})
    ),
    "steps of every kind": spec(
        strategy=canary(
            {"scale": "100%"},
            {"hold": "10m"},
            {"approval": {}},
            {"weight": 5},
            {"hold": "1h"},
            {"analysis": {"for": "15m"}},
            {"weight": 50, "hold": "10m"},
        )
    ),
    "gauges, and rules that decide less": spec(
        analysis={
            "rules": {
                "errorRate": {"dryRun": True, "initialDelay": "2m"},
                "latencyP99": {
                    "critical": False,
                    "onUnknown": "ignore",
                    "onInconclusive": "advance",
                },
            },
            "gauges": [
                gauge(),
                gauge(name="queue", matchers={"queue": 'a "b"', "unit": ""}, better="higher"),
                {"name": "own", "query": "sum by (namespace, pod) (rate(batches_total[1m]))"},
            ],
            "drift": [
                {"name": "score", "series": "fraud_score", "threshold": 0.2, "dryRun": True},
                {"name": "class", "series": "fraud_class", "method": "JensenShannon"},
            ],
            "maxHold": "2h",
            "onInconclusive": "advance",
            "onProviderDown": "revert",
        }
    ),
    "a canary in one word": spec(strategy={"type": "Canary", "canary": {"preset": "Cautious"}}),
    "blue/green with everything": spec(
        strategy={
            "type": "BlueGreen",
            "blueGreen": {
                "previewReplicas": "50%",
                "hold": "5m",
                "approval": {"timeout": "1h", "onTimeout": "revert"},
                "checkAfterSwitch": True,
            },
        },
        watch={"duration": "10m", "keepFor": "24h"},
    ),
    "one pod on one device": spec(
        replicas=1,
        strategy={
            "type": "Canary",
            "maxSurge": 0,
            "maxUnavailable": 1,
            "capacity": "Swap",
            "readyFloor": 0,
            "schedulingTimeout": "5m",
        },
    ),
    "room as it comes": spec(strategy={"capacity": "Auto", "readyFloor": "75%"}),
    "percent": spec(strategy={"maxSurge": "200%", "maxUnavailable": "0%"}),
    "no surge with two pods": spec(replicas=2, strategy={"maxSurge": 0, "maxUnavailable": 1}),
    "no surge with the pods of staging": spec(
        environment="staging", strategy={"maxSurge": "0%", "maxUnavailable": 1}
    ),
    "no surge in dev, which is blue/green": spec(
        environment="dev", strategy={"maxSurge": 0, "maxUnavailable": 1}
    ),
    "no surge with one pod, rolling": spec(
        strategy={"type": "Rolling", "maxSurge": 0, "maxUnavailable": 1}
    ),
    "no replicas": spec(replicas=0),
    "steps that only another environment uses": spec(
        environment="dev", strategy={"canary": {"steps": [{"weight": 10, "hold": "5m"}]}}
    ),
    "blue/green with a hold": spec(strategy={"type": "BlueGreen", "blueGreen": {"hold": "2m"}}),
    "rolling with a hold": spec(strategy={"type": "Rolling", "rolling": {"hold": "0s"}}),
    "any JSON as a smoke body": spec(
        smoke={
            "healthPath": "/v1/health?deep=true",
            "requests": [
                {"body": {"inputs": [[1, 2.5], None], "deep": {"er": True}}},
                {"body": [1, "two"], "expect": {"field": "predictions", "type": "array"}},
                {"body": 7, "path": "/v2", "method": "PUT", "expect": {"status": 422}},
                {"method": "GET", "path": "/ready"},
            ],
            "timeout": "1.5s",
            "maxLatency": "100ms",
        }
    ),
    "a warm-up": spec(
        smoke={
            "warmUp": {
                "requests": [{"body": {"inputs": [1]}, "expect": {"type": "object"}}],
                "fasterThan": "200ms",
                "inARow": 10,
                "timeout": "10m",
            }
        }
    ),
    "the least of a warm-up": spec(smoke={"warmUp": {"requests": [{"path": "/v2"}]}}),
    "a level and one limit": spec(
        analysis={"level": "basic", "rules": {"latencyP99": {"max": "250ms"}}}
    ),
    "no conditions": spec(rollback={"conditions": [], "revertFloor": 3}),
    "an error rate of 1 as a condition": spec(rollback=condition(above=1)),
    "a whole number of requests": spec(rollback=condition(metric="throughput", below=0.5)),
    "short times": spec(watch={"duration": "0s", "keepPrevious": "100%"}, progressDeadline="90s"),
    "an approval": spec(action=action("Approve", step=2, by="jane@example.com")),
    "a promotion, from git": spec(action=action("Promote")),
    "an undo": spec(action=action("Undo", to="7f9c2aaaaa")),
    "a stop": spec(suspend=True, historyLimit=1),
    "an adoption": spec(adopt=True),
    "labels of one's own": spec(template=labelled(team="risk", app_kubernetes_io__name="fraud")),
    "restart policy Always": spec(template=template(restartPolicy="Always", hostNetwork=True)),
    "a rich pod": spec(
        template={
            "metadata": {"creationTimestamp": None, "annotations": {"a/b": "c"}},
            "spec": {
                "containers": [
                    {
                        "name": "server",
                        "image": "registry.example/f:1",
                        "ports": [{"containerPort": 8080, "name": "http"}],
                        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec"}}}],
                        "resources": {"limits": {"cpu": 1, "memory": "1.5Gi", "x.io/gpu": "1"}},
                        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
                        "volumeMounts": [{"name": "models", "mountPath": "/models"}],
                    },
                    {"name": "sidecar", "image": "registry.example/s:1"},
                ],
                "initContainers": [{"name": "fetch", "image": "registry.example/i:1"}],
                "volumes": [{"name": "models", "emptyDir": {}}],
                "imagePullSecrets": [{"name": "pull"}],
                "tolerations": [{"key": "gpu", "operator": "Exists"}],
                "topologySpreadConstraints": [
                    {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
                ],
            },
        }
    ),
}


@dataclass(frozen=True)
class Refused:
    """A spec that is refused at `field` (as both sides write it).

    `message` is what both say; empty where the API server words its own schema's refusals.
    """

    spec: Spec
    field: str
    message: str = ""


REFUSED: dict[str, Refused] = {
    "no model": Refused(spec(model=None), "spec.model"),
    "no template": Refused(spec(template=None), "spec.template"),
    "an unknown environment": Refused(spec(environment="prod"), "spec.environment"),
    "an overlong version": Refused(
        spec(model={"name": "m", "version": "1" * 129}), "spec.model.version"
    ),
    "an empty version": Refused(spec(model={"name": "m", "version": ""}), "spec.model.version"),
    "a version that YAML read as a number": Refused(
        spec(model={"name": "m", "version": 2.3}), "spec.model.version"
    ),
    "a model name that is no label": Refused(
        spec(model={"name": "a/b", "version": "1"}), "spec.model.name"
    ),
    "negative replicas": Refused(spec(replicas=-1), "spec.replicas"),
    "replicas as text": Refused(spec(replicas="3"), "spec.replicas"),
    "a port out of range": Refused(spec(service={"targetPort": 70000}), "spec.service.targetPort"),
    "ports beside a port": Refused(
        spec(service={"port": 80, "ports": [{"name": "http", "port": 80}]}),
        "spec.service",
        "ports takes the place of port and targetPort",
    ),
    "no ports": Refused(spec(service={"ports": []}), "spec.service.ports"),
    "too many ports": Refused(
        spec(service={"ports": [{"name": f"p{i}", "port": i + 1} for i in range(17)]}),
        "spec.service.ports",
    ),
    "two ports of one name": Refused(
        spec(service={"ports": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]}),
        "spec.service",
        "two ports have the same name",
    ),
    "two ports of one number": Refused(
        spec(
            service={
                "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "TCP"}]
            }
        ),
        "spec.service",
        "two ports have the same name",
    ),
    "a first port that is no TCP": Refused(
        spec(service={"ports": [{"name": "a", "port": 80, "protocol": "UDP"}]}),
        "spec.service",
        "its protocol is TCP",
    ),
    "an application protocol of another shape": Refused(
        spec(service={"ports": [{"name": "a", "port": 80, "appProtocol": "a/b/c"}]}),
        "spec.service.ports[0].appProtocol",
    ),
    "an annotation of ours": Refused(
        spec(service={"annotations": {"headgate.dev/stable": "evil"}}),
        "spec.service",
        "annotations must not begin with headgate.dev/",
    ),
    "an annotation without a name": Refused(
        spec(service={"annotations": {"example..com/a": "b"}}),
        "spec.service",
        "a key of annotations is a name such as example.com/key",
    ),
    "too many annotations": Refused(
        spec(service={"annotations": {f"a{i}": "" for i in range(33)}}), "spec.service.annotations"
    ),
    "an adoption of something by its name": Refused(spec(adopt="fraud"), "spec.adopt"),
    "a restart at no time": Refused(spec(restartAt="tomorrow"), "spec.restartAt"),
    "a disruption budget of no shape": Refused(
        spec(disruptionBudget={"maxUnavailable": "some"}), "spec.disruptionBudget.maxUnavailable"
    ),
    "a weight of 0": Refused(
        spec(strategy=canary({"weight": 0})), "spec.strategy.canary.steps[0].weight"
    ),
    "a weight over 100": Refused(
        spec(strategy=canary({"weight": 5}, {"weight": 101})),
        "spec.strategy.canary.steps[1].weight",
    ),
    "a step of two kinds": Refused(
        spec(strategy=canary({"weight": 5, "approval": {}})),
        "spec.strategy.canary.steps[0]",
        "a step is exactly one of weight (with hold), hold, approval, analysis and scale",
    ),
    "a step of no kind": Refused(
        spec(strategy=canary({})),
        "spec.strategy.canary.steps[0]",
        "a step is exactly one of weight (with hold), hold, approval, analysis and scale",
    ),
    "an approval that is held": Refused(
        spec(strategy=canary({"approval": {}, "hold": "5m"})),
        "spec.strategy.canary.steps[0]",
        "hold belongs to a step with weight, or is a step of its own",
    ),
    "an analysis that is held": Refused(
        spec(strategy=canary({"weight": 5}, {"analysis": {"for": "5m"}, "hold": "5m"})),
        "spec.strategy.canary.steps[1]",
        "hold belongs to a step with weight, or is a step of its own",
    ),
    "an analysis of a weight": Refused(
        spec(strategy=canary({"weight": 5, "analysis": {"for": "5m"}})),
        "spec.strategy.canary.steps[0]",
        "a step is exactly one of weight (with hold), hold, approval, analysis and scale",
    ),
    "an analysis for no time": Refused(
        spec(strategy=canary({"weight": 5}, {"analysis": {"for": "0s"}})),
        "spec.strategy.canary.steps[1].analysis",
        "analysis.for must be longer than nothing",
    ),
    "an analysis without a time": Refused(
        spec(strategy=canary({"weight": 5}, {"analysis": {}})),
        "spec.strategy.canary.steps[1].analysis.for",
    ),
    "an analysis before any weight": Refused(
        spec(strategy=canary({"analysis": {"for": "5m"}}, {"weight": 5})),
        "spec.strategy.canary",
        "an analysis step judges live traffic",
    ),
    "no pods before live traffic": Refused(
        spec(strategy=canary({"scale": 0}, {"weight": 5})),
        "spec.strategy.canary.steps[0]",
        "scale must be at least 1 pod",
    ),
    "pods without live traffic after a weight": Refused(
        spec(strategy=canary({"scale": 1}, {"weight": 5}, {"hold": "1m"}, {"scale": "50%"})),
        "spec.strategy.canary",
        "a scale step takes live traffic away, so it can only stand before the first weight",
    ),
    "a preset beside steps": Refused(
        spec(strategy={"canary": {"preset": "Quick", "steps": [{"weight": 5}]}}),
        "spec.strategy.canary",
        "canary.preset and canary.steps exclude each other",
    ),
    "an unknown preset": Refused(
        spec(strategy={"canary": {"preset": "Reckless"}}), "spec.strategy.canary.preset"
    ),
    "a preview of nothing": Refused(
        spec(strategy={"type": "BlueGreen", "blueGreen": {"previewReplicas": "0%"}}),
        "spec.strategy.blueGreen",
        "blueGreen.previewReplicas must be at least 1 pod",
    ),
    "an unknown capacity": Refused(spec(strategy={"capacity": "Borrow"}), "spec.strategy.capacity"),
    "a ready floor without swapping": Refused(
        spec(strategy={"readyFloor": 2}),
        "spec.strategy",
        "strategy.readyFloor is only read when strategy.capacity is Swap or Auto",
    ),
    "a scheduling time-out under surge": Refused(
        spec(strategy={"capacity": "Surge", "schedulingTimeout": "1m"}),
        "spec.strategy",
        "strategy.schedulingTimeout is only read when strategy.capacity is Swap or Auto",
    ),
    "no time to schedule": Refused(
        spec(strategy={"capacity": "Auto", "schedulingTimeout": "0s"}),
        "spec.strategy",
        "schedulingTimeout must be longer than nothing",
    ),
    "one pod that begins with surge but has none": Refused(
        spec(
            replicas=1,
            strategy={"type": "Canary", "maxSurge": 0, "maxUnavailable": 1, "capacity": "Auto"},
        ),
        "spec",
        "a canary of 1 replica with strategy.maxSurge 0 cannot split traffic",
    ),
    "a time-out's answer without a time-out": Refused(
        spec(strategy=canary({"approval": {"onTimeout": "revert"}})),
        "spec.strategy.canary.steps[0].approval",
        "approval.onTimeout needs approval.timeout",
    ),
    "no steps": Refused(spec(strategy=canary()), "spec.strategy.canary.steps"),
    "too many steps": Refused(
        spec(strategy=canary(*({"weight": 5},) * 51)), "spec.strategy.canary.steps"
    ),
    "a hold without a unit": Refused(
        spec(strategy=canary({"weight": 5, "hold": "30"})), "spec.strategy.canary.steps[0].hold"
    ),
    "a hold longer than any date": Refused(
        spec(strategy=canary({"weight": 5, "hold": "99999999h"})),
        "spec.strategy.canary.steps[0].hold",
    ),
    "an unknown strategy": Refused(spec(strategy={"type": "Shadow"}), "spec.strategy.type"),
    "neither surge nor unavailable": Refused(
        spec(replicas=4, strategy={"maxSurge": 0, "maxUnavailable": "0%"}),
        "spec.strategy",
        "maxSurge and maxUnavailable must not both be 0",
    ),
    "no surge, unavailable left out": Refused(
        spec(replicas=4, strategy={"maxSurge": "0%"}),
        "spec.strategy",
        "maxSurge and maxUnavailable must not both be 0",
    ),
    "a surge that is no percentage": Refused(
        spec(strategy={"maxSurge": "many"}), "spec.strategy.maxSurge"
    ),
    "a negative surge": Refused(spec(strategy={"maxSurge": -1}), "spec.strategy.maxSurge"),
    "one pod without surge": Refused(
        spec(replicas=1, strategy={"type": "Canary", "maxSurge": 0, "maxUnavailable": 1}),
        "spec",
        "a canary of 1 replica with strategy.maxSurge 0 cannot split traffic",
    ),
    "one pod by default without surge": Refused(
        spec(strategy={"maxSurge": "0%", "maxUnavailable": 1}),
        "spec",
        "a canary of 1 replica with strategy.maxSurge 0 cannot split traffic",
    ),
    "one pod of dev as a canary without surge": Refused(
        spec(environment="dev", strategy={"type": "Canary", "maxSurge": 0, "maxUnavailable": 1}),
        "spec",
        "a canary of 1 replica with strategy.maxSurge 0 cannot split traffic",
    ),
    "ingress-nginx before the steps of a canary": Refused(
        spec(analysis={"runtime": "ingress-nginx"}, strategy=canary({"weight": 5})),
        "spec",
        "analysis.runtime ingress-nginx counts both versions together",
    ),
    "ingress-nginx before the canary that is left out": Refused(
        spec(analysis={"runtime": "ingress-nginx"}),
        "spec",
        "set strategy.type to BlueGreen",
    ),
    "ingress-nginx before the canary of staging": Refused(
        spec(environment="staging", analysis={"runtime": "ingress-nginx"}),
        "spec",
        "set strategy.type to BlueGreen",
    ),
    "ingress-nginx before the batches of production": Refused(
        spec(environment="production", analysis={"runtime": "ingress-nginx"}, strategy={}),
        "spec",
        "set strategy.type to BlueGreen",
    ),
    "ingress-nginx before a canary in dev": Refused(
        spec(
            environment="dev",
            analysis={"runtime": "ingress-nginx"},
            strategy={"type": "Canary"},
        ),
        "spec",
        "set strategy.type to BlueGreen",
    ),
    "steps for blue/green": Refused(
        spec(strategy={"type": "BlueGreen", "canary": {"steps": [{"weight": 5}]}}),
        "spec.strategy",
        "strategy.canary is only read when strategy.type is Canary",
    ),
    "a switch for a canary": Refused(
        spec(strategy={"type": "Canary", "blueGreen": {}}),
        "spec.strategy",
        "strategy.blueGreen is only read when strategy.type is BlueGreen",
    ),
    "batches for a canary": Refused(
        spec(strategy={"type": "Canary", "rolling": {}}),
        "spec.strategy",
        "strategy.rolling is only read when strategy.type is Rolling",
    ),
    "an address as provider": Refused(
        spec(analysis={"provider": "http://prometheus:9090"}), "spec.analysis.provider"
    ),
    "a provider of another namespace": Refused(
        spec(analysis={"provider": "monitoring/default"}), "spec.analysis.provider"
    ),
    "PromQL as a runtime": Refused(
        spec(analysis={"runtime": 'http"} or up{a="'}), "spec.analysis.runtime"
    ),
    "PromQL as the name of a model": Refused(
        spec(model={"name": 'fraud"} or up{a="', "version": "1"}), "spec.model.name"
    ),
    "PromQL as the series of predictions": Refused(
        drift(series='score{namespace="other"}'), "spec.analysis.drift[0].series"
    ),
    "a matcher of a book's length": Refused(
        gauges(gauge(matchers={"queue": "a" * 100_000})), "spec.analysis.gauges[0].matchers.queue"
    ),
    "a hundred matchers": Refused(
        gauges(gauge(matchers={f"l{number}": "a" for number in range(100)})),
        "spec.analysis.gauges[0].matchers",
    ),
    "an unknown level": Refused(spec(analysis={"level": "high"}), "spec.analysis.level"),
    "no interval": Refused(
        spec(analysis={"interval": "0s"}), "spec.analysis", "interval must be longer than nothing"
    ),
    "no time to be unknown": Refused(
        spec(analysis={"unknownTimeout": "0m0s"}),
        "spec.analysis",
        "unknownTimeout must be longer than nothing",
    ),
    "an error rate in percent": Refused(
        spec(analysis={"rules": {"errorRate": {"max": 5}}}),
        "spec.analysis.rules.errorRate",
        "errorRate.max is a share between 0 and 1: write 0.05 for 5 %",
    ),
    "a latency without a unit": Refused(
        spec(analysis={"rules": {"latencyP99": {"max": "1000"}}}),
        "spec.analysis.rules.latencyP99.max",
    ),
    "no latency at all": Refused(
        spec(analysis={"rules": {"latencyP99": {"max": "0ms"}}}),
        "spec.analysis.rules.latencyP99",
        "max must be longer than nothing",
    ),
    "a negative throughput": Refused(
        spec(analysis={"rules": {"throughput": {"min": -1}}}), "spec.analysis.rules.throughput.min"
    ),
    "a tolerance for being better": Refused(
        spec(analysis={"comparison": {"tolerance": 0.5}}),
        "spec.analysis.comparison",
        "comparison.tolerance is at least 1",
    ),
    "a certain alpha": Refused(
        spec(analysis={"comparison": {"alpha": 1}}),
        "spec.analysis.comparison",
        "comparison.alpha is a probability between 0 and 1",
    ),
    "a gauge without a series": Refused(
        gauges({"name": "memory"}), "spec.analysis.gauges[0]", "exactly one of series and query"
    ),
    "a gauge with a series and a query": Refused(
        gauges(gauge(query="up")), "spec.analysis.gauges[0]", "exactly one of series and query"
    ),
    "matchers beside a query": Refused(
        gauges({"name": "memory", "query": "up", "matchers": {"a": "b"}}),
        "spec.analysis.gauges[0]",
        "write the labels into the query",
    ),
    "an unknown answer to no data": Refused(
        gauges(gauge(onUnknown="promote")), "spec.analysis.gauges[0].onUnknown"
    ),
    "a delay without a unit": Refused(
        drift(initialDelay="5"), "spec.analysis.drift[0].initialDelay"
    ),
    "predictions of no series": Refused(drift(series=""), "spec.analysis.drift[0].series"),
    "drift from nothing on": Refused(
        drift(threshold=0.0), "spec.analysis.drift[0]", "threshold is between 0 and 1"
    ),
    "drift that is certain": Refused(
        drift(alpha=1.0), "spec.analysis.drift[0]", "alpha is a probability"
    ),
    "drift by a few predictions": Refused(drift(minSamples=5), "spec.analysis.drift[0].minSamples"),
    "an unknown measure of drift": Refused(drift(method="Chance"), "spec.analysis.drift[0].method"),
    "predictions of another namespace": Refused(
        drift(matchers={"namespace": "other"}),
        "spec.analysis.drift[0]",
        "matchers name other labels than namespace and pod",
    ),
    "a gauge that is a query": Refused(
        gauges(gauge(series='up{job="x"}')), "spec.analysis.gauges[0].series"
    ),
    "a gauge of another namespace": Refused(
        gauges(gauge(matchers={"namespace": "other"})),
        "spec.analysis.gauges[0]",
        "matchers name other labels than namespace and pod",
    ),
    "a gauge that may be better only": Refused(
        gauges(gauge(tolerance=0.5)), "spec.analysis.gauges[0]", "tolerance is at least 1"
    ),
    "a gauge that is certain": Refused(
        gauges(gauge(alpha=0.0)), "spec.analysis.gauges[0]", "alpha is a probability"
    ),
    "two gauges of one name": Refused(gauges(gauge(), gauge()), "spec.analysis"),
    "a matcher that is no label": Refused(
        gauges(gauge(matchers={'a"}': "b"})), "spec.analysis.gauges[0]", "names of labels"
    ),
    "nine gauges": Refused(
        gauges(*(gauge(name=f"g{number}") for number in range(9))), "spec.analysis.gauges"
    ),
    "a hold without end": Refused(spec(analysis={"maxHold": "0s"}), "spec.analysis", "maxHold"),
    "an unknown way out": Refused(
        spec(analysis={"onInconclusive": "promote"}), "spec.analysis.onInconclusive"
    ),
    "a condition above and below": Refused(
        spec(rollback=condition(above=0.1, below=0.2)), "spec.rollback.conditions[0]"
    ),
    "a condition neither above nor below": Refused(
        spec(rollback=condition()), "spec.rollback.conditions[0]"
    ),
    "an error rate in a duration": Refused(
        spec(rollback=condition(above="5s")), "spec.rollback.conditions[0]"
    ),
    "an error rate over 1": Refused(
        spec(rollback=condition(above=10)), "spec.rollback.conditions[0]"
    ),
    "a latency as a number": Refused(
        spec(rollback=condition(metric="latencyP99", above=5)), "spec.rollback.conditions[0]"
    ),
    "a throughput in a duration": Refused(
        spec(rollback=condition(metric="throughput", below="5s")), "spec.rollback.conditions[0]"
    ),
    "a negative limit": Refused(
        spec(rollback=condition(metric="throughput", below=-1)),
        "spec.rollback.conditions[0].below",
    ),
    "a limit that is a truth": Refused(
        spec(rollback=condition(above=True)), "spec.rollback.conditions[0].above"
    ),
    "a limit that is an object": Refused(
        spec(rollback=condition(above={})), "spec.rollback.conditions[0].above"
    ),
    "a limit that is a list": Refused(
        spec(rollback=condition(above=[])), "spec.rollback.conditions[0].above"
    ),
    "a limit in words": Refused(
        spec(rollback=condition(metric="latencyP99", above="slow")),
        "spec.rollback.conditions[0].above",
    ),
    "an unknown metric": Refused(
        spec(rollback=condition(metric="cpu", above=1)), "spec.rollback.conditions[0].metric"
    ),
    "two conditions of one name": Refused(
        spec(
            rollback={
                "conditions": [
                    {"name": "bad", "metric": "errorRate", "above": 0.1, "for": "5m"},
                    {"name": "bad", "metric": "errorRate", "above": 0.2, "for": "1m"},
                ]
            }
        ),
        "spec.rollback",
    ),
    "an address in the place of a path": Refused(
        spec(smoke={"requests": [{"path": "http://metadata.example/latest"}]}),
        "spec.smoke.requests[0].path",
    ),
    "an address in the place of a health path": Refused(
        spec(smoke={"healthPath": "//metadata.example/ HTTP/1.1"}), "spec.smoke.healthPath"
    ),
    "a path that is none": Refused(
        spec(smoke={"requests": [{"path": "predict"}]}), "spec.smoke.requests[0].path"
    ),
    "too many smoke requests": Refused(
        spec(smoke={"requests": [{"path": "/"}] * 17}), "spec.smoke.requests"
    ),
    "a field without a type": Refused(
        spec(smoke={"requests": [{"expect": {"field": "predictions"}}]}),
        "spec.smoke.requests[0].expect",
        "expect.field needs expect.type",
    ),
    "an unknown type": Refused(
        spec(smoke={"requests": [{"expect": {"type": "list"}}]}),
        "spec.smoke.requests[0].expect.type",
    ),
    "no time for smoke": Refused(
        spec(smoke={"timeout": "0s"}), "spec.smoke", "timeout must be longer than nothing"
    ),
    "a warm-up without requests": Refused(
        spec(smoke={"warmUp": {"requests": []}}), "spec.smoke.warmUp.requests"
    ),
    "a warm-up that no answer can pass": Refused(
        spec(smoke={"warmUp": {"requests": [{}], "fasterThan": "0s"}}),
        "spec.smoke.warmUp",
        "fasterThan must be longer than nothing",
    ),
    "no time for a warm-up": Refused(
        spec(smoke={"warmUp": {"requests": [{}], "timeout": "0ms"}}),
        "spec.smoke.warmUp",
        "timeout must be longer than nothing",
    ),
    "warm after nothing": Refused(
        spec(smoke={"warmUp": {"requests": [{}], "inARow": 0}}), "spec.smoke.warmUp.inARow"
    ),
    "no progress deadline": Refused(
        spec(progressDeadline="0s"), "spec", "progressDeadline must be longer than nothing"
    ),
    "an approval of no step": Refused(
        spec(action=action("Approve")), "spec.action", "an Approve needs it"
    ),
    "a step that nobody approves": Refused(
        spec(action=action("Abort", step=1)), "spec.action", "nothing else has it"
    ),
    "an abort with a destination": Refused(
        spec(action=action("Abort", to="abc")), "spec.action", "set the type to Undo"
    ),
    "an unknown action": Refused(spec(action=action("Explode")), "spec.action.type"),
    "an action of no time": Refused(spec(action=action("Abort", at="now")), "spec.action.at"),
    "an action of no revision": Refused(
        spec(action=action("Abort", revision="")), "spec.action.revision"
    ),
    "no history": Refused(spec(historyLimit=0), "spec.historyLimit"),
    "a container without an image": Refused(
        spec(template=container()),
        "spec",
        "template.spec.containers needs at least one container, and each of them an image",
    ),
    "a container with an empty image": Refused(
        spec(template=container(image="")),
        "spec",
        "template.spec.containers needs at least one container, and each of them an image",
    ),
    "no containers": Refused(
        spec(template={"spec": {"containers": []}}),
        "spec",
        "template.spec.containers needs at least one container, and each of them an image",
    ),
    "a pod that ends": Refused(
        spec(template=template(restartPolicy="Never")),
        "spec",
        "template.spec.restartPolicy can only be Always",
    ),
    "a label of Headgate's": Refused(
        spec(template=labelled(headgate_dev__revision="abc")),
        "spec",
        "template.metadata.labels must not begin with headgate.dev/",
    ),
    "another manager's label": Refused(
        spec(template=labelled(**{"app.kubernetes.io__managed-by": "Helm"})),
        "spec",
        "must not set app.kubernetes.io/managed-by to another value than headgate",
    ),
    "another model's label": Refused(
        spec(template=labelled(app_kubernetes_io__name="other")),
        "spec",
        "must not set app.kubernetes.io/name to another value than model.name",
    ),
}

TYPOS: dict[str, tuple[Spec, str]] = {
    "at the top": (spec(replica=3), "spec.replica"),
    "in a step": (
        spec(strategy=canary({"weight": 5, "hodl": "5m"})),
        "spec.strategy.canary.steps[0].hodl",
    ),
    "in a condition": (
        spec(rollback=condition(above=0.1, duration="5m")),
        "spec.rollback.conditions[0].duration",
    ),
    "in a smoke request": (
        spec(smoke={"requests": [{"url": "/"}]}),
        "spec.smoke.requests[0].url",
    ),
}

TEMPLATE_TYPOS: dict[str, tuple[Spec, str]] = {
    "in a container": (
        spec(template=container(image="i", imagePolicy="Always")),
        "spec.template.spec.containers[0].imagePolicy",
    ),
    "in a probe": (
        spec(template=container(image="i", readinessProbe={"httpget": {"port": 80}})),
        "spec.template.spec.containers[0].readinessProbe.httpget",
    ),
    "in the pod": (
        spec(template=template(nodeSelectors={"a": "b"})),
        "spec.template.spec.nodeSelectors",
    ),
}

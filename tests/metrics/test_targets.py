"""What a spec wants to know of a release's pods."""

from __future__ import annotations

from headgate.api.spec import ModelDeploymentSpec
from headgate.metrics import target_of
from headgate.metrics.promql import Matcher, Query, Series

SPEC = ModelDeploymentSpec.model_validate(
    {
        "model": {"name": "fraud", "version": "1"},
        "template": {"spec": {"containers": [{"name": "server", "image": "fraud:1"}]}},
        "analysis": {
            "provider": "gpu",
            "runtime": "vllm",
            "rules": {"latencyP99": {"max": "500ms"}},
            "gauges": [
                {"name": "memory", "series": "gpu_memory", "matchers": {"unit": "MiB"}},
                {"name": "batch", "query": "avg by (namespace, pod) (batch)"},
            ],
            "drift": [{"name": "score", "series": "fraud_score"}],
        },
        "rollback": {
            "conditions": [
                {"name": "slow", "metric": "latencyP99", "above": "5s", "for": "1m"},
                {"name": "errors", "metric": "errorRate", "above": 0.1, "for": "1m"},
            ]
        },
    }
)


def test_a_target_has_the_pods_the_limits_and_what_is_compared() -> None:
    target = target_of("risk", "fraud", SPEC, ["fraud-aaaa-1", "fraud-bbbb-1"])
    assert target.key == ("risk", "fraud")
    assert (target.provider, target.runtime) == ("gpu", "vllm")
    assert target.all_pods == {("risk", "fraud-aaaa-1"), ("risk", "fraud-bbbb-1")}
    assert target.limits == {0.5, 5.0}
    assert target.gauges == {
        "memory": Series("gpu_memory", (), (Matcher("unit", "=", "MiB"),)),
        "batch": Query("avg by (namespace, pod) (batch)"),
    }
    assert target.histograms == {"score": Series("fraud_score", ())}


def test_a_proxy_before_the_live_service_counts_for_that() -> None:
    analysis = SPEC.analysis.model_copy(update={"runtime": "ingress-nginx"})
    spec = SPEC.model_copy(update={"analysis": analysis})
    pods = ["fraud-aaaa-1", "fraud-bbbb-1"]
    assert target_of("risk", "fraud", spec, pods).counted == {("risk", "fraud")}
    assert target_of("risk", "fraud", SPEC, pods).counted == {("risk", each) for each in pods}

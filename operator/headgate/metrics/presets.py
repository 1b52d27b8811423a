"""Presets of metric names: what a model server of a known runtime, or the proxy before it, calls
its metrics. docs/runtimes.md says where each of them was checked.

`analysis.runtime` of a ModelDeployment names one. The labels listed are those that a server itself
puts on a series, so that whatever else distinguishes two series (the scraping job, the Service, the
Prometheus replica) marks a duplicate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from headgate.metrics.promql import Matcher, Series
from headgate.metrics.subjects import PODS, ByService, Subject

MILLISECONDS = 0.001


@dataclass(frozen=True)
class Preset:
    """Names of one runtime's metrics.

    `requests` are counters that together count all requests, `failed` those that count the failed
    ones among them. `buckets` is the histogram of latencies, whose boundaries are in `unit`
    seconds; None when the runtime has none, and latency cannot be judged
    (`headgate.api.analysis.WITHOUT_LATENCY`). `subject` is what they count for: pods, or Services
    (`headgate.api.analysis.BY_SERVICE`).
    """

    requests: tuple[Series, ...]
    failed: tuple[Series, ...]
    buckets: Series | None
    unit: float = 1.0
    subject: Subject = PODS


def _one_counter(
    name: str,
    labels: tuple[str, ...],
    failed: Matcher,
    buckets: Series | None,
    *matchers: Matcher,
    unit: float = 1.0,
    subject: Subject = PODS,
) -> Preset:
    """A counter of all requests whose labels tell the failed ones apart."""
    return Preset(
        requests=(Series(name, labels, matchers),),
        failed=(Series(name, labels, (*matchers, failed)),),
        buckets=buckets,
        unit=unit,
        subject=subject,
    )


_MLSERVER = ("app_name", "method", "path", "status_code")
_BENTOML = ("endpoint", "http_response_code", "runner_name", "service_name", "service_version")
_RAY = ("WorkerId", "application", "method", "route", "status_code")
_ENVOY = ("envoy_http_conn_manager_prefix",)
_ISTIO = (
    "connection_security_policy",
    "destination_app",
    "destination_canonical_revision",
    "destination_canonical_service",
    "destination_cluster",
    "destination_principal",
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "destination_version",
    "destination_workload",
    "destination_workload_namespace",
    "grpc_response_status",
    "reporter",
    "request_protocol",
    "response_code",
    "response_flags",
    "source_app",
    "source_canonical_revision",
    "source_canonical_service",
    "source_cluster",
    "source_principal",
    "source_version",
    "source_workload",
    "source_workload_namespace",
)
_INGRESS_NGINX = ("canary", "controller_class", "host", "ingress", "method", "path", "status")
_INBOUND = Matcher("reporter", "=", "destination")
_PREDICTS = Matcher(
    "path", "=~", "/v2/models/.*/(infer|infer_stream|generate|generate_stream)|/invocations"
)
_NOT_INTERNAL = Matcher("route", "!~", "/-/.*")
_NOT_A_PROBE = Matcher("endpoint", "!~", "/|/livez|/readyz|/healthz|/metrics")
_INFERS = (
    Matcher(
        "handler",
        "=~",
        "/v[12]/.*|/inference/v1/generate|/cohere/v2/chat"
        "|/(pooling|classify|score|rerank|generative_scoring|invocations)",
    ),
    # A GET of /v1/models is a probe or a router's question.
    Matcher("method", "=", "POST"),
)
_NOT_ADMIN = Matcher("envoy_http_conn_manager_prefix", "!~", "admin|agent|stats")
# With a canary ingress the requests to its Service are counted under the name of the other one.
_NOT_ELSEWHERE = Matcher("canary", "=~", "|-")


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "http": _one_counter(
            "http_requests_total",
            ("method", "handler", "status"),
            Matcher("status", "=~", "5.."),
            Series("http_request_duration_seconds_bucket", ("method", "handler")),
        ),
        "triton": Preset(
            requests=(
                Series("nv_inference_request_success", ("model", "version")),
                Series("nv_inference_request_failure", ("model", "version", "reason")),
            ),
            failed=(Series("nv_inference_request_failure", ("model", "version", "reason")),),
            buckets=None,
        ),
        "vllm": _one_counter(
            "http_requests_total",
            ("handler", "method", "status"),
            Matcher("status", "=~", "5.."),
            Series("vllm:e2e_request_latency_seconds_bucket", ("engine", "model_name")),
            *_INFERS,
        ),
        "torchserve": Preset(
            # Requests2XX would also count probes, scrapes and calls of the management API.
            requests=(
                Series("ts_inference_requests_total", ("hostname", "model_name", "model_version")),
            ),
            failed=(Series("Requests5XX", ("Hostname", "Level")),),
            buckets=None,
        ),
        "mlserver": _one_counter(
            "rest_server_requests_total",
            _MLSERVER,
            Matcher("status_code", "=~", "5.."),
            Series("rest_server_request_duration_seconds_bucket", _MLSERVER, (_PREDICTS,)),
            _PREDICTS,
        ),
        "bentoml": _one_counter(
            "bentoml_service_request_total",
            _BENTOML,
            Matcher("http_response_code", "=~", "5.."),
            Series("bentoml_service_request_duration_seconds_bucket", _BENTOML, (_NOT_A_PROBE,)),
            _NOT_A_PROBE,
        ),
        "ray-serve": _one_counter(
            "ray_serve_num_http_requests_total",
            _RAY,
            Matcher("status_code", "=~", "5.."),
            Series("ray_serve_http_request_latency_ms_bucket", _RAY, (_NOT_INTERNAL,)),
            _NOT_INTERNAL,
            unit=MILLISECONDS,
        ),
        "istio": _one_counter(
            "istio_requests_total",
            _ISTIO,
            Matcher("response_code", "=~", "5..|0"),
            Series("istio_request_duration_milliseconds_bucket", _ISTIO, (_INBOUND,)),
            _INBOUND,
            unit=MILLISECONDS,
        ),
        "envoy": _one_counter(
            "envoy_http_downstream_rq_xx",
            (*_ENVOY, "envoy_response_code_class"),
            Matcher("envoy_response_code_class", "=", "5"),
            Series("envoy_http_downstream_rq_time_bucket", _ENVOY, (_NOT_ADMIN,)),
            _NOT_ADMIN,
            unit=MILLISECONDS,
        ),
        "ingress-nginx": _one_counter(
            "nginx_ingress_controller_requests",
            _INGRESS_NGINX,
            Matcher("status", "=~", "5.."),
            Series(
                "nginx_ingress_controller_request_duration_seconds_bucket",
                _INGRESS_NGINX,
                (_NOT_ELSEWHERE,),
            ),
            _NOT_ELSEWHERE,
            subject=ByService(("controller_namespace", "controller_pod")),
        ),
    }
)


def unknown(name: str) -> str:
    """The sentence for a runtime that has no preset."""
    return f'runtime "{name}" has no preset of metric names; there are: {", ".join(PRESETS)}'

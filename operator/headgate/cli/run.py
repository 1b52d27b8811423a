"""`headgate run`: the operator itself, in a pod or on a desk with a kubeconfig."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

_EPILOG = """\
examples:
  headgate run --providers providers.yaml
  headgate run --providers providers.yaml --namespace risk --namespace fraud --log-format text
  headgate run --providers providers.yaml --lease headgate-system/headgate

providers.yaml names the Prometheus servers that a ModelDeployment may use:
  providers:
    default: {url: "http://prometheus.monitoring:9090", scrapeInterval: 15s}

notifications.yaml names whom to tell, by addresses as Apprise spells them:
  receivers:
    oncall: {url: "pagerduty://INTEGRATION_KEY@API_KEY", reasons: [RevertFailed]}
    team: {url: "slack://TOKEN_A/TOKEN_B/TOKEN_C/#releases", namespaces: [risk]}
"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    what = "run the operator"
    added = commands.add_parser(
        "run",
        help=what,
        description=f"{what.capitalize()} until it is told to stop by SIGTERM or SIGINT.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.add_argument("--providers", type=Path, metavar="FILE", help="metric providers (YAML)")
    added.add_argument(
        "--notifications", type=Path, metavar="FILE", help="whom to tell of reverts (YAML)"
    )
    added.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NAME",
        help="a namespace to work in; repeat it for several (default: all)",
    )
    added.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="default: the pod's account, or your own"
    )
    added.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    added.add_argument("--log-format", default="json", choices=["json", "text"])
    added.add_argument(
        "--health-port",
        type=int,
        default=8080,
        metavar="PORT",
        help="of /healthz, /readyz and /metrics (default: 8080)",
    )
    added.add_argument(
        "--lease",
        metavar="NAMESPACE/NAME",
        help="the Lease by which one of several processes leads; the others stand by "
        "(default: none, this is the only process)",
    )
    added.add_argument(
        "--lease-duration",
        default="15s",
        metavar="DURATION",
        help="after this long without a renewal another process leads (default: 15s)",
    )
    for flag, where in (("--max-releases", "in all"), ("--max-releases-per-namespace", "in each")):
        added.add_argument(
            flag,
            type=int,
            metavar="N",
            help=f"releases under way at the same time, {where}; others wait (default: no cap)",
        )
    added.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Run until stopped; 2 when the configuration cannot work."""
    from pydantic import ValidationError

    from headgate.runtime.configuration import Configuration
    from headgate.runtime.operator import run

    try:
        configuration = Configuration(
            providers=arguments.providers,
            notifications=arguments.notifications,
            namespaces=tuple(arguments.namespace),
            kubeconfig=arguments.kubeconfig,
            log_level=arguments.log_level,
            log_format=arguments.log_format,
            health_port=arguments.health_port,
            lease=arguments.lease,
            lease_duration=arguments.lease_duration,
            max_releases=arguments.max_releases,
            max_releases_per_namespace=arguments.max_releases_per_namespace,
        )
    except ValidationError as error:
        for each in error.errors():
            print(f"headgate run: --{_flag(each['loc'][0])}: {each['msg']}", file=sys.stderr)
        return 2
    return run(configuration)


def _flag(field: object) -> str:
    return str(field).replace("namespaces", "namespace").replace("_", "-")

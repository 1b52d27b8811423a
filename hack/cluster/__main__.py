"""The command line of the local cluster. `python -m hack.cluster --help` shows what it can do.

Results go to standard output, progress and errors to standard error. Exit codes: 0 done, 1 failed
(or, for `status` and `doctor`, not all is well), 2 wrong usage, 3 this machine lacks something.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hack.cluster import binaries, local, packages, prerequisites
from hack.cluster import record as records
from hack.cluster.cluster import close_cluster, open_cluster
from hack.cluster.errors import ClusterError, ClusterUnavailableError
from hack.cluster.processes import alive

_DEFAULT_NAME = "dev"
_EXAMPLES = """\
examples:
  python -m hack.cluster doctor                what this machine offers and lacks
  python -m hack.cluster up                    start the cluster "dev", or reuse it
  export KUBECONFIG=$(python -m hack.cluster up)
  python -m hack.cluster up --name test --control-plane-only
                                               an API server without nodes, in seconds
  python -m hack.cluster image --context . --file Dockerfile --tag headgate.local/headgate:dev
                                               build an image and load it into "dev"
  python -m hack.cluster status                every cluster and its processes
  python -m hack.cluster down                  remove the cluster "dev" and all its traces

The first `up` builds Kubernetes from source, which takes minutes; `build` and `packages` do that
ahead of time. What is built stays in $HEADGATE_CACHE (default ~/.cache/headgate).
"""


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m hack.cluster",
        description="A real Kubernetes cluster on this machine, with kind where Docker runs and "
        "with processes of its own otherwise.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, what: str, *, named: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=what, description=what)
        if named:
            added.add_argument(
                "--name", default=_DEFAULT_NAME, help=f"the cluster (default: {_DEFAULT_NAME})"
            )
        return added

    def control_plane_only(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--control-plane-only", action="store_true", help="an API server without nodes"
        )

    up = command("up", "start a cluster or reuse it, and print the path of its kubeconfig")
    control_plane_only(up)
    up.add_argument(
        "--controllers",
        action="store_true",
        help="with --control-plane-only: run the controller manager too",
    )
    command("down", "remove a cluster and all its traces")
    command("status", "list the clusters and their processes", named=False)
    command("doctor", "say what this machine offers and lacks for a cluster", named=False)
    control_plane_only(command("build", "build all programs into the cache", named=False))
    control_plane_only(command("packages", "install the Debian packages needed", named=False))
    image = command("image", "build an image and load it into a cluster")
    image.add_argument("--context", type=Path, default=Path(), help="default: this directory")
    image.add_argument("--file", type=Path, help="default: Dockerfile in the context")
    image.add_argument("--tag", required=True, help="the image's name, e.g. headgate.local/x:1.0")
    image.add_argument(
        "--build-arg", action="append", default=[], metavar="KEY=VALUE", help="an ARG's value"
    )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    chosen = parser().parse_args(arguments)
    try:
        return _run(chosen)
    except ClusterUnavailableError as error:
        print(error, file=sys.stderr)
        return 3
    except (ClusterError, OSError) as error:  # OSError: a directory that cannot be written, say
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next `up` or `down` cleans up", file=sys.stderr)
        return 130


def _run(chosen: argparse.Namespace) -> int:
    match chosen.command:
        case "up":
            cluster = open_cluster(
                chosen.name,
                control_plane_only=chosen.control_plane_only,
                controllers=chosen.controllers,
            )
            print(cluster.kubeconfig)
            return 0
        case "down":
            close_cluster(chosen.name)
            return 0
        case "status":
            return _status()
        case "doctor":
            return _doctor()
        case "build":
            return _build(chosen.control_plane_only)
        case "packages":
            packages.install_packages(control_plane_only=chosen.control_plane_only)
            print("all packages are installed")
            return 0
        case _:
            dockerfile = chosen.file or chosen.context / "Dockerfile"
            arguments = dict(each.partition("=")[::2] for each in chosen.build_arg)
            open_cluster(chosen.name).build_image(chosen.context, dockerfile, chosen.tag, arguments)
            print(chosen.tag)
            return 0


def _status() -> int:
    names = records.names()
    if not names:
        print("no clusters")
    well = True
    for name in names:
        record = records.load(name)
        if record is None:
            print(f"{name}: unreadable record; `up --name {name}` or `down --name {name}` mends it")
            well = False
            continue
        healthy = local.healthy(record)
        well = well and healthy
        kind = "control plane only" if record.control_plane_only else "whole cluster"
        print(f"{name}: {'healthy' if healthy else 'not healthy'} ({kind})")
        print(f"  kubeconfig  {record.kubeconfig}")
        for process, identity in record.processes.items():
            condition = "runs" if alive(identity) else "ended"
            print(f"  {process:<24}{condition:<7}pid {identity.pid:<8}log {record.log(process)}")
    return 0 if well else 1


def _doctor() -> int:
    machine = prerequisites.look()
    for finding in prerequisites.findings(machine):
        print(f"{'ok' if finding.there else '--'}  {finding.name:<18}{finding.sentence}")
    for control_plane_only, what in ((False, "whole cluster"), (True, "control plane")):
        reason = prerequisites.unavailable_reason(machine, control_plane_only=control_plane_only)
        print(f"{what}: {'possible' if reason is None else f'not possible: {reason}'}")
    possible = prerequisites.unavailable_reason(machine) is None
    return 0 if possible else 3


def _build(control_plane_only: bool) -> int:
    wanted = binaries.control_plane() if control_plane_only else binaries.WHOLE_CLUSTER
    if not all(binaries.is_built(name) for name in wanted):
        prerequisites.require_go()
    binaries.download_modules(wanted)
    binaries.build(wanted)
    for name in wanted:
        print(binaries.binaries_directory(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())

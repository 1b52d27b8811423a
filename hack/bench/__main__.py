"""The command line of the benchmarks; the targets `bench-…` of the Makefile call it.

Exit codes: 0 measured, 1 something broke, 2 wrong usage, 3 this machine lacks something, 130
interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType

from hack.bench import document, image, polls, report, verdict_report, verdicts
from hack.bench.control_plane import REPOSITORY, benchmark_cluster
from hack.bench.engine import Engine, Options
from hack.cluster import ClusterError, ClusterUnavailableError, packages
from hack.cluster.commands import tail
from hack.cluster.record import ClusterRecord

RELEASES = 200
MOST_FALSE_REVERTS = 0.02
"""Of healthy releases in any case without a burst on the candidate alone."""

MOST_DELAY = 1.05
"""Of a decision beside a dead provider, as a multiple of that without one."""

QUICK = Options(models=(20,), busy=20, under_way=(1, 5), window=20.0)
_EXAMPLES = """\
examples:
  make bench-engine                                  everything, into docs/measurements.md
  make bench-engine BENCH="--quick"                  a first look: 20 ModelDeployments, 5 releases
  make bench-judge                                   verdicts on simulated releases
  make bench-polls                                   questions to Prometheus, a dead provider
  make bench-image                                   the image: sizes, contents, a second build
  python -m hack.bench engine --models 100,500 --busy 100 --under-way 1,20 --window 60
"""


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m hack.bench",
        description="Measure what the operator costs and weighs, and how well it judges.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    add = partial(
        commands.add_parser,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    engine = add("engine", help="the release engine on simulated nodes")
    standard = Options()
    engine.add_argument(
        "--models", type=_numbers, metavar="N,…", help="ModelDeployments at rest (100,500,1000)"
    )
    engine.add_argument(
        "--busy",
        type=int,
        metavar="N",
        help=f"how many there are beside releases ({standard.busy})",
    )
    engine.add_argument(
        "--under-way", type=_numbers, metavar="N,…", help="releases at the same time (1,50)"
    )
    engine.add_argument(
        "--window", type=float, metavar="SECONDS", help=f"for each state ({standard.window:.0f})"
    )
    engine.add_argument(
        "--against",
        type=Path,
        metavar="DIRECTORY",
        help="also measure the operator of this other working tree, in the same run",
    )
    engine.add_argument("--quick", action="store_true", help="small numbers, short windows")
    engine.set_defaults(execute=_engine)
    judge = add("judge", help="verdicts on simulated releases, beside those of other judges")
    judge.add_argument(
        "--releases", type=int, default=RELEASES, metavar="N", help=f"of each case ({RELEASES})"
    )
    judge.set_defaults(execute=_judge)
    asking = add("polls", help="questions to Prometheus, and a provider that is dead")
    asking.add_argument(
        "--window", type=float, default=60.0, metavar="SECONDS", help="for each state (60)"
    )
    asking.set_defaults(execute=_polls)
    holding = add("image", help="the operator's image: what it weighs and holds, built twice")
    holding.set_defaults(execute=_image)
    for each in (engine, judge, asking, holding):
        each.add_argument("--output", type=Path, metavar="FILE", help="write the results into FILE")
    return top


def options_of(arguments: argparse.Namespace) -> Options:
    """What was asked for, and the usual values for the rest."""
    usual = QUICK if arguments.quick else Options()
    models = arguments.models or usual.models
    busy = arguments.busy or (usual.busy if usual.busy in models else max(models))
    trees = [("now", REPOSITORY)] if arguments.against else [("", REPOSITORY)]
    if arguments.against:
        trees.insert(0, ("before", arguments.against.absolute()))
    return Options(
        trees=tuple(trees),
        models=tuple(sorted({*models, busy})),
        busy=busy,
        under_way=arguments.under_way or usual.under_way,
        window=arguments.window or usual.window,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    given = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(given.execute(given))
    except ClusterUnavailableError as error:
        print(error, file=sys.stderr)
        return 3
    except (ClusterError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; everything that was started is gone", file=sys.stderr)
        return 130


def _engine(given: argparse.Namespace) -> int:
    began = time.monotonic()
    with benchmark_cluster() as cluster:
        engine = Engine(cluster, options_of(given))
        try:
            asyncio.run(engine.run())
        except ClusterError:
            _show_logs(cluster.record)
            raise
        finally:
            # What was measured before something broke is worth reading too.
            section = report.markdown(engine.results, _took(began), document.machine())
            print(section)
    if given.output is not None:
        document.write(given.output, report.NAME, report.TITLE, section)
    return 0


def _judge(given: argparse.Namespace) -> int:
    began = time.monotonic()

    def tell(done: int, total: int) -> None:
        print(
            f"\r{done} of {total} cases, {time.monotonic() - began:.0f} s", end="", file=sys.stderr
        )

    outcomes = verdicts.simulate(given.releases, tell)
    print(file=sys.stderr)
    section = verdict_report.markdown(outcomes, _took(began), document.machine())
    print(section)
    if given.output is not None:
        document.write(given.output, verdict_report.NAME, verdict_report.TITLE, section)
    worst = verdict_report.worst_false_revert(outcomes)
    if worst > MOST_FALSE_REVERTS:
        print(f"error: {worst:.1%} of healthy releases were taken back", file=sys.stderr)
        return 1
    return 0


def _polls(given: argparse.Namespace) -> int:
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:4.0f} s  {what}", file=sys.stderr, flush=True)

    results = asyncio.run(polls.measure(given.window, tell))
    section = polls.markdown(results, _took(began), document.machine())
    print(section)
    if given.output is not None:
        document.write(given.output, polls.NAME, polls.TITLE, section)
    if len(set(results.queries.values())) > 1 or results.ratio > MOST_DELAY:
        print(
            "error: the number of queries grows, or a dead provider delays others", file=sys.stderr
        )
        return 1
    return 0


def _image(given: argparse.Namespace) -> int:
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:4.0f} s  {what}", file=sys.stderr, flush=True)

    packages.install_packages()
    results = image.measure(tell)
    section = image.markdown(results, _took(began), document.machine())
    print(section)
    if given.output is not None:
        document.write(given.output, image.NAME, image.TITLE, section)
    for fault in results.faults():
        print(f"error: {fault}", file=sys.stderr)
    return 1 if results.faults() else 0


def _took(began: float) -> str:
    return f"in {(time.monotonic() - began) / 60:.0f} min"


def _show_logs(record: ClusterRecord) -> None:
    for name in record.processes:
        if name.startswith("operator") and record.log(name).exists():
            print(tail(record.log(name).read_text(errors="replace")), file=sys.stderr)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(each) for each in text.split(","))
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError("numbers from 1 on")
    return numbers


if __name__ == "__main__":
    sys.exit(main())

"""`make test-faults`: every story of every strategy, disturbed at every point there is.

Prints progress and a closing table; exit code 1 when a point ended wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hack.cluster import Cluster
from hack.cluster.cluster import temporary_cluster
from hack.cluster.processes import wait_until
from tests.faults.arena import arena
from tests.faults.enumeration import (
    SIDE_BY_SIDE,
    Result,
    enumerate_points,
    every_answer,
    every_kill,
)
from tests.faults.stories import STRATEGIES, TITLES, stories

CRD = "modeldeployments.headgate.dev"
CRDS = Path(__file__).parents[2] / "crds"

GROUPS = {
    "kills": (every_kill, tuple(TITLES)),
    "answers": (every_answer, ("good", "bad", "adopted")),
}
"""How the stories are disturbed, and which of them."""

EXAMPLES = """\
examples:
  python -m tests.faults                                        everything
  python -m tests.faults --group kills --strategy Canary --story bad
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--group", action="append", choices=[*GROUPS])
    parser.add_argument("--strategy", action="append", choices=[*STRATEGIES])
    parser.add_argument("--story", action="append", choices=[*TITLES])
    parser.add_argument("--side-by-side", type=int, default=SIDE_BY_SIDE, metavar="OPERATORS")
    chosen = parser.parse_args(arguments)
    # What is disturbed on purpose is logged by the operators as it should be.
    logging.disable(logging.CRITICAL)
    with temporary_cluster("faults", control_plane_only=True) as cluster:
        _install(cluster)
        results = asyncio.run(_run(cluster, chosen))
    wrong = [result.report() for found in results.values() for result in found if result.wrong]
    print("\n".join(["", *wrong, *_table(results)]))
    return 1 if wrong else 0


def _install(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", str(CRDS))

    def established() -> bool:
        crd = json.loads(cluster.kubectl("get", f"crd/{CRD}", "-ojson"))
        conditions = crd["status"].get("conditions") or ()
        return ("Established", "True") in [(each["type"], each["status"]) for each in conditions]

    wait_until(established, 60, lambda: f"{CRD} was not established", 0.2)


async def _run(cluster: Cluster, chosen: argparse.Namespace) -> dict[str, list[Result]]:
    began = time.monotonic()

    def progress(group: str) -> Callable[[str], None]:
        def say(line: str) -> None:
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            print(f"{minutes:3}m{seconds:02}s  {group:8} {line}", flush=True)

        return say

    results: dict[str, list[Result]] = {}
    async with arena(cluster.kubeconfig) as place:
        for group in chosen.group or GROUPS:
            points, titles = GROUPS[group]
            wanted = [title for title in titles if title in (chosen.story or titles)]
            told = stories(chosen.strategy or STRATEGIES, wanted)
            results[group] = await enumerate_points(
                place, told, points, progress(group), chosen.side_by_side
            )
    return results


def _table(results: dict[str, list[Result]]) -> list[str]:
    rows = ["", f"{'':8} {'strategy':10} {'story':12} {'points':>7} {'wrong':>6}"]
    tried = wrong = 0
    for group, found in results.items():
        for each in found:
            what = f"{each.story.strategy:10} {each.story.title:12}"
            rows.append(f"{group:8} {what} {each.tried:7} {len(each.wrong):6}")
            tried, wrong = tried + each.tried, wrong + len(each.wrong)
    return [*rows, f"{'in all':32} {tried:7} {wrong:6}"]


if __name__ == "__main__":
    sys.exit(main())

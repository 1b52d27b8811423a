"""The command line of the demonstration; `make demo` and `make demo-down` call it.

Exit codes: 0 every outcome was the right one, 1 one was not or a part failed, 2 wrong usage, 3 this
machine lacks something, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from rich.console import Console

from hack.cluster import Cluster, ClusterError, ClusterUnavailableError, open_cluster, progress
from hack.cluster.__main__ import main as cluster_command
from hack.cluster.locks import exclusive
from hack.cluster.paths import cache_directory, clusters_directory
from hack.demo import installing, table
from hack.demo.explaining import drawn, explained
from hack.demo.findings import Finding
from hack.demo.loads import Loads, end_leftovers
from hack.demo.picture import Picture
from hack.demo.releasing import Player, headgate
from hack.demo.stories import NAMESPACE, STORIES, Story, chosen
from hack.demo.view import look_around, make_view
from hack.demo.watching import Watching

CLUSTER = "demo"
_REFRESH_SECONDS = 0.5
_PLAIN_WIDTH = 160
_EXAMPLES = """\
examples:
  make demo                                  all of it: set-up, then six releases side by side
  make demo DEMO="--only canary"             one strategy
  make demo DEMO="--output docs/demo.md"     also write the closing table as Markdown
  python -m hack.demo run | tee demo.log     plain lines instead of the live view
  make demo-down                             remove the cluster and all that ran in it
"""


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m hack.demo",
        description="Release a real model, good and bad versions of it, on a real cluster.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="set up what is missing, then play (the default)",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument(
        "--only",
        action="append",
        default=[],
        choices=[story.name for story in STORIES],
        help="play this ModelDeployment only; may be given more than once",
    )
    run.add_argument("--output", type=Path, metavar="FILE", help="write the table as Markdown")
    run.add_argument(
        "--began", type=float, metavar="SECONDS", help="when the set-up began, in epoch seconds"
    )
    commands.add_parser("down", help="remove the cluster and all that the demonstration made")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given.insert(0, "run")
    chosen_command = parser().parse_args(given)
    # Whoever stops the demonstration stops its loads too.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        # One stream for all that is said, so that a file holds it in its order.
        with contextlib.redirect_stderr(sys.stdout), _alone():
            if chosen_command.command == "down":
                return down()
            return run(chosen(chosen_command.only), chosen_command.output, chosen_command.began)
    except ClusterUnavailableError as error:
        print(error, file=sys.stderr)
        return 3
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; `make demo` starts anew, `make demo-down` cleans up", file=sys.stderr)
        return 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def directory() -> Path:
    """Where the demonstration keeps the records and process ids of its loads."""
    return clusters_directory().parent / "demo"


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    with exclusive(clusters_directory() / ".locks" / ".demo", "the demonstration", timeout=5):
        yield


class Parts:
    """Says which part is under way, and keeps how long each took."""

    def __init__(self, whole: int, began: float | None) -> None:
        self.times: list[table.Part] = []
        self._whole = whole
        if began is not None:
            self.times.append(("set-up", max(0.0, time.time() - began)))

    @contextlib.contextmanager
    def part(self, name: str, what: str) -> Iterator[None]:
        """Show and time one part."""
        began = time.monotonic()
        done = sum(each != "set-up" for each, _ in self.times)
        print(f"\n[{done + 1}/{self._whole}] {what}", flush=True)
        try:
            yield
        finally:
            self.times.append((name, time.monotonic() - began))


def run(stories: Sequence[Story], output: Path | None, began: float | None) -> int:
    """Set up, play, show what came of it; 0 only if all was right."""
    parts = Parts(4, began)
    end_leftovers(directory())
    with parts.part("cluster", "A local cluster, built from source the first time"):
        cluster = open_cluster(CLUSTER)
        installing.forget_earlier(cluster)
    with parts.part("images", "Images of the operator, of Prometheus and of the models"):
        cluster.build_images(installing.images())
    with parts.part("operator", "Prometheus, and the operator by `helm install`"):
        installing.start_prometheus(cluster)
        with progress.step("helm install headgate"):
            installing.install_operator(cluster)
        installing.wait_ready(cluster)
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
    with parts.part("releases", f"Releases of {', '.join(story.name for story in stories)}"):
        findings = play(cluster, stories, console)
    return report(cluster, findings, parts.times, output, console)


def play(cluster: Cluster, stories: Sequence[Story], console: Console) -> list[Finding]:
    """Play the stories side by side and show them."""
    directory().mkdir(parents=True, exist_ok=True)
    picture, loads = Picture(), Loads(directory())
    watching = Watching(cluster.kubeconfig, picture)
    watching.start()
    player = Player(cluster, picture, loads)
    pool = ThreadPoolExecutor(len(stories))
    view = make_view(stories, picture, loads, console)
    try:
        futures = [pool.submit(player.play, story) for story in stories]
        while not all(future.done() for future in futures):
            loads.read()
            view.refresh()
            time.sleep(_REFRESH_SECONDS)
        return [finding for future in futures for finding in future.result()]
    finally:
        view.close()
        # For an interrupt: no story waits any longer, no load goes on.
        picture.end()
        loads.stop_all()
        watching.stop()
        pool.shutdown(wait=False, cancel_futures=True)


def report(
    cluster: Cluster,
    findings: Sequence[Finding],
    times: Sequence[table.Part],
    output: Path | None,
    console: Console,
) -> int:
    """Show and write down what came of it."""
    table.show(console, findings, times)
    if output is not None:
        output.write_text(table.markdown(findings, times))
    right = bool(findings) and all(finding.right for finding in findings)
    if not right:
        print(installing.why_not_ready(cluster, installing.OPERATOR_NAMESPACE))
    with contextlib.suppress(ClusterError):
        print("\n$ headgate history canary --namespace headgate-demo")
        print(headgate(cluster, "history", "canary", "--namespace", NAMESPACE))
    _explain(cluster, findings)
    print(f"\nThe cluster stays. Answers of every request: {directory()}. To look around:")
    for command in look_around(cluster.kubeconfig, cluster.kubectl_program.parent):
        print(f"  {command}")
    return 0 if right else 1


def _explain(cluster: Cluster, findings: Sequence[Finding]) -> None:
    """Why the last release that was taken back for its answers was, and how that looked."""
    taken_back = [
        each.played.story.name
        for each in findings
        if each.played.outcome == "Reverted" and each.played.first_bad is not None
    ]
    if not taken_back:
        return
    story = taken_back[0]
    picture = directory() / f"{story}.png"
    try:
        print(f"\n$ headgate explain {story} --namespace {NAMESPACE}")
        print(explained(cluster, story))
        print(f"$ headgate replay {story} --namespace {NAMESPACE} --prometheus … --plot {picture}")
        print(drawn(cluster, story, picture))
    except ClusterError as error:
        print(error)


def down() -> int:
    """Remove the loads, the cluster and the records."""
    end_leftovers(directory())
    code = cluster_command(["down", "--name", CLUSTER])
    shutil.rmtree(directory(), ignore_errors=True)
    print(
        f"The demonstration is gone. What was built stays for the next one in {cache_directory()}; "
        "delete that directory to be rid of it."
    )
    return code


if __name__ == "__main__":
    sys.exit(main())

"""`python -m hack.load --url http://… --rate 50 --duration 60 --record FILE.jsonl`.

SIGINT and SIGTERM end the load early: no further request leaves, those under way are waited for
and recorded. A second signal ends the process at once. `--report` prints the summary of a record
that exists already.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from hack.load.answers import Answer, read
from hack.load.generator import Load, held_out_rows, send
from hack.load.report import summarise

MOST_REQUESTS = 1_000_000
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m hack.load", description="Send real rows to a model server, record answers."
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--url", help="the server; without a path, /predict is meant")
    target.add_argument("--report", type=Path, metavar="FILE", help="summarise a record and exit")
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second (50)")
    parser.add_argument("--duration", type=float, default=60.0, help="seconds (60)")
    parser.add_argument("--count", type=int, default=MOST_REQUESTS, help="at most so many requests")
    parser.add_argument("--keep-alive", type=int, default=4, help="keep-alive connections (4)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="where each answer's line goes")
    arguments = parser.parse_args()
    if arguments.url and not arguments.record:
        parser.error("--url needs --record")
    return arguments


async def _run(load: Load, path: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_once() -> None:
        stop.set()
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            # A shell starts background jobs with SIGINT ignored; the second one must end us.
            signal.signal(number, signal.SIG_DFL)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop_once)
    rows = await asyncio.to_thread(held_out_rows)
    # Line by line, so that a reader follows and a kill loses nothing that was answered.
    with path.open("w", encoding="utf-8", buffering=1) as lines:

        def record(answer: Answer) -> None:
            lines.write(answer.line())

        await send(load, rows, record, stop)


def main() -> None:
    """Parse the command line, send the load, print what came of it."""
    arguments = _arguments()
    path: Path = arguments.report or arguments.record
    if arguments.url:
        load = Load(
            arguments.url,
            arguments.rate,
            arguments.duration,
            arguments.count,
            arguments.keep_alive,
        )
        asyncio.run(_run(load, path))
    print(summarise(read(path)).text())


if __name__ == "__main__":
    main()

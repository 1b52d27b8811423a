"""Tell a person, or a CI log, what is being done and for how long.

On a terminal the current line counts up; into a pipe a line goes out about every ten seconds, so
that nobody takes a long build for a hang. Everything goes to standard error: standard output is
for results.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PIPED_SECONDS = 10.0
_LIVE_SECONDS = 1.0
_print_lock = threading.Lock()


def duration(seconds: float) -> str:
    """Write a duration as people do: 0.8 s, 42 s, 3 min 05 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def say(line: str) -> None:
    """Print one whole line."""
    with _print_lock:
        print(_cleared(line), file=sys.stderr, flush=True)


@contextmanager
def step(what: str, *, quiet_under: float = 0.0) -> Iterator[None]:
    """Show that `what` is going on, and at the end how long it took or that it failed.

    A step that ends well within `quiet_under` seconds says nothing, so that a warm start does not
    list all that was there already.
    """
    began = time.monotonic()
    ended = threading.Event()
    ticker = threading.Thread(target=_tick, args=(what, began, ended, quiet_under), daemon=True)
    ticker.start()
    outcome = "failed"
    try:
        yield
        outcome = "done  "
    finally:
        ended.set()
        ticker.join()
        took = time.monotonic() - began
        if outcome == "failed" or took >= quiet_under:
            say(f"{outcome} {what} ({duration(took)})")


def _tick(what: str, began: float, ended: threading.Event, quiet_under: float) -> None:
    live = sys.stderr.isatty()
    if ended.wait(quiet_under):
        return
    if not live:
        say(f"       {what} …")
    while not ended.wait(_LIVE_SECONDS if live else _PIPED_SECONDS):
        elapsed = duration(time.monotonic() - began)
        if live:
            with _print_lock:
                print(_cleared(f"       {what} … {elapsed}"), end="", file=sys.stderr, flush=True)
        else:
            say(f"       {what} … {elapsed}")


def _cleared(line: str) -> str:
    # Return to the line's start and erase what a longer live line left there.
    return f"\r\033[K{line}" if sys.stderr.isatty() else line

"""The clocks of the process, which tests replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clocks:
    """`now` in epoch seconds for what is written, `monotonic` for how long something is ago."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

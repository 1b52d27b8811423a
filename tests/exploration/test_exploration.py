"""No reachable state of a small world breaks what must hold; the summary counts them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor

import pytest

from tests.exploration.explore import Findings, explore
from tests.exploration.scopes import SCOPES

AT_LEAST = 4_000
"""States that each scope has by far: with fewer, something does not happen any more."""


@pytest.fixture(scope="module")
def explorations() -> Iterator[dict[str, Future[Findings]]]:
    """All scopes, two at a time."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=2, mp_context=spawn) as pool:
        yield {scope.name: pool.submit(explore, scope) for scope in SCOPES}
        pool.shutdown(wait=False, cancel_futures=True)


@pytest.mark.parametrize("name", [scope.name for scope in SCOPES])
def test_every_reachable_state_keeps_the_invariants(
    name: str,
    explorations: dict[str, Future[Findings]],
    explored: list[str],
) -> None:
    findings = explorations[name].result()
    explored.append(str(findings))
    assert not findings.violations, f"\n{findings.violations[0]}"
    assert findings.states > AT_LEAST

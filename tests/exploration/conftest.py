"""Says at the end of a test run how many states were explored."""

from __future__ import annotations

import pytest

_EXPLORED: list[str] = []


@pytest.fixture(scope="session")
def explored() -> list[str]:
    """Lines for the summary."""
    return _EXPLORED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each small world."""
    if _EXPLORED:
        terminalreporter.section("explored states of the planner")
        for line in _EXPLORED:
            terminalreporter.write_line(line)

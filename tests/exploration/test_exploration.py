"""No reachable state of a small world breaks what must hold; the summary of the run counts them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.exploration.explore import explore
from tests.exploration.scope import Scope
from tests.exploration.scopes import SCOPES

AT_LEAST = 500
"""States that each scope has by far: with fewer, something does not happen any more."""


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.name)
def test_every_reachable_state_keeps_the_invariants(
    scope: Scope, record_property: Callable[[str, object], None]
) -> None:
    findings = explore(scope)
    record_property("explored", str(findings))
    assert not findings.violations, f"\n{findings.violations[0]}"
    assert findings.states > AT_LEAST

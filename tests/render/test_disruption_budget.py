"""Which pods an author's PodDisruptionBudget selects, as Kubernetes reads its selector."""

from typing import Any

import pytest

from headgate.render.disruption_budget import guards

LABELS = {"app": "fraud", "tier": "gold"}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    found: dict[str, Any] = {"key": key, "operator": operator}
    return {"matchExpressions": [{**found, "values": list(values)} if values else found]}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "fraud"}}, True),
        ({"matchLabels": {"app": "fraud", "tier": "gold"}}, True),
        ({"matchLabels": {"app": "fraud", "tier": "iron"}}, False),
        ({"matchLabels": {"zone": "a"}}, False),
        (expression("app", "In", "spam", "fraud"), True),
        (expression("app", "In", "spam"), False),
        (expression("zone", "In", "a"), False),
        (expression("app", "NotIn", "spam"), True),
        (expression("app", "NotIn", "fraud"), False),
        (expression("zone", "NotIn", "a"), True),
        (expression("app", "Exists"), True),
        (expression("zone", "Exists"), False),
        (expression("zone", "DoesNotExist"), True),
        (expression("app", "DoesNotExist"), False),
        ({"matchLabels": {"app": "fraud"}, **expression("zone", "Exists")}, False),
    ],
)
def test_a_selector_means_what_kubernetes_makes_of_it(selector: Any, selected: bool) -> None:
    assert guards({"spec": {"selector": selector}}, LABELS) is selected


def test_a_budget_without_a_spec_guards_nothing() -> None:
    assert not guards({}, LABELS)

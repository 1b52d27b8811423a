"""A live object counts as intact exactly when applying the rendered one would change nothing."""

from typing import Any

import pytest

from headgate.render.compare import covers

CONTAINER = {"name": "server", "image": "a:1", "env": [{"name": "A", "value": "1"}]}


@pytest.mark.parametrize(
    ("rendered", "live"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": {}}, {}),
        ({"a": 0, "b": "", "c": None, "d": []}, {}),
        ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1"}}),
        ({"requests": {"memory": "1024Mi"}}, {"requests": {"memory": "1Gi"}}),
        ({"emptyDir": {"sizeLimit": "1Gi"}}, {"emptyDir": {"sizeLimit": "1024Mi"}}),
        (
            {"containers": [CONTAINER]},
            {"containers": [{"name": "injected"}, {**CONTAINER, "imagePullPolicy": "Always"}]},
        ),
        (
            {"ports": [{"containerPort": 80, "protocol": "TCP"}]},
            {"ports": [{"containerPort": 80, "protocol": "TCP", "name": "x"}]},
        ),
        ({"ports": [{"containerPort": 80}]}, {"ports": [{"containerPort": 80, "protocol": "TCP"}]}),
        ({"nodeSelector": {"gpu": "yes"}}, {"nodeSelector": {"gpu": "yes"}}),
    ],
)
def test_defaults_and_additions_of_others_do_not_matter(rendered: Any, live: Any) -> None:
    assert covers(rendered, live)


@pytest.mark.parametrize(
    ("rendered", "live"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ({"a": True}, {"a": False}),
        ({"a": {"b": 1}}, {"a": None}),
        ({"value": "1"}, {"value": "1.0"}),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "2"}}),
        ({"limits": {"cpu": "1"}}, {"limits": {}}),
        ({"containers": [CONTAINER]}, {"containers": [{**CONTAINER, "image": "a:2"}]}),
        ({"containers": [CONTAINER]}, {"containers": [{**CONTAINER, "env": []}]}),
        ({"containers": [CONTAINER]}, {"containers": []}),
        ({"args": ["a", "b"]}, {"args": ["b", "a"]}),
        ({"args": ["a"]}, {"args": ["a", "b"]}),
        ({"selector": {"a": "1"}}, {"selector": {"a": "1", "b": "2"}}),
        ({"selector": {"a": "1"}}, {"selector": {}}),
        ({"nodeSelector": {"gpu": "yes"}}, {"nodeSelector": {"gpu": "yes", "zone": "b"}}),
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 81}]}),
    ],
)
def test_every_change_of_what_was_rendered_is_seen(rendered: Any, live: Any) -> None:
    assert not covers(rendered, live)

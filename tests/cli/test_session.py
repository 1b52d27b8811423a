"""What is said when a cluster does not know ModelDeployments at all, or has none."""

from __future__ import annotations

from typing import Any

import pytest

from headgate.cli.cluster import Session, Trouble
from headgate.kube.client import NotFound


class Cluster:
    """An API server with these names, or without the kind."""

    def __init__(self, *names: str, known: bool = True) -> None:
        self.names, self.known = names, known

    async def get(self, *_: Any) -> Any:
        raise NotFound("not found")

    async def list(self, *_: Any) -> list[Any]:
        if not self.known:
            raise NotFound("404 page not found")
        return [{"metadata": {"name": each}} for each in self.names]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (Cluster(known=False), "this cluster does not know ModelDeployments: install Headgate"),
        (Cluster(), "no ModelDeployment fraud in namespace risk, nor any other there"),
        (Cluster("fraud-eu", "other"), "did you mean fraud-eu?"),
        (Cluster("zzz", "aaa"), "there are aaa, zzz"),
    ],
)
async def test_a_name_that_is_not_found(answers: Any, said: str) -> None:
    session = Session(answers, "risk", "headgate", "")
    with pytest.raises(Trouble, match=said.replace("?", r"\?")):
        await session.find("fraud")

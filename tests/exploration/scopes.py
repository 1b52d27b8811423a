"""The small worlds that are explored: by every `make test`, and by `make test-exploration`."""

from __future__ import annotations

import json
import os

from tests.exploration.scope import BLUE_GREEN, CANARY, ROLLING, Scope

APPROVAL = json.dumps(
    {
        "type": "Canary",
        "canary": {
            "steps": [
                {"weight": 50, "hold": "60s"},
                {"approval": {"timeout": "60s", "onTimeout": "promote"}},
            ]
        },
    }
)
SWAP = json.dumps({**json.loads(ROLLING), "maxSurge": 0, "maxUnavailable": 1})
EDITS = frozenset({"edit-deployment", "edit-live", "delete-live", "delete-deployment"})

DEFAULT = (
    Scope("canary of 1, three versions", (CANARY,), (1,), revisions=3),
    Scope("canary of 2, three versions", (CANARY,), (2,), revisions=3),
    Scope("canary of 2, other sizes", (CANARY,), (2, 0, 1)),
    Scope("canary of 2, other strategies", (CANARY, BLUE_GREEN), (2,)),
    Scope("blue/green of 2, three versions", (BLUE_GREEN,), (2,), revisions=3),
    Scope("rolling of 2", (ROLLING,), (2,)),
    Scope("approval with 1, people", (APPROVAL,), (1,), people=True, without=EDITS),
    Scope("canary of 2, people", (CANARY,), (2,), disturbances=2, people=True, without=EDITS),
    Scope("canary of 3, pods that follow late", (CANARY,), (3,), lag=True, without=EDITS),
    Scope("rolling of 3 without surge", (SWAP,), (3,), without=EDITS),
    Scope("canary of 4", (CANARY,), (4,), without=EDITS | {"suspend", "lose-status"}),
)
LARGE = (
    Scope("canary of 1, all", (CANARY, BLUE_GREEN, ROLLING), (1, 2, 0), 3, disturbances=3),
    Scope("canary of 2, three disturbances", (CANARY,), (2,), 3, disturbances=3),
    Scope("blue/green of 2, three disturbances", (BLUE_GREEN,), (2, 0), 3, disturbances=3),
    Scope("rolling of 3, three disturbances", (ROLLING,), (3,), 2, disturbances=3),
    Scope("canary of 3, three versions, late pods", (CANARY,), (3, 1), 3, lag=True),
    Scope("canary of 4, three versions, late pods", (CANARY,), (4, 2), 3, lag=True),
    Scope("rolling of 4 without surge", (SWAP,), (4,), 3),
    Scope("canary of 1, three versions, people", (CANARY,), (1,), 3, people=True),
    Scope("approval with 2, people", (APPROVAL,), (2,), people=True),
    Scope("blue/green of 2, people", (BLUE_GREEN,), (2,), 3, people=True),
    Scope("canary of 2, people, three disturbances", (CANARY,), (2,), 2, 3, people=True),
)
SCOPES = DEFAULT + (LARGE if os.environ.get("HEADGATE_EXPLORE") == "large" else ())

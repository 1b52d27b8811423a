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
NO_SURGE = json.dumps({**json.loads(ROLLING), "maxSurge": 0, "maxUnavailable": 1})
SWAP = json.dumps({**json.loads(CANARY), "capacity": "Swap"})
SWAP_WHOLE = json.dumps({**json.loads(BLUE_GREEN), "capacity": "Swap"})
AUTO = json.dumps({**json.loads(CANARY), "capacity": "Auto"})
LOAD_TEST = json.dumps(
    {"type": "Canary", "canary": {"steps": [{"scale": 2}, {"weight": 50, "hold": "60s"}]}}
)
ANALYSIS = json.dumps(
    {
        "type": "Canary",
        "canary": {"steps": [{"weight": 50, "hold": "60s"}, {"analysis": {"for": "60s"}}]},
    }
)
CHECKED_SWITCH = json.dumps(
    {
        "type": "BlueGreen",
        "blueGreen": {
            "hold": "60s",
            "previewReplicas": 1,
            "approval": {"timeout": "60s", "onTimeout": "promote"},
            "checkAfterSwitch": True,
        },
    }
)
EDITS = frozenset({"edit-deployment", "edit-live", "delete-live", "delete-deployment"})
BESIDE_ADOPTION = frozenset(
    {
        "edit-deployment",
        "edit-live",
        "delete-deployment",
        "suspend",
        "crash",
        "other-sample",
        "deadline-over",
    }
)

DEFAULT = (
    Scope("canary of 1, three versions", (CANARY,), (1,), revisions=3, without=EDITS),
    Scope("canary of 2, other sizes", (CANARY,), (2, 0, 1), disturbances=1),
    Scope("canary of 2, other strategies", (CANARY, BLUE_GREEN), (2,), disturbances=1),
    Scope("blue/green of 1, three versions", (BLUE_GREEN,), (1,), revisions=3, without=EDITS),
    Scope("rolling of 2", (ROLLING,), (2,)),
    Scope("approval with 2, people", (APPROVAL,), disturbances=1, people=True, without=EDITS),
    Scope("canary of 2, people", (CANARY,), (2,), disturbances=1, people=True, without=EDITS),
    Scope("canary of 3, pods that follow late", (CANARY,), (3,), disturbances=1, lag=True),
    Scope("rolling of 3 without surge", (NO_SURGE,), (3,), disturbances=1),
    Scope("swap of 1", (SWAP,), (1,), without=EDITS),
    Scope("swap of 2, other sizes", (SWAP,), (2, 0, 1), disturbances=1),
    Scope("swap of 3", (SWAP,), (3,), without=EDITS),
    Scope("auto of 1 with 1 place", (AUTO,), (1,), places=1),
    Scope("auto of 2 with 2 places", (AUTO,), (2,), places=2, without=EDITS),
    Scope("swapped blue/green of 2", (SWAP_WHOLE,), (2,), without=EDITS),
    Scope("load test with 2", (LOAD_TEST,), (2,), without=EDITS | {"suspend", "lose-status"}),
    Scope("analysis step with 2", (ANALYSIS,), (2,), without=EDITS | {"suspend"}),
    Scope("blue/green of 2, approved and checked again", (CHECKED_SWITCH,), (2,), without=EDITS),
    Scope("canary of 2, freezes and turns", (CANARY,), freezes=True, capped=True, without=EDITS),
    Scope("blue/green of 2, kept after the watch", (BLUE_GREEN,), keep_for="48h", without=EDITS),
    Scope("canary of 4", (CANARY,), (4,), without=EDITS | {"suspend", "lose-status"}),
    Scope("canary of 2, restarted", (CANARY,), restarts=2, without=EDITS | {"lose-status"}),
    Scope(
        "canary of 1, restarted, edits", (CANARY,), (1,), restarts=1, without=frozenset({"suspend"})
    ),
    Scope("auto of 1, restarted", (AUTO,), (1,), restarts=1, places=1, without=EDITS),
    Scope("no room for a restart", (CANARY,), (1,), 1, restarts=1, places=1, without=EDITS),
    Scope("adopted by 2, other sizes", (CANARY,), (2, 0), found="both", disturbances=1),
    Scope("adopted by 1", (CANARY,), (1,), found="both", without=BESIDE_ADOPTION),
    Scope("adopted Service", (BLUE_GREEN,), (1,), found="Service", without=BESIDE_ADOPTION),
    Scope("adopted Deployment", (CANARY,), (1,), found="Deployment", without=BESIDE_ADOPTION),
)
LARGE = (
    Scope("canary of 1, three versions, edited by hand", (CANARY,), (1,), revisions=3),
    Scope("canary of 2, other sizes, two disturbances", (CANARY,), (2, 0, 1)),
    Scope("blue/green of 2, three versions", (BLUE_GREEN,), (2,), revisions=3),
    Scope("approval with 1, people, two disturbances", (APPROVAL,), (1,), people=True),
    Scope("canary of 2, other strategies, two disturbances", (CANARY, BLUE_GREEN), (2,)),
    Scope("canary of 1, all", (CANARY, BLUE_GREEN, ROLLING), (1, 2, 0), 3, disturbances=3),
    Scope("canary of 2, three disturbances", (CANARY,), (2,), 3, disturbances=3),
    Scope("blue/green of 2, three disturbances", (BLUE_GREEN,), (2, 0), 3, disturbances=3),
    Scope("rolling of 3, three disturbances", (ROLLING,), (3,), 2, disturbances=3),
    Scope("canary of 3, three versions, late pods", (CANARY,), (3, 1), 3, lag=True),
    Scope("canary of 4, three versions, late pods", (CANARY,), (4, 2), 3, lag=True),
    Scope("rolling of 4 without surge", (NO_SURGE,), (4,), 3),
    Scope("swap of 3, three versions", (SWAP,), (3, 1), 3),
    Scope("auto of 1, three disturbances", (AUTO,), (1,), places=1, disturbances=3),
    Scope("auto of 3 with 3 places, three versions", (AUTO,), (3, 1), 3, places=3),
    Scope("swap of 2 and others", (SWAP, SWAP_WHOLE, CANARY), (2,), 2, disturbances=3),
    Scope("load test with 3, three versions", (LOAD_TEST,), (3, 0), 3),
    Scope("blue/green of 2, kept, people", (CHECKED_SWITCH,), (2,), people=True, keep_for="48h"),
    Scope("canary of 1, three versions, people", (CANARY,), (1,), 3, people=True),
    Scope("approval with 2, people, edits", (APPROVAL,), (2,), people=True),
    Scope("blue/green of 2, people", (BLUE_GREEN,), (2,), 3, people=True),
    Scope("canary of 2, people, three disturbances", (CANARY,), (2,), 2, 3, people=True),
    Scope("canary of 2, restarted, edits, people", (CANARY,), restarts=2, people=True),
    Scope("canary of 4, restarted, three versions", (CANARY,), (4, 1), 3, restarts=1),
    Scope("auto of 2, restarted with 2 places", (AUTO,), (2,), restarts=2, places=2),
    Scope("swap of 2, restarted with 2 places", (SWAP,), (2, 1), restarts=1, places=2),
    Scope("adopted by 2, two disturbances", (CANARY,), (2, 0), found="both"),
    Scope(
        "adopted by 1, restarted, people", (CANARY,), (1,), found="both", restarts=1, people=True
    ),
    Scope("adopted Service, two disturbances", (CANARY,), (1, 0), found="Service"),
    Scope("adopted Deployment, two disturbances", (ROLLING,), (1, 0), found="Deployment"),
)
SCOPES = DEFAULT + (LARGE if os.environ.get("HEADGATE_EXPLORE") == "large" else ())

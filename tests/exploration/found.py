"""What bears the ModelDeployment's name before anything of ours does, and is adopted on request."""

from __future__ import annotations

from typing import NamedTuple

OLD, OTHER = "uid-of-old", "uid-of-another"


class Found(NamedTuple):
    """A Service that is nobody's (`service`), and a Deployment (`uid`, empty for none). The pods
    are those that such a Service selects, of that Deployment or of something else. `taken` is no
    part of the cluster: the uid that the Deployment had when the live Service became ours."""

    service: bool = False
    uid: str = ""
    starting: int = 0
    ready: int = 0
    taken: str = ""


FOUND = {
    "": Found(),
    "Service": Found(service=True, ready=1),
    "Deployment": Found(uid=OLD, ready=1),
    "both": Found(service=True, uid=OLD, ready=2),
}
"""What there is in the beginning, as a scope calls it."""


def without_deployment(found: Found) -> Found:
    """The Deployment was deleted, and its pods with it."""
    return found._replace(uid="", starting=0, ready=0)

"""What is recorded of past releases, for the commands that tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headgate.cli.cluster import Session, Trouble

if TYPE_CHECKING:
    from headgate.api.status import Status
    from headgate.kube.records import Contents


async def recorded_release(
    session: Session, name: str, status: Status, wanted: str | None
) -> tuple[str, list[Mapping[str, Any]]]:
    """The release that a person means, as the record names it, with its entries: that of a
    revision, else the one under way, else the last one. Raises `Trouble` when there is none."""
    from headgate.cli.history import kept_revisions, known_revisions, pick
    from headgate.kube.records import read_entries, releases

    revision = ""
    if wanted:
        known = known_revisions(await kept_revisions(session, name))
        revision = pick(known, wanted).revision
    contents = await recorded(session, name)
    release = _release(status, releases(contents), revision)
    if not release:
        of = f" of revision {revision}" if revision else ""
        raise Trouble(f"nothing is recorded{of}: no release of {name} has begun or is kept")
    return release, list(read_entries(contents, release))


async def recorded(session: Session, name: str) -> Contents:
    """The release record of a ModelDeployment; empty when there is none, or when it may not be
    read."""
    from headgate.kube.client import CONFIG_MAP, Forbidden, NotFound
    from headgate.kube.records import Contents, contents_of
    from headgate.render.names import records_name

    try:
        stored = await session.client.get(CONFIG_MAP, session.namespace, records_name(name))
    except (NotFound, Forbidden):
        return Contents()
    return contents_of(stored)


def _release(status: Status, kept: list[str], revision: str) -> str:
    """The release to tell of, as the record names it; empty when there is none."""
    from headgate.runtime.recording import release_key

    under_way = status.release
    if under_way is not None and revision in ("", under_way.revision):
        return release_key(under_way)
    found = [each for each in kept if each.endswith(f"-{revision}" if revision else "")]
    return found[-1] if found else ""

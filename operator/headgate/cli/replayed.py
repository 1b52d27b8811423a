"""`headgate replay NAME`: a release of the cluster judged again from a live Prometheus."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from headgate.cli.cluster import Session, Trouble, plain_name, run
from headgate.cli.replay import changed

if TYPE_CHECKING:
    from headgate.api.status import Status
    from headgate.judge import JudgeSettings
    from headgate.judge.replaying import Replayed
    from headgate.metrics.providers import Provider


def execute(arguments: argparse.Namespace) -> int:
    """Print what each poll came to, and draw it on request."""
    return run(arguments, lambda session: _replay(session, arguments))


async def _replay(session: Session, arguments: argparse.Namespace) -> int:
    from headgate.cli.records import recorded_release
    from headgate.core.attribution import SETTLING
    from headgate.core.settings import judge_settings
    from headgate.judge import Side
    from headgate.judge.replaying import replay
    from headgate.metrics import target_of
    from headgate.metrics.questions import STALE_SCRAPES
    from headgate.view.past import past_of
    from headgate.view.shown import read

    try:
        from headgate.metrics.past import samples
    except ImportError as error:
        raise Trouble("it needs pandas: pip install 'headgate[replay]'") from error
    name = plain_name(arguments.name)
    shown = read(await session.find(name))
    if shown.spec is None:
        raise Trouble(f"the spec of {name} is not one that this version of Headgate can read")
    release, entries = await recorded_release(session, name, shown.status, arguments.revision)
    provider = _provider(arguments)
    settings = _changed(judge_settings(shown.spec, provider.scrape_interval), arguments)
    try:
        past = past_of(entries, name, release.rpartition("-")[2])
        target = target_of(session.namespace, name, shown.spec, past.pods)
        target = replace(target, limits=settings.latency_limits)
        start = past.start - provider.scrape_interval
        if target.by_service:
            past = past.watch(SETTLING + STALE_SCRAPES * provider.scrape_interval)
            start = past.parts[0].begins
        found = list(samples(provider, target, start, past.end))
    except ValueError as error:
        raise Trouble(str(error)) from error
    if not any(sample.pods for sample in found):
        outage = next((each.outage for each in found if each.outage), None)
        raise Trouble(
            outage or f"this Prometheus has no metrics of {release}: it may be too long ago"
        )
    sides = past.pods
    if target.by_service:
        sides = {name: Side.CANDIDATE for sample in found for name in sample.pods}
    replayed = replay(found, past.parts, sides, settings)
    end = _end(replayed)
    if arguments.plot is not None:
        from headgate.cli.plotted import of_release

        title = f"{session.namespace}/{name} {_version(shown.status, release)}"
        of_release(title, replayed, end, settings, past.start, arguments.plot)
    _show(release, replayed, end, past.start, arguments)
    return 0


def _version(status: Status, release: str) -> str:
    """The version of a release as the record names it; its own name when nobody knows it."""
    began, _, revision = release.rpartition("-")
    versions = {each.revision: each.version for each in status.releases}
    if status.release is not None:
        versions[status.release.revision] = status.release.version
    return f"{versions.get(revision) or revision}, {began}"


def _provider(arguments: argparse.Namespace) -> Provider:
    from headgate.metrics.providers import Provider

    try:
        return Provider(
            url=arguments.prometheus,
            scrape_interval=arguments.scrape_interval,
            timeout=30,
            # Whoever asks has access to this Prometheus already.
            allow_queries=True,
        )
    except ValueError as error:
        raise Trouble(f"--prometheus {arguments.prometheus}: not an http(s) address") from error


def _changed(settings: JudgeSettings, arguments: argparse.Namespace) -> JudgeSettings:
    """The release's own settings, with what flags say otherwise."""
    limits = {"error_rate_max": arguments.error_rate, "latency_max": arguments.latency}
    return replace(
        settings,
        comparison=changed(settings.comparison, arguments),
        # The throughput before the release is not in its record.
        throughput_min=None,
        **{name: limit for name, limit in limits.items() if limit is not None},
    )


def _end(replayed: list[Replayed]) -> Replayed:
    """The first Bad stands; otherwise the last."""
    bad = [each for each in replayed if each.judgement.verdict == "Bad"]
    return bad[0] if bad else replayed[-1]


def _show(
    release: str,
    replayed: list[Replayed],
    end: Replayed,
    start: float,
    arguments: argparse.Namespace,
) -> None:
    if arguments.output == "json":
        print(json.dumps(_document(release, replayed, end)))
        return
    from headgate.cli.screen import Screen
    from headgate.core.timing import for_people
    from headgate.view.text import columns, line

    rows: list[tuple[str, ...]] = [("AFTER", "PART", "STABLE", "CANDIDATE", "VERDICT", "REASON")]
    for each in replayed:
        latest = each.evidence
        sides = [
            f"{side.errors:g}/{side.requests:g}"
            for side in (latest.latest_stable, latest.latest_candidate)
        ]
        judged = each.judgement
        after = for_people(each.at - start)
        rows.append((after, each.part.name, *sides, judged.verdict.value, judged.reason))
    said = (
        f"{end.judgement.verdict.value} after {for_people(end.at - start)} at "
        f"{end.part.name}: {end.judgement.sentence}."
    )
    Screen().show([*columns(rows), line(), line(said)])
    if arguments.plot is not None:
        print(f"drawn into {arguments.plot}", file=sys.stderr)


def _document(release: str, replayed: list[Replayed], end: Replayed) -> dict[str, object]:
    polls = []
    for each in replayed:
        sides = {
            name: {"bad": side.errors, "total": side.requests}
            for name, side in (
                ("stable", each.evidence.latest_stable),
                ("candidate", each.evidence.latest_candidate),
            )
        }
        checks = [
            {"name": check.name, "verdict": check.verdict.value, "e": check.e}
            for check in each.judgement.checks
        ]
        polls.append(
            {
                "at": each.at,
                "part": each.part.name,
                "weight": each.part.weight,
                **sides,
                "verdict": each.judgement.verdict.value,
                "reason": each.judgement.reason,
                "checks": checks,
            }
        )
    return {"release": release, "polls": polls, "verdict": end.judgement.verdict.value}

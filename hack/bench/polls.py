"""Questions to Prometheus: as many for one release as for a thousand, and none late because another
provider is dead.

The operator's own poller and its schedule ask a server on loopback that answers as Prometheus does,
after a while; the dead provider takes connections and never answers. Both kinds of windows, with it
and without, take turns in one run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from hack.bench.document import table
from headgate.judge import Sample
from headgate.kube.snapshot import Snapshot
from headgate.metrics import Poller, Provider, Providers
from headgate.metrics.promql import KIND
from headgate.runtime.cache import Key
from headgate.runtime.polling import Polling

NAME = "bench-polls"
TITLE = "Questions to Prometheus"
RELEASES = (1, 100, 1000)
NAMESPACES = 10
SCRAPE_SECONDS = 5.0
"""As in the comparison with other release controllers."""

QUICK_SCRAPE_SECONDS = 1.0
"""For the delay, of which many polls are wanted."""

ANSWERS_AFTER = 0.1
TURNS = 4


@dataclass
class Results:
    """`queries` are those a minute by the number of releases; `delays` are seconds from the moment
    that a poll is about until its sample is delivered, without and with the dead provider."""

    queries: dict[int, float] = field(default_factory=dict)
    delays: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})

    @property
    def ratio(self) -> float:
        """The median delay with the dead provider, as a multiple of that without."""
        return statistics.median(self.delays[True]) / statistics.median(self.delays[False])


class _Server(ThreadingHTTPServer):
    """A Prometheus with two pods of each release; `dead` it never answers."""

    daemon_threads = True

    def __init__(self, pods: Sequence[Key], *, dead: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = 0
        self.over = threading.Event()
        self.dead = dead
        self.counters = _body(_rows(pods))
        self.nothing = _body([])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        server.asked += 1
        if server.dead:
            server.over.wait()
            return
        time.sleep(ANSWERS_AFTER)
        body = server.counters if KIND in parse_qs(form)["query"][0] else server.nothing
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _rows(pods: Sequence[Key]) -> Iterator[dict[str, Any]]:
    for namespace, pod in pods:
        for kind, bucket, value in (
            ("requests", None, "900"),
            ("errors", None, "1"),
            ("bucket", "1", "890"),
            ("bucket", "+Inf", "900"),
        ):
            labels = {"namespace": namespace, "pod": pod, KIND: kind}
            if bucket is not None:
                labels["le"] = bucket
            yield {"metric": labels, "value": [0, value]}


def _body(rows: Iterator[dict[str, Any]] | list[Any]) -> bytes:
    data = {"resultType": "vector", "result": list(rows)}
    return json.dumps({"status": "success", "data": data}).encode()


@contextlib.contextmanager
def _serving(pods: Sequence[Key] = (), *, dead: bool = False) -> Iterator[_Server]:
    server = _Server(pods, dead=dead)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _snapshot(number: int, provider: str = "default") -> Snapshot:
    name, namespace = f"model-{number}", f"team-{number % NAMESPACES}"
    body = {
        "metadata": {"name": name, "namespace": namespace, "uid": name, "generation": 1},
        "spec": {
            "model": {"name": name, "version": "1"},
            "template": {"spec": {"containers": [{"name": "server", "image": "server:1"}]}},
            "analysis": {"provider": provider, "rules": {"latencyP99": {"max": "1s"}}},
            "rollback": {"conditions": []},
        },
    }
    pods = tuple(
        {"metadata": {"name": f"{name}-{side}", "namespace": namespace}} for side in ("a", "b")
    )
    return Snapshot(body, pods=pods)


def _pods(releases: int) -> list[Key]:
    return [
        (f"team-{number % NAMESPACES}", f"model-{number}-{side}")
        for number in range(releases)
        for side in ("a", "b")
    ]


@contextlib.asynccontextmanager
async def _polling(providers: Mapping[str, Provider], deliver: Any) -> Any:
    configured = Providers(providers=dict(providers))
    poller = Poller(configured)
    polling = Polling(poller, configured, deliver)
    try:
        yield polling
    finally:
        await polling.close()
        poller.close()


async def _queries(releases: int, window: float) -> float:
    """Queries a minute with so many releases under way."""
    with _serving(_pods(releases)) as server:
        read: set[Key] = set()

        def deliver(key: Key, sample: Sample) -> None:
            if len(sample.pods) == 2:
                read.add(key)

        provider = Provider(url=server.url, scrape_interval=SCRAPE_SECONDS)
        async with _polling({"default": provider}, deliver) as polling:
            for number in range(releases):
                polling.follow(_snapshot(number))
            # From the middle between two polls to the middle between two others.
            await asyncio.sleep(SCRAPE_SECONDS * 1.5)
            before = server.asked
            await asyncio.sleep(window)
            asked = server.asked - before
        if len(read) != releases:
            raise OSError(f"only {len(read)} of {releases} releases were read")
    return asked * 60 / window


async def _delays(window: float, *, with_dead: bool) -> list[float]:
    found: list[float] = []

    def deliver(key: Key, sample: Sample) -> None:
        if sample.outage is None:
            found.append(time.time() - sample.at)

    with _serving(_pods(1)) as alive, _serving(dead=True) as dead:
        providers = {
            "default": Provider(url=alive.url, scrape_interval=QUICK_SCRAPE_SECONDS),
            "dead": Provider(url=dead.url, scrape_interval=QUICK_SCRAPE_SECONDS),
        }
        async with _polling(providers, deliver) as polling:
            polling.follow(_snapshot(0))
            if with_dead:
                for number in range(1, 50):
                    polling.follow(_snapshot(number, "dead"))
            await asyncio.sleep(window)
    return found


async def measure(window: float, tell: Any) -> Results:
    """All of it; `window` is in seconds, for each number of releases and for each turn."""
    results = Results()
    for releases in RELEASES:
        tell(f"{releases} releases under way")
        results.queries[releases] = await _queries(releases, window)
    for turn in range(2 * TURNS):
        with_dead = bool(turn % 2)
        tell(f"turn {turn + 1} of {2 * TURNS}, {'a dead provider' if with_dead else 'alone'}")
        results.delays[with_dead] += await _delays(window, with_dead=with_dead)
    return results


def markdown(results: Results, took: str, machine: str) -> str:
    """The section of the document."""
    queries = table(
        ["releases under way", "queries a minute"],
        [[f"{number:,}", f"{asked:.0f}"] for number, asked in results.queries.items()],
    )
    rows = []
    for with_dead, found in results.delays.items():
        name = "beside a dead provider with 49 releases" if with_dead else "alone"
        last = sorted(found)[int(0.99 * len(found))]
        milliseconds = [f"{each * 1000:.0f} ms" for each in (statistics.median(found), last)]
        rows.append([name, f"{len(found)}", *milliseconds])
    delays = table(["provider", "polls", "median delay", "p99"], rows)
    change = (results.ratio - 1) * 100
    return f"""Measured {took} on {machine}. Prometheus is scraped every {SCRAPE_SECONDS:g} s; two
pods of each release, spread over {NAMESPACES} namespaces, with a latency limit. The p99 that people
see is asked for at every second poll.

{queries}

The delay from the moment that a poll is about until its sample is with the planner; the provider
answers after {ANSWERS_AFTER * 1000:.0f} ms, the dead one takes connections and never answers. In
turns in one run:

{delays}

The dead provider changes the median delay of the other by {change:+.1f} % (aim: less than 5 %).
"""

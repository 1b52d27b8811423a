"""The queries against a real Prometheus that scrapes real exporters, all on loopback."""

import asyncio
import contextlib
import math
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, exposition

from hack.cluster.packages import unpacked
from headgate.api.analysis import BY_SERVICE, WITHOUT_LATENCY
from headgate.api.spec import ModelDeploymentSpec
from headgate.judge import Sample
from headgate.metrics import Poller, Provider, Providers, Target, promql
from headgate.metrics.client import Client, Row
from headgate.metrics.past import samples
from headgate.metrics.presets import PRESETS
from headgate.metrics.promql import Matcher, Query, Series
from headgate.metrics.readings import read_histogram, snap
from headgate.metrics.targets import target_of
from tests.api.samples import gauge, gauges
from tests.metrics.native import CONTENT_TYPE, NativeServer
from tests.metrics.servers import serving

PATIENCE = 30.0
LIMITS = frozenset({1.0})


@dataclass
class ModelServer:
    """One pod's /metrics; `start` is a new process of it, with all counters at 0."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def start(self) -> None:
        registry = CollectorRegistry()
        self.memory = Gauge("gpu_memory", "", ["device", "unit"], registry=registry)
        self.requests = Counter(
            "http_requests_total", "", ["method", "handler", "status"], registry=registry
        )
        self.seconds = Histogram(
            "http_request_duration_seconds", "", ["handler"], buckets=(0.1, 1, 2.5),
            registry=registry,
        )  # fmt: skip
        self.spike = Histogram(
            "spike_seconds", "", buckets=(0.1, 0.2, 0.3, 0.45), registry=registry
        )  # fmt: skip
        self.scores = Histogram("score", "", ["model"], buckets=(0.5, 0.9), registry=registry)
        self.registry = registry

    def serve(self, status: str, times: int, seconds: float, handler: str = "/predict") -> None:
        # In this order: a test waits for the requests and then reads the rest.
        for _ in range(times):
            self.seconds.labels(handler).observe(seconds)
        self.requests.labels("POST", handler, status).inc(times)


@contextlib.contextmanager
def exporting(pod: ModelServer) -> Iterator[str]:
    """The address where the pod is scraped."""
    with serving(scraped=lambda: exposition.generate_latest(pod.registry)) as server:
        yield server.url.removeprefix("http://")


@dataclass
class Setup:
    """A running Prometheus and the pods that it scrapes every second, each by two jobs."""

    pods: dict[tuple[str, str], ModelServer]
    process: subprocess.Popen[bytes]
    url: str

    def poller(self, timeout: float = 5.0, allow_queries: bool = False) -> Poller:
        provider = Provider(
            url=self.url, scrape_interval=1, timeout=timeout, allow_queries=allow_queries
        )
        return Poller(Providers(providers={"default": provider}))


EXPOSITIONS = Path(__file__).parent / "expositions"

PODS = [("risk", "fraud-1-a"), ("risk", "fraud-2.b"), ("other", "fraud-1-a")]


@pytest.fixture(scope="module")
def prometheus() -> Path:
    """The program: the machine's own, or that of Debian's package."""
    own = shutil.which("prometheus")
    found = Path(own) if own else unpacked("prometheus", "usr/bin/prometheus")
    if found is None:
        pytest.skip("this machine has no prometheus, and no Debian package of it can be had")
    return found


@pytest.fixture
def setup(prometheus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    directory = tmp_path_factory.mktemp("prometheus")
    with contextlib.ExitStack() as stack:
        pods = {key: ModelServer() for key in PODS}
        targets = []
        for (namespace, pod), server in pods.items():
            server.start()
            address = stack.enter_context(exporting(server))
            targets.append({"targets": [address], "labels": {"namespace": namespace, "pod": pod}})
        jobs = [
            {"job_name": name, "metrics_path": "/metrics", "static_configs": targets}
            for name in ("pods", "services")
        ]
        config = directory / "prometheus.yml"
        config.write_text(
            yaml.safe_dump(
                {
                    "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                    "scrape_configs": jobs,
                }
            )
        )
        yield stack.enter_context(running(prometheus, config, directory, pods))


@contextlib.contextmanager
def running(
    program: Path,
    config: Path,
    directory: Path,
    pods: dict[tuple[str, str], ModelServer],
    *flags: str,
) -> Iterator[Setup]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        [
            str(program),
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=error",
            *flags,
        ],
        cwd=directory,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://{address}/-/ready", timeout=2).close()
                break
            assert process.poll() is None, "prometheus ended"
            assert time.monotonic() < deadline, "prometheus was not ready in time"
            time.sleep(0.05)
        yield Setup(pods, process, f"http://{address}")
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def target(namespace: str = "risk", limits: tuple[float, ...] = (1.0,)) -> Target:
    names = frozenset(pod for of, pod in PODS if of == namespace)
    return Target(namespace, "fraud", "default", "http", names, frozenset(limits))


async def until(
    poller: Poller,
    of: Target,
    holds: Callable[[Sample], bool],
) -> Sample:
    """The first sample for which `holds`."""
    sample = None
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                sample = (await poller.poll([of], time.time()))[of.key]
                if holds(sample):
                    return sample
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"last sample: {sample}") from None


def count(pod: str, requests: float) -> Callable[[Sample], bool]:
    return lambda sample: pod in sample.pods and sample.pods[pod].requests == requests


def p99(sample: Sample) -> float | None:
    counters = sample.pods.get("fraud-1-a")
    return counters.p99 if counters else None


async def test_a_release_is_read_as_its_pods_counted_it(setup: Setup) -> None:
    """One story, because every chapter waits for a scrape."""
    first, second = setup.pods[PODS[0]], setup.pods[PODS[1]]
    poller = setup.poller()

    # Several label sets of one pod add up, two scraping jobs do not, and another namespace's
    # pod of the same name is another pod.
    first.serve("200", 90, 0.05)
    first.serve("500", 6, 2.0)
    first.serve("503", 4, 0.5, handler="/other")
    second.serve("200", 7, 0.05)
    setup.pods[PODS[2]].serve("500", 1000, 0.05)
    sample = await until(
        poller,
        target(),
        lambda s: count("fraud-1-a", 100)(s) and count("fraud-2.b", 7)(s),
    )
    counters = sample.pods["fraud-1-a"]
    assert (counters.errors, counters.slower) == (10, {1.0: 6})
    # No failed request ever: the series does not exist, and that is no error and no gap.
    assert sample.pods["fraud-2.b"].errors == 0
    assert sample.pods.keys() == {"fraud-1-a", "fraud-2.b"}
    other = await until(poller, target("other"), count("fraud-1-a", 1000))
    assert other.pods["fraud-1-a"].errors == 1000

    # A limit that is no boundary is judged at the next one above.
    between = target(limits=(1.5,))
    snapped = await until(poller, between, lambda s: bool(s.boundaries) and "fraud-1-a" in s.pods)
    assert snapped.boundaries == {1.5: 2.5}
    assert snapped.pods["fraud-1-a"].slower == {1.5: 0}

    # p99 is shown once there is a rate.
    first.serve("200", 100, 0.05)
    shown = await until(poller, target(), lambda s: bool(p99(s)))
    assert 0 < (p99(shown) or 0) <= 2.5

    # Whatever is older than two scrapes is missing, though Prometheus would still return it.
    late = Poller(Providers(providers={"default": Provider(url=setup.url, scrape_interval=1)}))
    old = (await late.poll([target()], time.time() + 30))[("risk", "fraud")]
    assert (old.outage, old.pods, old.boundaries) == (None, {}, {})
    late.close()

    # A new process has no failed series: the old one's errors are never added to its total.
    first.start()
    first.serve("200", 3, 0.05)
    totals: set[float | None] = set()

    def restarted(sample: Sample) -> bool:
        totals.update(c.requests for pod, c in sample.pods.items() if pod == "fraud-1-a")
        return count("fraud-1-a", 3)(sample)

    sample = await until(poller, target(), restarted)
    assert totals <= {200, 3}
    counters = sample.pods["fraud-1-a"]
    assert (counters.errors, counters.slower) == (0, {1.0: 0})
    poller.close()


async def test_a_prometheus_that_stops_is_an_outage_and_then_goes_on(setup: Setup) -> None:
    poller = setup.poller(timeout=0.5)
    setup.pods[PODS[0]].serve("200", 1, 0.05)
    await until(poller, target(), lambda sample: bool(sample.pods))
    setup.process.send_signal(signal.SIGSTOP)
    stopped = (await poller.poll([target()], time.time()))[("risk", "fraud")]
    assert stopped.outage == 'metrics provider "default" did not answer within 500ms'
    setup.process.send_signal(signal.SIGCONT)
    await until(poller, target(), lambda sample: bool(sample.pods))
    poller.close()


async def test_the_past_reads_as_the_present_did(setup: Setup) -> None:
    """Range queries give the same counters, scrape for scrape, that the poller would have seen."""
    pods, poller = setup.pods, setup.poller()
    began = time.time()
    for served in (20, 30, 50):
        pods[PODS[0]].serve("200", served, 0.05)
        pods[PODS[0]].serve("500", 1, 2.0)
        seen = await until(poller, target(), count("fraud-1-a", pods_total(pods[PODS[0]])))
    # A range has a moment at each whole second, and the last scrape is to be one of them.
    await asyncio.sleep(2.5)
    ended = time.time()
    provider = Provider(url=setup.url, scrape_interval=1, timeout=10)
    past = list(await asyncio.to_thread(samples, provider, target(), began, ended))
    assert [each.at for each in past] == sorted({each.at for each in past})
    read = [sample.pods["fraud-1-a"] for sample in past if "fraud-1-a" in sample.pods]
    for earlier, later in pairwise(read):
        assert (earlier.requests or 0) <= (later.requests or 0)
    assert (read[-1].requests, read[-1].errors, read[-1].slower) == (103, 3, {1.0: 3})
    assert seen.pods["fraud-1-a"].requests == 103
    older = list(await asyncio.to_thread(samples, provider, target(), began - 90, began - 60))
    assert older
    assert not any(sample.pods for sample in older)


async def test_the_past_has_gauges_predictions_and_limits_between_boundaries(setup: Setup) -> None:
    """Whatever the poller reads, and by as many questions for a minute as for a moment."""
    pod, poller = setup.pods[PODS[0]], setup.poller(allow_queries=True)
    own = Query("max by (namespace, pod) (http_requests_total) * 2")
    asked = replace(
        target(limits=(1.5,)),
        gauges={"memory": Series("gpu_memory", ()), "own": own, "broken": Query("nonsense(")},
        histograms={"score": Series("score", ())},
    )
    began = time.time()
    pod.memory.labels("0", "MiB").set(12.0)
    for score in (0.1, 0.7, 1.5):
        pod.scores.labels("a").observe(score)
    pod.serve("200", 7, 2.0)
    seen = await until(poller, asked, lambda found: PODS[0][1] in found.gauges.get("own", {}))
    poller.close()
    await asyncio.sleep(2.5)
    provider = Provider(url=setup.url, scrape_interval=1, timeout=10, allow_queries=True)
    past = list(await asyncio.to_thread(samples, provider, asked, began, time.time()))
    measured = [each for each in past if PODS[0][1] in each.pods]
    last = measured[-1]
    assert [dict(each.pods[PODS[0][1]].slower) for each in measured] == [{1.5: 0.0}] * len(measured)
    assert last.boundaries == {1.5: 2.5}
    assert last.gauges["memory"] == seen.gauges["memory"] == {"fraud-1-a": 12.0}
    assert last.gauges["own"] == {"fraud-1-a": 14.0}
    assert last.histograms["score"] == {"fraud-1-a": {0.5: 1.0, 0.9: 2.0, math.inf: 3.0}}
    assert last.unread["broken"].startswith("broken was not read: metrics provider")


async def test_a_gauge_is_the_mean_of_a_pods_series_that_match(setup: Setup) -> None:
    first, second = setup.pods[PODS[0]], setup.pods[PODS[1]]
    for device, value in (("0", 10.0), ("1", 30.0)):
        first.memory.labels(device, "MiB").set(value)
        first.memory.labels(device, "percent").set(99.0)
    second.memory.labels("0", "MiB").set(-5.0)
    for pod in (first, second):
        pod.serve("200", 1, 0.05)
    poller = setup.poller()
    wanted = Series("gpu_memory", (), (Matcher("unit", "=", "MiB"),))
    gauges = {"memory": wanted, "same": wanted, "nowhere": Series("nonesuch", ())}
    sample = await until(
        poller,
        replace(target(), gauges=gauges),
        lambda found: len(found.gauges.get("memory", {})) == 2,
    )
    poller.close()
    values = {"fraud-1-a": 20.0, "fraud-2.b": -5.0}
    assert dict(sample.gauges) == {"memory": values, "same": values, "nowhere": {}}


async def test_a_quantile_is_far_off_where_the_share_at_a_boundary_is_exact(setup: Setup) -> None:
    """Prometheus' documented example: all requests take 320 ms, and p95 reads as 442.5 ms."""
    for _ in range(1000):
        setup.pods[PODS[0]].spike.observe(0.32)
    client = Client("default", Provider(url=setup.url, scrape_interval=1, timeout=PATIENCE))
    deadline = time.monotonic() + PATIENCE
    rows: list[Row] = []
    while not any(row.value[1] > 0 for row in rows):
        assert time.monotonic() < deadline
        rows = client.ask(
            "histogram_quantile(0.95, max by (le) (spike_seconds_bucket))", time.time()
        )
        await asyncio.sleep(0.2)
    assert [row.value[1] for row in rows] == [pytest.approx(0.4425)]
    # Against a limit of 400 ms that is a fault; judged at the next boundary there is none.
    spike = Series("spike_seconds", ())
    found = read_histogram(client.ask(promql.histogram(spike, PODS, 30), time.time()))[PODS[0]]
    client.close()
    boundary = snap(0.4, tuple(limit for limit in sorted(found) if math.isfinite(limit)))
    assert (boundary, found[math.inf] - found[boundary]) == (0.45, 0)


async def test_predictions_are_read_by_bucket_however_often_a_pod_is_scraped(setup: Setup) -> None:
    pod = setup.pods[PODS[0]]
    for model, score in (("a", 0.1), ("a", 0.7), ("b", 0.7), ("b", 1.5), ("c", 0.1)):
        pod.scores.labels(model).observe(score)
    pod.serve("200", 1, 0.05)
    poller = setup.poller()
    one_of_them = (Matcher("model", "=", "a"),)
    wanted = {"all": Series("score", ()), "a": Series("score", (), one_of_them)}
    sample = await until(
        poller,
        replace(target(), histograms=wanted),
        lambda found: PODS[0][1] in found.histograms.get("all", {}),
    )
    poller.close()
    assert sample.histograms["all"][PODS[0][1]] == {0.5: 2, 0.9: 4, math.inf: 5}
    assert sample.histograms["a"][PODS[0][1]] == {0.5: 1, 0.9: 2, math.inf: 2}


async def test_latencies_are_read_from_a_native_histogram(prometheus: Path, tmp_path: Path) -> None:
    pod = NativeServer()
    pod.serve("200", 90, 0.2)
    pod.serve("500", 6, 3.0)
    asked = Target("risk", "fraud", "default", "http", frozenset({"fraud-1-a"}), LIMITS)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(scraped=pod.exposition))
        server.content_type = CONTENT_TYPE
        address = server.url.removeprefix("http://")
        labels = {"namespace": "risk", "pod": "fraud-1-a"}
        targets = [{"targets": [address], "labels": labels}]
        jobs = [{"job_name": name, "static_configs": targets} for name in ("pods", "services")]
        config = tmp_path / "prometheus.yml"
        interval = {"scrape_interval": "1s", "scrape_timeout": "1s"}
        config.write_text(yaml.safe_dump({"global": interval, "scrape_configs": jobs}))
        setup = stack.enter_context(
            running(prometheus, config, tmp_path, {}, "--enable-feature=native-histograms")
        )
        poller = setup.poller()
        sample = await until(poller, asked, count("fraud-1-a", 96))
        read = sample.pods["fraud-1-a"]
        assert read.errors == 6
        assert read.slower == {1.0: pytest.approx(6)}
        pod.serve("200", 4, 1.02)
        sample = await until(poller, asked, count("fraud-1-a", 100))
        # One bucket ends at the limit of 1 s, so those just above it are told apart.
        assert sample.pods["fraud-1-a"].slower == {1.0: pytest.approx(10)}
        sample = await until(poller, asked, lambda found: bool(found.pods["fraud-1-a"].p99))
        poller.close()
    assert sample.pods["fraud-1-a"].p99 == pytest.approx(1.02, rel=0.1)


async def test_queries_of_authors_are_answered_only_where_that_is_allowed(setup: Setup) -> None:
    setup.pods[PODS[0]].serve("200", 7, 0.05)
    own = Query("max by (namespace, pod) (http_requests_total) * 2")
    asked = replace(target(), gauges={"own": own, "broken": Query("nonsense(")})
    poller = setup.poller(allow_queries=True)
    sample = await until(poller, asked, lambda found: PODS[0][1] in found.gauges.get("own", {}))
    poller.close()
    assert sample.gauges["own"][PODS[0][1]] == 14
    assert sample.gauges["broken"] == {}
    (why,) = sample.unread.values()
    assert why.startswith('broken was not read: metrics provider "default" answered HTTP 400: ')

    poller = setup.poller()
    sample = await until(poller, asked, lambda found: PODS[0][1] in found.pods)
    poller.close()
    assert sample.gauges["own"] == {}
    assert 'metrics provider "default" does not answer queries' in sample.unread["own"]


FRAGMENTS = {
    "more": 'x"} or gpu_memory{device!="',
    "everything": 'x"} or vector(1) #',
    "slash": '\\"} or gpu_memory{device!="',
    "lines": 'x"}\nor\ngpu_memory{device!="',
    "pattern": ".*",
    "template": "{{ $labels.namespace }}",
}


async def test_promql_in_a_matcher_is_only_ever_a_label_to_look_for(setup: Setup) -> None:
    """Prometheus itself reads each of them as a value: nothing has it, or what has it is found."""
    read = gauges(
        gauge(series="gpu_memory", name="all"),
        *(
            gauge(series="gpu_memory", name=name, matchers={"device": text})
            for name, text in FRAGMENTS.items()
        ),
    )
    names = [pod for of, pod in PODS if of == "risk"]
    asked = target_of("risk", "fraud", ModelDeploymentSpec.model_validate(read), names)
    memory = setup.pods[PODS[0]].memory
    memory.labels("0", "MiB").set(3)
    poller = setup.poller()
    try:
        sample = await until(poller, asked, lambda found: bool(found.gauges.get("all")))
        assert sample.unread == {}
        assert {name for name, values in sample.gauges.items() if values} == {"all"}
        for text in FRAGMENTS.values():
            memory.labels(text, "MiB").set(5)
        sample = await until(poller, asked, lambda found: bool(found.gauges["more"]))
        assert sample.unread == {}
        assert [sample.gauges[name] for name in FRAGMENTS] == [{PODS[0][1]: 5.0}] * len(FRAGMENTS)
    finally:
        poller.close()


def pods_total(pod: ModelServer) -> float:
    return sum(
        each.value
        for family in pod.registry.collect()
        for each in family.samples
        if each.name == "http_requests_total"
    )


async def test_every_preset_reads_what_its_server_exposes(prometheus: Path, tmp_path: Path) -> None:
    """Each file is a server's own /metrics: 100 requests, 6 failed, 4 took longer than a second."""
    runtimes = sorted(PRESETS.keys() - BY_SERVICE - {"http"})
    with contextlib.ExitStack() as stack:
        targets = []
        for runtime in runtimes:
            exposition_file = EXPOSITIONS / f"{runtime}.txt"
            server = stack.enter_context(serving(scraped=exposition_file.read_bytes))
            labels = {"namespace": "risk", "pod": runtime}
            targets.append({"targets": [server.url.removeprefix("http://")], "labels": labels})
        scraped = [{"job_name": "pods", "static_configs": targets}]
        config = tmp_path / "prometheus.yml"
        interval = {"scrape_interval": "1s", "scrape_timeout": "1s"}
        config.write_text(yaml.safe_dump({"global": interval, "scrape_configs": scraped}))
        setup = stack.enter_context(running(prometheus, config, tmp_path, {}))
        poller = setup.poller()
        for runtime in runtimes:
            asked = Target("risk", runtime, "default", runtime, frozenset({runtime}), LIMITS)
            sample = await until(poller, asked, count(runtime, 100))
            read = sample.pods[runtime]
            assert (runtime, read.errors) == (runtime, 6)
            timed = runtime not in WITHOUT_LATENCY
            assert (runtime, dict(read.slower)) == (runtime, {1.0: 4.0} if timed else {})
            assert timed == (PRESETS[runtime].buckets is not None)
        poller.close()


CONTROLLER = {
    "namespace": "ingress-nginx",
    "pod": "ingress-nginx-controller-7d4f9",
    "service": "ingress-nginx-controller-metrics",
}
SCRAPES: dict[str, tuple[bool, tuple[str, ...]]] = {
    # As a ServiceMonitor does, a PodMonitor, one that honours labels, and a plain address.
    "of-service": (False, ("namespace", "pod", "service")),
    "of-pods": (False, ("namespace", "pod")),
    "honoured": (True, ("namespace", "pod", "service")),
    "plain": (False, ()),
}


async def test_what_ingress_nginx_counts_is_read_however_its_labels_were_moved(
    prometheus: Path, tmp_path: Path
) -> None:
    """The file is a controller's /metrics: 100 requests to fraud in risk, 6 failed, 4 slow; others
    to a Service behind a canary ingress, to another Service, and to fraud in another namespace."""
    told = (EXPOSITIONS / "ingress-nginx.txt").read_text()
    with contextlib.ExitStack() as stack:
        jobs = []
        for name, (honoured, labels) in SCRAPES.items():
            of_namespace = told.replace('namespace="risk"', f'namespace="{name}"')
            server = stack.enter_context(serving(scraped=of_namespace.encode))
            target = {
                "targets": [server.url.removeprefix("http://")],
                "labels": {label: CONTROLLER[label] for label in labels},
            }
            config = {"static_configs": [target], "honor_labels": honoured}
            jobs += [{"job_name": f"{name}-{number}", **config} for number in (1, 2)]
        # One Service is scraped in two of the ways at once.
        both = stack.enter_context(serving(scraped=told.encode))
        address = both.url.removeprefix("http://")
        for labels in (("namespace", "pod", "service"), ("namespace", "pod")):
            target = {"targets": [address], "labels": {each: CONTROLLER[each] for each in labels}}
            jobs.append({"job_name": f"both-{len(labels)}", "static_configs": [target]})
        config_file = tmp_path / "prometheus.yml"
        interval = {"scrape_interval": "1s", "scrape_timeout": "1s"}
        config_file.write_text(yaml.safe_dump({"global": interval, "scrape_configs": jobs}))
        setup = stack.enter_context(running(prometheus, config_file, tmp_path, {}))
        poller = setup.poller()
        counter = "fraud/ingress-nginx/ingress-nginx-controller-7d4f9"
        for namespace in (*SCRAPES, "risk"):
            # The limit of 2 s is no boundary of it.
            limits = frozenset({1.0, 2.0})
            asked = Target(namespace, "fraud", "default", "ingress-nginx", frozenset(), limits)
            sample = await until(
                poller, asked, lambda s: count(counter, 100)(s) and len(s.pods[counter].slower) > 1
            )
            assert sample.of_service
            assert list(sample.pods) == [counter]
            read = sample.pods[counter]
            assert (namespace, read.errors) == (namespace, 6)
            assert (read.slower, sample.boundaries) == ({1.0: 4.0, 2.0: 0.0}, {2.0: 2.5})
        # All of them are one question.
        targets = [replace(asked, namespace=namespace) for namespace in (*SCRAPES, "risk")]
        samples_of = await poller.poll(targets, time.time())
        assert [each.pods[counter].requests for each in samples_of.values()] == [100] * 5
        poller.close()

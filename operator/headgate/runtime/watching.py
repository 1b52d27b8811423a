"""kopf as the informer: tells of every change, decides and writes nothing.

It runs in a thread with an event loop of its own, because kopf ends its operator for good on an
error in a watch, on a LIST that fails for a minute and on one 401. `headgate.runtime.informer`
then starts another one; nothing else of the process notices.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import kopf
from kubernetes import client, config

from headgate.kube.api import PAGE
from headgate.kube.client import CONFIG_MAP, DISRUPTION_BUDGET, MODEL_DEPLOYMENT, Kind, Object
from headgate.kube.snapshot import KINDS
from headgate.render.names import OWNED_BY

WATCHED: tuple[Kind, ...] = (MODEL_DEPLOYMENT, *KINDS, DISRUPTION_BUDGET)
"""What is watched and listed, as all of it is kept in the cache: besides ours, the disruption
budgets of authors."""

HEARD: tuple[Kind, ...] = (CONFIG_MAP,)
"""What is only watched, for the news that it has changed."""

INACTIVITY_SECONDS = 130.0
"""A watch on which two bookmarks in a row are missing is dead; kopf's own 70 s asks anew whenever
a single one is a little late."""

IDLE_SECONDS = 0.2
"""kopf keeps a task and the newest state of an object for this long after an event. Its own 5 s
would hold everything that is listed at the start in memory at the same time."""

LOOK_SECONDS = 0.5
END_SECONDS = 1.0
"""How long a part of kopf may take to end once it was told to. Its handlers do nothing that could
be cut short."""

DELETED = "DELETED"

Receive = Callable[[str | None, Object], None]
"""Called in kopf's thread with the type of an event (None: from a list) and the object."""

_log = logging.getLogger(__name__)


class Watch:
    """One run of kopf's operator. `ended` is done when it is over, with the exception that ended
    it; a run that was stopped has none."""

    def __init__(
        self, namespaces: Collection[str], kubeconfig: Path | None, receive: Receive
    ) -> None:
        self._namespaces = tuple(namespaces)
        self._kubeconfig = kubeconfig
        self._receive = receive
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stopped = threading.Event()
        self._logins = 0
        self._refused: Exception | None = None
        self.ended: Future[None] = Future()
        # A daemon: a kopf that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; `ended` tells when it has."""
        self._stopped.set()
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._operate())
        except BaseException as error:
            # Whatever it is, it ends this thread only; the supervisor logs it and starts anew.
            self._end(error)

    async def _operate(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        error: BaseException | None = None
        if not self._stopped.is_set():
            try:
                await self._run_kopf(self._stop)
            except BaseException as caught:
                error = caught
        # Not when the thread ends: what is left of kopf may keep that waiting.
        self._end(self._refused or error)

    def _end(self, error: BaseException | None) -> None:
        if self.ended.done():
            return
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error if isinstance(error, Exception) else Ended(repr(error)))

    async def _run_kopf(self, stop: asyncio.Event) -> None:
        operator = asyncio.ensure_future(
            kopf.operator(
                registry=registry(self._login, self._receive),
                settings=settings(),
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                standalone=True,
                # Without peering nobody reads it; left out, kopf asks for the user's name, and a
                # user id of a container has none.
                identity="headgate",  # type: ignore[arg-type]
                stop_flag=stop,
            )
        )
        clock = asyncio.get_running_loop().time
        ending: dict[asyncio.Task[Any], float] = {}
        while not operator.done():
            await asyncio.wait({operator}, timeout=LOOK_SECONDS)
            # Where several watches break together, one of kopf's tasks may swallow its
            # cancellation, for which kopf then waits for ever.
            ending = {
                task: ending.get(task, clock()) for task in asyncio.all_tasks() if task.cancelling()
            }
            if any(clock() - since > END_SECONDS for since in ending.values()):
                raise Ended("a part of kopf has ended, and the rest does not follow")
        operator.result()

    def _login(self) -> kopf.ConnectionInfo:
        self._logins += 1
        try:
            if self._logins > 1:
                # A 401. kopf does not try the same token again, and may then wait for ever without
                # an end; another run reads the token anew.
                raise Refused("the API server has refused the credentials (401)")
            return connection(self._kubeconfig)
        except Exception as error:
            # Without credentials kopf waits for ever, and its operator does not end by itself.
            self._refused = error
            self.stop()
            raise


class Refused(Exception):  # noqa: N818 - what happened
    """The credentials are not valid any more."""


class Ended(Exception):  # noqa: N818 - what happened, not a kind of error
    """The operator ended by something that is no ordinary exception, or does not end."""


def settings() -> kopf.OperatorSettings:
    """kopf without anything that writes, asks for more rights, or could end the process."""
    found = kopf.OperatorSettings()
    found.posting.enabled = False
    found.scanning.disabled = True
    found.process.ultimate_exiting_timeout = None
    found.watching.inactivity_timeout = INACTIVITY_SECONDS
    found.watching.chunk_size = PAGE
    found.queueing.idle_timeout = IDLE_SECONDS
    for kind in KINDS:
        group, _, version = kind.api_version.rpartition("/")
        found.watching.label_selectors[group, version, kind.plural] = OWNED_BY
    # Neither the records of releases nor the copies that revisions have: only what authors wrote.
    found.watching.label_selectors["", "v1", CONFIG_MAP.plural] = f"!{OWNED_BY}"
    return found


def registry(login: Callable[[], kopf.ConnectionInfo], receive: Receive) -> kopf.OperatorRegistry:
    """Only event handlers: they leave neither finalizers nor annotations on objects."""
    found = kopf.OperatorRegistry()

    @kopf.on.login(registry=found, id="login", errors=kopf.ErrorsMode.PERMANENT)
    def log_in(**_: Any) -> kopf.ConnectionInfo:
        return login()

    for kind in (*WATCHED, *HEARD):
        group, _, version = kind.api_version.rpartition("/")
        handler = _handler(kind, receive)
        kopf.on.event(group, version, kind.plural, registry=found, id=kind.plural)(handler)
    return found


def _handler(kind: Kind, receive: Receive) -> Any:
    async def handle(event: Any, **_: Any) -> None:
        # Objects of a LIST do not say what they are.
        body = {"apiVersion": kind.api_version, "kind": kind.name, **event["object"]}
        receive(event["type"], body)

    return handle


def connection(kubeconfig: Path | None) -> kopf.ConnectionInfo:
    """The same cluster and identity as `headgate.kube.api`, in kopf's terms."""
    configuration: Any = client.Configuration()
    load: Any = config
    try:
        if kubeconfig is not None:
            load.load_kube_config(
                str(kubeconfig), client_configuration=configuration, persist_config=False
            )
        else:
            try:
                load.load_incluster_config(configuration)
            except config.ConfigException:
                load.load_kube_config(client_configuration=configuration, persist_config=False)
    except (config.ConfigException, OSError) as error:
        raise kopf.LoginError(f"no way to reach a cluster: {error}") from error
    header = configuration.get_api_key_with_prefix("BearerToken")
    header = header or configuration.get_api_key_with_prefix("authorization") or ""
    scheme, _, token = header.rpartition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        username=configuration.username or None,
        password=configuration.password or None,
        scheme=scheme or None,
        token=token or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        trust_env=False,
    )

"""Feeds the picture: one watch for each kind of object in the demonstration's namespace.

A watch that ends or breaks begins anew with all objects; in between the picture is older than the
cluster, never wrong about what it noted before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes
import urllib3
from kubernetes.client import ApiException

from hack.demo.picture import Picture
from hack.demo.stories import NAMESPACE

_WATCH_SECONDS = 300
_PAUSE_SECONDS = 1.0
_CALL_SECONDS = 15


class Watching:
    """Watches in the background from `start` until `stop`."""

    def __init__(self, kubeconfig: Path, picture: Picture) -> None:
        settings = kubernetes.client.Configuration()
        client = kubernetes.config.new_client_from_config(  # type: ignore[no-untyped-call]
            str(kubeconfig), client_configuration=settings
        )
        # The cluster is on this machine; a proxy of the environment cannot reach it.
        settings.proxy = None
        core = kubernetes.client.CoreV1Api(client)
        custom = kubernetes.client.CustomObjectsApi(client)
        self._picture = picture
        self._stopped = threading.Event()
        self._lists: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
            "modeldeployments": (
                custom.list_namespaced_custom_object,
                ("headgate.dev", "v1alpha1", NAMESPACE, "modeldeployments"),
            ),
            "services": (core.list_namespaced_service, (NAMESPACE,)),
            "pods": (core.list_namespaced_pod, (NAMESPACE,)),
        }

    def start(self) -> None:
        """Begin to watch."""
        for kind in self._lists:
            threading.Thread(target=self._follow, args=(kind,), daemon=True).start()

    def stop(self) -> None:
        """Let every watch end with its next event."""
        self._stopped.set()

    def _follow(self, kind: str) -> None:
        while not self._stopped.is_set():
            try:
                self._watch(kind)
            except (ApiException, urllib3.exceptions.HTTPError, OSError, KeyError, ValueError):
                # A broken connection, a line that was cut, or an event of type ERROR. All is looked
                # at again from the beginning; the waits of `releasing` have time-outs.
                self._stopped.wait(_PAUSE_SECONDS)

    def _watch(self, kind: str) -> None:
        listing, arguments = self._lists[kind]
        self._picture.drop(kind)
        watch = kubernetes.watch.Watch()  # type: ignore[no-untyped-call]
        events = watch.stream(  # type: ignore[no-untyped-call]
            listing,
            *arguments,
            deserialize=False,
            timeout_seconds=_WATCH_SECONDS,
            _request_timeout=(_CALL_SECONDS, _WATCH_SECONDS + _CALL_SECONDS),
        )
        for event in events:
            now = time.time()
            if self._stopped.is_set():
                return
            if event["type"] == "DELETED":
                self._picture.drop(kind, event["object"]["metadata"]["name"])
            elif event["type"] in ("ADDED", "MODIFIED"):
                self._picture.put(kind, event["object"], now)

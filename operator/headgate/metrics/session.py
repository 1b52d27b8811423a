"""An HTTP session that cannot be held up: one deadline and one size for a whole answer.

requests' time-outs are per read, so a server that sends a byte now and then would keep a thread
for ever; here the connection is shut when the time is over. No retries, no redirects, no proxy
or credential from the environment, no compression (a small answer could unfold into a large one).
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

_CHUNK = 64 * 1024


class DeadlineError(requests.RequestException):
    """The whole answer was not there in time."""


class TooLargeError(requests.RequestException):
    """The answer has more bytes than allowed."""


class _Connections:
    """The connections of one session, so that they can be shut from another thread."""

    def __init__(self) -> None:
        self._made: list[Any] = []

    def add(self, connection: Any) -> Any:
        self._made.append(connection)
        return connection

    def shut(self) -> None:
        for connection in list(self._made):
            made: socket.socket | None = getattr(connection, "sock", None)
            if made is not None:
                # It may be closed by the other thread at this very moment.
                with contextlib.suppress(OSError):
                    made.shutdown(socket.SHUT_RDWR)


def _adapter(connections: _Connections) -> HTTPAdapter:
    class Pool(HTTPConnectionPool):
        def _new_conn(self) -> Any:
            return connections.add(super()._new_conn())

    class SecurePool(HTTPSConnectionPool):
        def _new_conn(self) -> Any:
            return connections.add(super()._new_conn())

    adapter = HTTPAdapter(max_retries=Retry(total=0, redirect=False), pool_maxsize=1)
    adapter.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": SecurePool}
    return adapter


class BoundedSession(requests.Session):
    """A session for one poll of one provider.

    `deadline` is a moment of `time.monotonic` by which every answer must have been read whole;
    `max_bytes` is the most that one answer may have. `last` is the body read last.
    Raises DeadlineError and TooLargeError besides what requests raises.
    """

    def __init__(self, deadline: float, max_bytes: int) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["Accept-Encoding"] = "identity"
        self.last = b""
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._connections = _Connections()
        self.bound("http://")
        self.bound("https://")

    def bound(self, prefix: str) -> None:
        """Puts the bounded adapter under `prefix`, whatever was mounted there."""
        self.mount(prefix, _adapter(self._connections))

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends `params` as a form (a query may be longer than an address) and reads it all."""
        kwargs |= {
            "data": kwargs.pop("params", None),
            "stream": True,
            "allow_redirects": False,
        }
        self.last = b""
        with self._time_limit() as left:
            kwargs["timeout"] = left
            response = super().request(*args, **kwargs)
            with response:
                self.last = self._read(response)
        response._content = self.last
        return response

    @contextlib.contextmanager
    def _time_limit(self) -> Iterator[float]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise DeadlineError("no time was left to ask")
        timer = threading.Timer(left, self._connections.shut)
        timer.daemon = True
        timer.start()
        try:
            yield left
        except requests.RequestException as error:
            if not isinstance(error, TooLargeError) and time.monotonic() >= self._deadline:
                raise DeadlineError(str(error)) from error
            raise
        finally:
            timer.cancel()
        if time.monotonic() >= self._deadline:
            raise DeadlineError("the answer came too late")

    def _read(self, response: requests.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise requests.exceptions.ContentDecodingError("a compressed answer was not asked for")
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                raise TooLargeError(f"the answer has more than {self._max_bytes} bytes")
        return bytes(body)

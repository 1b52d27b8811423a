"""A Prometheus that misbehaves on purpose, on loopback: each test gives it the behaviour."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request; `query` is the PromQL it asks, at a moment or, of a range, from a start."""

    protocol_version = "HTTP/1.1"
    query = ""
    at = start = step = ""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        form = parse_qs(self.rfile.read(length).decode())
        self.query, self.at = form["query"][0], form.get("time", [""])[0]
        self.start, self.step = form.get("start", [""])[0], form.get("step", [""])[0]
        server = self.server
        assert isinstance(server, Server)
        server.queries.append(self.query)
        with contextlib.suppress(ConnectionError):
            server.answer(self)

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        send(self, server.scraped(), headers={"Content-Type": server.content_type})

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Answers queries with `answer` and scrapes with `scraped`.

    `queries` are those it was asked, `over` ends the answers that wait.
    """

    daemon_threads = True

    def __init__(self, answer: Answer, scraped: Callable[[], bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.scraped = scraped
        self.content_type = "text/plain; version=0.0.4"
        self.queries: list[str] = []
        self.over = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is what these tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def serving(answer: Answer | None = None, scraped: Callable[[], bytes] = bytes) -> Iterator[Server]:
    """A server for the time of the block; without an `answer` it is a healthy one."""
    server = Server(answer or healthy, scraped)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def send(
    handler: Handler, document: Any, status: int = 200, headers: dict[str, str] | None = None
) -> None:
    """A whole answer; `document` is JSON or the bytes themselves."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def row(value: float | str, **labels: str) -> dict[str, Any]:
    """One series of an instant vector."""
    return {"metric": labels, "value": [1000.0, str(value)]}


def rows(result: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A successful answer with these series."""
    return {"status": "success", "data": {"resultType": "vector", "result": result}, **more}


def healthy(handler: Handler) -> None:
    """100 requests of pod `p` in every namespace asked about, 3 of them failed, 2 over 1 s."""
    result = []
    if "headgate_kind" in handler.query:
        for namespace in handler.query.partition('namespace=~"')[2].partition('"')[0].split("|"):
            where = {"namespace": namespace, "pod": "p"}
            result += [
                row(100, headgate_kind="requests", **where),
                row(3, headgate_kind="errors", **where),
                row(98, headgate_kind="bucket", le="1.0", **where),
                row(100, headgate_kind="bucket", le="+Inf", **where),
            ]
    send(handler, rows(result))


def dripping(handler: Handler) -> None:
    """A body that is begun at once and never finished."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not handler.server.over.wait(0.05):  # type: ignore[attr-defined]
        handler.wfile.write(b" ")
        handler.wfile.flush()


def dripping_headers(handler: Handler) -> None:
    """Headers that never end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.over.wait(0.05):  # type: ignore[attr-defined]
        handler.wfile.write(b"x")
        handler.wfile.flush()


def hanging(handler: Handler) -> None:
    """No answer at all."""
    handler.server.over.wait(30)  # type: ignore[attr-defined]
    handler.close_connection = True


def endless(handler: Handler) -> None:
    """A body without a length that goes on for ever."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    started = time.monotonic()
    while time.monotonic() - started < 20:
        handler.wfile.write(b" " * 65536)

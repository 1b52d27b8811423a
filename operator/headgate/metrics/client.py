"""One question to Prometheus: rows, or a sentence saying why there are none.

prometheus-api-client sends the query; it is given our own session, because by itself it retries,
follows redirects, reads whole bodies and drops the `warnings` that say an answer is partial.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import requests
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from headgate.api.quantities import format_duration
from headgate.metrics.providers import Provider
from headgate.metrics.session import BoundedSession, DeadlineError, TooLargeError

_MOST_TEXT = 160
_LONGEST_SECRET = 64 * 1024
_NOT_WELCOME = ("401", "403", "407")
"""Answers to credentials that do not fit. Their words are not repeated: they may hold them."""


class QueryError(Exception):
    """The question has no usable answer; the message is a sentence for people."""


class OversizedError(QueryError):
    """The answer is larger than the provider's `maxBytes`: ask for less at once."""


class Row(BaseModel):
    """One series of an instant vector: its labels, and its moment and value."""

    model_config = ConfigDict(frozen=True)

    metric: dict[str, str]
    value: tuple[float, float]


class Series(BaseModel):
    """One series of a range: its labels, and its moments and values."""

    model_config = ConfigDict(frozen=True)

    metric: dict[str, str]
    values: list[tuple[float, float]]


_ROWS = TypeAdapter(list[Row])
_SERIES = TypeAdapter(list[Series])

_UNREADABLE = (
    requests.exceptions.ContentDecodingError,
    ValidationError,
    # What the library lets through when a body is not what it expects.
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
)


class Asks(Protocol):
    """`Client`, or what answers as it would have in the past."""

    def ask(self, query: str, at: float) -> Sequence[Row]:
        """The rows of an instant query at the moment `at`; raises QueryError."""
        ...


class Client:
    """Asks one provider in one poll; to be used by one thread and closed after it."""

    def __init__(self, name: str, provider: Provider) -> None:
        self._name = name
        self._provider = provider
        self._session = BoundedSession(time.monotonic() + provider.timeout, provider.max_bytes)
        self._prometheus = PrometheusConnect(provider.url, session=self._session, method="POST")
        # The library mounts an adapter of its own for this address, which would win over ours.
        self._session.bound(provider.url)

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def ask(self, query: str, at: float) -> list[Row]:
        """The rows of an instant query at the moment `at`; raises QueryError."""
        with self._told():
            self._authenticate()
            rows = self._prometheus.custom_query(query, params={"time": f"{at:.3f}"})
            self._check("vector")
            return _ROWS.validate_python(rows)

    def ask_range(self, query: str, start: int, end: int, step: float) -> list[Series]:
        """The series of a range query from `start` to `end`, in whole seconds, one value every
        `step` seconds; raises QueryError."""
        with self._told():
            self._authenticate()
            first, last = (datetime.fromtimestamp(moment, UTC) for moment in (start, end))
            series = self._prometheus.custom_query_range(query, first, last, f"{step:g}")
            self._check("matrix")
            return _SERIES.validate_python(series)

    def _authenticate(self) -> None:
        """Reads the credentials, which may be others than at the last poll."""
        provider = self._provider
        try:
            if provider.bearer_token_file is not None:
                token = _secret(provider.bearer_token_file)
                self._session.headers["Authorization"] = f"Bearer {token}"
            if provider.basic_auth is not None:
                password = _secret(provider.basic_auth.password_file)
                self._session.auth = (provider.basic_auth.username, password)
        except (OSError, UnicodeDecodeError) as error:
            raise QueryError(self._sentence("has credentials that cannot be read")) from error
        if provider.tls is not None:
            self._session.verify = str(provider.tls.ca_file) if provider.tls.ca_file else True
            if provider.tls.cert_file is not None:
                self._session.cert = (str(provider.tls.cert_file), str(provider.tls.key_file))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever goes wrong, as a sentence."""
        try:
            yield
        except TooLargeError as error:
            raise OversizedError(
                self._sentence(f"gave an answer of more than {self._provider.max_bytes:,} bytes")
            ) from error
        except DeadlineError as error:
            raise QueryError(
                self._sentence(f"did not answer within {format_duration(self._provider.timeout)}")
            ) from error
        except PrometheusApiClientException as error:
            raise QueryError(self._sentence(self._refusal(error))) from error
        except _UNREADABLE as error:
            raise QueryError(self._sentence("gave an answer that cannot be read")) from error
        except requests.RequestException as error:
            raise QueryError(self._sentence("could not be reached")) from error

    def _check(self, expected: str) -> None:
        document = json.loads(self._session.last)
        if document.get("status") != "success" or document["data"]["resultType"] != expected:
            raise ValueError(f"no {expected}")
        if document.get("warnings"):
            warning = _printable(str(document["warnings"][0]))
            raise QueryError(self._sentence(f"gave a partial answer: {warning}"))

    def _refusal(self, error: Exception) -> str:
        status = str(error).removeprefix("HTTP Status Code ").partition(" ")[0]
        if status in _NOT_WELCOME:
            return f"answered HTTP {status}"
        try:
            text = json.loads(self._session.last)["error"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return f"answered HTTP {status}"
        return f"answered HTTP {status}: {_printable(str(text))}"

    def _sentence(self, what: str) -> str:
        return f'metrics provider "{self._name}" {what}'


def _secret(file: Path) -> str:
    with file.open(encoding="utf-8") as stream:
        return stream.read(_LONGEST_SECRET).strip()


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:_MOST_TEXT]

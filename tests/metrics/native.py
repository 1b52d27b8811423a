"""A pod with native histograms, in the only exposition that has them: protobuf, written by hand.

Field numbers are those of `io.prometheus.client` in prometheus/client_model, metrics.proto.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterator, Mapping

CONTENT_TYPE = (
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)
COUNTER, HISTOGRAM = 0, 4
SCHEMA = 3
"""Eight buckets for each power of two: each ends 9 % above the one before."""


class NativeServer:
    """Requests by status, and their latencies in a native histogram."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.seconds: list[float] = []

    def serve(self, status: str, times: int, seconds: float) -> None:
        """So many more requests."""
        self.requests[status] += times
        self.seconds += [seconds] * times

    def exposition(self) -> bytes:
        """What it answers a scrape with."""
        counters = b"".join(
            _message(4, _labels({"status": status}) + _message(3, _double(1, number)))
            for status, number in self.requests.items()
        )
        return _family("http_requests_total", COUNTER, counters) + _family(
            "http_request_duration_seconds", HISTOGRAM, _message(4, _message(7, self._histogram()))
        )

    def _histogram(self) -> bytes:
        """Buckets by index: the i-th ends at 2^(i/2^schema), where the next one begins."""
        places = Counter(math.ceil(math.log2(each) * 2**SCHEMA) for each in self.seconds)
        first, last = min(places), max(places)
        counts = [places.get(place, 0) for place in range(first, last + 1)]
        deltas = [now - before for before, now in zip([0, *counts], counts, strict=False)]
        return b"".join(
            [
                _number(1, len(self.seconds)),
                _double(2, sum(self.seconds)),
                _number(5, _zigzag(SCHEMA)),
                _double(6, 1e-128),
                _number(7, 0),
                _message(12, _number(1, _zigzag(first)) + _number(2, len(counts))),
                *(_number(13, _zigzag(delta)) for delta in deltas),
            ]
        )


def _family(name: str, kind: int, metrics: bytes) -> bytes:
    body = _message(1, name.encode()) + _number(3, kind) + metrics
    return bytes(_varint(len(body))) + body


def _labels(labels: Mapping[str, str]) -> bytes:
    return b"".join(
        _message(1, _message(1, name.encode()) + _message(2, value.encode()))
        for name, value in labels.items()
    )


def _message(field: int, body: bytes) -> bytes:
    return bytes(_varint(field << 3 | 2)) + bytes(_varint(len(body))) + body


def _number(field: int, number: int) -> bytes:
    return bytes(_varint(field << 3)) + bytes(_varint(number))


def _double(field: int, number: float) -> bytes:
    return bytes(_varint(field << 3 | 1)) + struct.pack("<d", number)


def _zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def _varint(number: int) -> Iterator[int]:
    while number > 127:
        yield number & 127 | 128
        number >>= 7
    yield number

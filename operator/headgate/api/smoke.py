"""Requests that pods must answer rightly before they get any live traffic (R4): every pod while it
is warmed up, then the candidate's smoke predictions."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, Strict, StringConstraints, WithJsonSchema

from headgate.api.base import Rule, SpecModel, longer_than_nothing
from headgate.api.quantities import Duration

Path = Annotated[str, StringConstraints(pattern=r"^/[^\s#]*$", max_length=1024)]
AnyJson = Annotated[Any, WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True})]


class Method(StrEnum):
    """HTTP methods of a smoke request."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"


class JsonType(StrEnum):
    """Types of a JSON value."""

    ARRAY = "array"
    NUMBER = "number"
    STRING = "string"
    OBJECT = "object"
    INTEGER = "integer"
    BOOLEAN = "boolean"


class Expect(SpecModel):
    """What a right answer looks like."""

    admission = (
        Rule(
            "!has(self.field) || has(self.type)",
            "expect.field needs expect.type: say which JSON type the field must have",
            lambda expect: expect.field is None or expect.type is not None,
        ),
    )

    status: int = Field(default=200, ge=100, le=599)
    """HTTP status of the answer."""
    field: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    """Field of the JSON answer whose type is checked, such as predictions. Left out, the whole
    answer is."""
    type: Annotated[JsonType, Strict(False)] | None = None
    """JSON type that the field must have. Left out, the body is not read."""


class SmokeRequest(SpecModel):
    """One request with given input, and what its answer must look like."""

    path: Path = "/predict"
    """Path of the request."""
    method: Annotated[Method, Strict(False)] = Method.POST
    """HTTP method: GET, POST or PUT."""
    body: AnyJson = None
    """Body of the request, any JSON value; sent as application/json."""
    expect: Expect = Field(default_factory=Expect)
    """What the answer must look like."""


class WarmUp(SpecModel):
    """Requests that every pod is sent until it answers fast; before that it gets no traffic.

    It holds for pods of revisions whose release began with it, and for those that join later
    (scaling, a drained node) as well.
    """

    admission = (
        longer_than_nothing("fasterThan", "faster_than"),
        longer_than_nothing("timeout", "timeout"),
    )

    requests: list[SmokeRequest] = Field(
        min_length=1,
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    """Requests that are sent one after the other, again and again."""
    faster_than: Duration = "1s"
    """A right answer counts when it took no longer than this. Left out, 1s."""
    in_a_row: int = Field(default=3, ge=1, le=100)
    """So many right and fast answers one after the other make a pod warm, at least one to each
    request. Left out, 3."""
    timeout: Duration = "5m"
    """A pod that is not warm after this long has failed. Left out, 5m."""


class Smoke(SpecModel):
    """Checks of a candidate's pods before they get live traffic."""

    admission = (longer_than_nothing("timeout", "timeout"),)

    health_path: Path = "/health"
    """Path that must answer 200 on every pod of the candidate."""
    requests: list[SmokeRequest] = Field(
        default_factory=list,
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    """Requests that the candidate must answer as expected, in their order."""
    timeout: Duration = "5s"
    """Longest time for one answer."""
    max_latency: Duration | None = None
    """Answers that take longer than this fail the check. Left out, only the timeout counts."""
    warm_up: WarmUp | None = None
    """Requests that make a pod fast before it gets traffic. Left out, pods are not warmed up."""

"""Recorded polls as a file holds them, for `headgate replay`: read, and refused in plain words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from headgate.api.base import refusals
from headgate.judge.tally import Requests
from headgate.judge.values import Comparison

LARGEST = 16 * 1024 * 1024
"""Characters of a file."""

MOST_POLLS = 100_000

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class BadRecord(Exception):  # noqa: N818 - what the person is told, not a fault of ours
    """What is wrong with a file, in sentences that name the field."""


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, validate_by_name=False
    )


class Counted(_Model):
    """Requests of one side in one poll."""

    bad: Amount
    total: Amount

    @model_validator(mode="after")
    def _no_more_bad_than_all(self) -> Self:
        if self.bad > self.total:
            raise ValueError(
                f"bad ({self.bad:g}) is more than total ({self.total:g}): count each poll by itself"
            )
        return self


class Poll(_Model):
    """Both sides in the time since the poll before."""

    stable: Counted
    candidate: Counted


class Recorded(_Model):
    """A whole file."""

    tolerance: float = Field(default=1.25, ge=1, le=1000, allow_inf_nan=False)
    alpha: float = Field(default=0.01, gt=0, lt=1)
    min_samples: Amount = 300.0
    polls: list[Poll] = Field(max_length=MOST_POLLS)

    def settings(self) -> Comparison:
        """What it is to be judged by."""
        return Comparison(self.tolerance, self.alpha, self.min_samples)

    def requests(self) -> list[tuple[Requests, Requests]]:
        """The polls, stable first."""
        return [
            (
                Requests(each.stable.bad, each.stable.total),
                Requests(each.candidate.bad, each.candidate.total),
            )
            for each in self.polls
        ]


def read(file: str) -> Recorded:
    """The polls in a file, "-" for standard input. Raises `BadRecord`."""
    text = _text(file)
    if len(text) > LARGEST:
        raise BadRecord(f"{file}: larger than {LARGEST // 2**20} MiB: replay a part of it")
    try:
        return Recorded.model_validate_json(text)
    except ValidationError as error:
        found = [each.removeprefix(".") for each in refusals(error, "")]
        shown = [*found[:10], *([f"and {len(found) - 10} more"] if len(found) > 10 else [])]
        lines = "\n".join(f"  {each.removeprefix(': ')}" for each in shown)
        raise BadRecord(f"{file}: cannot be judged:\n{lines}") from error


def _text(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read(LARGEST + 1)
        with Path(file).open(encoding="utf-8") as stream:
            return stream.read(LARGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecord(f"{file}: cannot be read: {error}") from error

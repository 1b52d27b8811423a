"""Where people are told, beyond Events: Slack, Teams, e-mail, PagerDuty, webhooks and whatever else
Apprise knows, as the administrator configured it.

Needs the extra `headgate[notify]`. `headgate.runtime.notifying` hands over the planner's notes,
away from every release.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import apprise
import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

# It names addresses, and with them tokens, in what it logs.
logging.getLogger("apprise").setLevel(logging.CRITICAL)

LOUD = frozenset({"RevertFailed"})
"""Reasons after which users may be getting wrong answers at this moment."""

USUAL = ("Reverting", "RevertFailed", "RuleFailed")

Reason = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]{2,63}$")]


class Receiver(BaseModel):
    """Somebody to tell. `url` is in Apprise's spelling, such as `slack://TOKEN/#releases`; of the
    `reasons` (those of Events), and in the `namespaces` (none: in all)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr
    reasons: tuple[Reason, ...] = Field(default=USUAL, min_length=1, max_length=64)
    namespaces: tuple[str, ...] = Field(default=(), max_length=1000)


class Receivers(BaseModel):
    """All receivers by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    receivers: dict[str, Receiver] = Field(default_factory=dict, max_length=64)

    @staticmethod
    def load(path: Path | str) -> Receivers:
        """Reads the file; raises OSError, or ValueError saying what in it is wrong. No sentence
        names an address: it may hold a password."""
        try:
            document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
            found = Receivers.model_validate({} if document is None else document)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is no YAML") from error
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise ValueError(f"{path}: {where}: {first['msg']}") from error
        for name, receiver in found.receivers.items():
            if not apprise.Apprise().add(receiver.url.get_secret_value()):
                raise ValueError(
                    f"{path}: receivers.{name}.url is no address that Apprise knows, such as"
                    " slack://…, msteams://…, mailtos://…, pagerduty://… or json://…"
                )
        return found


@dataclass(frozen=True)
class Message:
    """What is told: of which ModelDeployment, why (an Event's reason), and the sentence."""

    namespace: str
    name: str
    reason: str
    sentence: str
    warning: bool

    @property
    def title(self) -> str:
        """One line, the urgent ones to be seen at once."""
        loud = "URGENT " if self.reason in LOUD else ""
        return f"{loud}Headgate: {self.namespace}/{self.name} {self.reason}"

    @property
    def body(self) -> str:
        """The sentence, and where to read on."""
        return f"{self.sentence}\n\nkubectl headgate explain {self.name} -n {self.namespace}"


def concerned(receivers: Receivers, message: Message) -> list[str]:
    """The names of those who are to be told."""
    return [
        name
        for name, receiver in receivers.receivers.items()
        if message.reason in receiver.reasons
        and (not receiver.namespaces or message.namespace in receiver.namespaces)
    ]


def send(receiver: Receiver, message: Message) -> bool:
    """Tell one receiver; whether it was taken. Blocks for some seconds at most."""
    kind = apprise.NotifyType.INFO
    if message.warning:
        kind = apprise.NotifyType.WARNING
    if message.reason in LOUD:
        kind = apprise.NotifyType.FAILURE
    told = apprise.Apprise()
    told.add(receiver.url.get_secret_value())
    return bool(told.notify(title=message.title, body=message.body, notify_type=kind))

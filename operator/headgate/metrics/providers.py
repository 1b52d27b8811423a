"""The administrator's metrics providers: the only place where an address is written down.

A ModelDeployment names a provider; this file, which only the administrator can change, says
where it is and how it is asked. It is read once, when the operator starts.
"""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from headgate.api.quantities import parse_duration


def _seconds(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("a provider's url is http://HOST or https://HOST, with a port and a path")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("a provider's url has no user, password, query or fragment")
    return url.rstrip("/")


Seconds = Annotated[float, BeforeValidator(_seconds)]


_SPELLED = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class BasicAuthentication(BaseModel):
    """A user whose password is in a file."""

    model_config = _SPELLED

    username: str = Field(min_length=1, max_length=256)
    password_file: Path


class Certificates(BaseModel):
    """Which authority signs the server's certificate (the system's when left out), and the client's
    own certificate with its key. All are PEM files."""

    model_config = _SPELLED

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("certFile and keyFile belong together")
        return self


class Provider(BaseModel):
    """One Prometheus, or what answers its query API.

    Times are seconds here and durations such as `15s` in the file. `timeout` is the total for
    everything asked in one poll; an answer of more than `max_bytes` is refused. Credentials are
    files, read anew for every poll, so they may be renewed; they are only sent over https. With
    `allow_queries` authors may write PromQL of their own, which reads whatever the provider has.
    """

    model_config = _SPELLED

    url: Annotated[str, AfterValidator(_address)]
    scrape_interval: Seconds = Field(default=15.0, ge=1, le=3600)
    timeout: Seconds = Field(default=5.0, gt=0, le=60)
    max_bytes: int = Field(default=4 * 1024 * 1024, ge=1024, le=256 * 1024 * 1024)
    bearer_token_file: Path | None = None
    basic_auth: BasicAuthentication | None = None
    tls: Certificates | None = None
    allow_queries: bool = False

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        if self.bearer_token_file is not None and self.basic_auth is not None:
            raise ValueError("bearerTokenFile and basicAuth exclude each other")
        secret = self.bearer_token_file or self.basic_auth or self.tls
        if secret is not None and not self.url.startswith("https://"):
            raise ValueError("credentials and tls are for an https:// url only")
        return self


class Providers(BaseModel):
    """All providers by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    providers: dict[str, Provider] = Field(default_factory=dict)

    @staticmethod
    def load(path: Path | str) -> "Providers":
        """Reads the file; raises OSError, or ValueError saying what in it is wrong."""
        try:
            document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
            return Providers.model_validate({} if document is None else document)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is no YAML: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise ValueError(f"{path}: {where}: {first['msg']}") from error

    def get(self, name: str) -> Provider | None:
        """The provider of that name, or None."""
        return self.providers.get(name)

    def unknown(self, name: str) -> str:
        """The sentence for a name that nobody configured."""
        names = ", ".join(sorted(self.providers)) or "none"
        return f'metrics provider "{name}" is not configured; the administrator configured: {names}'
